"""What the trials of a sweep reached."""
