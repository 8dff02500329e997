"""Outlines that a net learned on made images finds in them, and in a photograph."""
