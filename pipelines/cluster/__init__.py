"""From resources to processes: launching Ray, nodes, locks, time limits, workers, trials."""
