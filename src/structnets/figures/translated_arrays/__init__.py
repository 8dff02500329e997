"""Figure 14: images that translated arrays of the last layer find."""
