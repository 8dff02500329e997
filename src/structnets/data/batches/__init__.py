"""From prepared data to tensors: subsets, augmentation, crops, batches."""
