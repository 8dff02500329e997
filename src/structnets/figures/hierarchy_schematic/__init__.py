"""Figure 12: a plain and a hierarchical convolution."""
