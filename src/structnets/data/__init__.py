"""Data sets: readers of original files, the prepared form, subsets.

Importing this package imports nothing else, since the workflow reads `catalogue` at every parse;
the names below are found when they are used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structnets.data.catalogue import DATASETS, Dataset, check_parameters, find_dataset
    from structnets.data.idx import read_idx
    from structnets.data.prepared import load_manifest, load_split, verify, write_prepared
    from structnets.data.subset import train_indices, validation_split

_HOMES = {
    "catalogue": ("DATASETS", "Dataset", "check_parameters", "find_dataset"),
    "idx": ("read_idx",),
    "prepared": ("load_manifest", "load_split", "verify", "write_prepared"),
    "subset": ("train_indices", "validation_split"),
}

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


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
