"""Cohorts of subjects: which scans a folder holds, their labels, and folds by subject."""
