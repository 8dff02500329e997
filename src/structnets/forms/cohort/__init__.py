"""Brain scans of subjects, cross-validated."""
