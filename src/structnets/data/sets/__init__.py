"""What each data set is, and how its originals are read."""
