"""Images and the boundaries that people drew in them."""
