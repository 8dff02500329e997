"""Pictures of one's own in shards, with any number of labels each."""
