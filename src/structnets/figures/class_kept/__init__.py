"""How often a translated neighbour keeps the class, by depth and translation."""
