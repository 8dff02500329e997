"""Figure 4: filters as weighted sums of Gaussian derivatives."""
