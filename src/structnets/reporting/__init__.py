"""Tables and figures: which runs they need, what was measured, how it is shown."""
