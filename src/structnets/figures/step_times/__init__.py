"""How long steps of a net take beside those of another."""
