"""Data: original files, the sets there are, how they are stored here, and batches of them."""
