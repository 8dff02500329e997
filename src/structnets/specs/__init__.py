"""What people write, from specs to the configuration, and how it is checked."""
