"""Images or features with labels, in a training and a test split."""
