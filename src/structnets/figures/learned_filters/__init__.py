"""Figure 2: filters of a structured layer, and their basis."""
