"""Figures of the thesis that are made from trained networks, one function each."""
