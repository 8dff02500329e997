"""Whether a net can be inverted in a precision, block by block."""
