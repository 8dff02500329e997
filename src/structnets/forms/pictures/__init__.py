"""Pictures of one's own in shards."""
