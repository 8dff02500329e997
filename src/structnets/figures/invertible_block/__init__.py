"""Figure 16: the invertible block and its inverse."""
