"""Figure 20: images decoded between the features of two."""
