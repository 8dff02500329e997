"""Pictures of one's own in shards, with a score each."""
