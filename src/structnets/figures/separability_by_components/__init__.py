"""Figure 22: accuracy of two classifiers by the number of principal components."""
