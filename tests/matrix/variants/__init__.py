"""Layers with options drawn at random: as their plain twin, or refused in words."""
