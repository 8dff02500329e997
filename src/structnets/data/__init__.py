"""Data sets: readers of original files, the prepared form, subsets; numpy and stdlib to import."""

from structnets.data.catalogue import DATASETS, Dataset, check_parameters, find_dataset
from structnets.data.idx import read_idx
from structnets.data.prepared import load_manifest, load_split, verify, write_prepared
from structnets.data.subset import train_indices, validation_split

__all__ = [
    "DATASETS",
    "Dataset",
    "check_parameters",
    "find_dataset",
    "load_manifest",
    "load_split",
    "read_idx",
    "train_indices",
    "validation_split",
    "verify",
    "write_prepared",
]
