"""How data are stored here: manifests, arrays, shards."""
