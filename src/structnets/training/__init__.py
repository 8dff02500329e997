"""Training a resolved spec with plain torch: one process, torchrun, or whoever calls it."""
