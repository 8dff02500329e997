"""The boundary benchmark of BSDS: precision and recall of predicted boundaries, ODS, OIS, AP.

Names are found when they are used, so that the command line can be parsed without numba.
"""

import importlib
from typing import TYPE_CHECKING, Any

from structnets.metrics.boundary.compiled_cache import ensure_cache

if TYPE_CHECKING:
    from structnets.metrics.boundary.counting import Settings, count_matches, threshold_values
    from structnets.metrics.boundary.evaluation import evaluate_boundaries
    from structnets.metrics.boundary.scores import summarize

_HOMES = {
    "counting": ("Settings", "count_matches", "threshold_values"),
    "evaluation": ("evaluate_boundaries",),
    "scores": ("summarize",),
}

__all__ = ["Settings", "count_matches", "evaluate_boundaries", "summarize", "threshold_values"]

ensure_cache()


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
