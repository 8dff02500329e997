"""Figure 13: sizes of the layers of the hierarchical attribute CNN."""
