"""Figure 21: accuracy of two classifiers by depth."""
