"""Relative errors of inverted noise and images (section 6.4.2)."""
