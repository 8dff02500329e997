"""What a layer of Gaussian derivatives sees of a brain."""
