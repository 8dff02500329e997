"""Memory and time of a training step by depth."""
