"""Pictures of one's own: found in folders or tables, checked, and split."""
