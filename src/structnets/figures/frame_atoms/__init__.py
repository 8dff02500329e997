"""Figure 9: sets of filters that span."""
