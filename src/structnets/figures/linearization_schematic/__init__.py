"""Figure 1: curved transformations become translations."""
