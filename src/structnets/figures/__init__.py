"""Figures, drawn with matplotlib without a screen; equal input gives equal SVG bytes."""
