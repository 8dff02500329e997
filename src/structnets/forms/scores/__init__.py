"""Volumes of subjects and a score of each, which is estimated."""
