"""The cells of a table as curves against the number of images."""
