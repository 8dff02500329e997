"""Figure 17: where the pixels of a map go."""
