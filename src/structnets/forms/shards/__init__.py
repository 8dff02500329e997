"""Images of any size in shards."""
