"""Figure 8: frames of the plane."""
