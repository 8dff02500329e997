"""Figure 18: training losses by iteration."""
