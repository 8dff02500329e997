"""Figure 5: mean and deviation of the weights of every atom."""
