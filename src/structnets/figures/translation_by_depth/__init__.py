"""Figure 15: images that translated arrays find, at every depth."""
