"""Textured blobs, drawn anew for each step."""
