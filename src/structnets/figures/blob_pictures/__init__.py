"""Figure 10: what small nets see, choose and answer on textured blobs."""
