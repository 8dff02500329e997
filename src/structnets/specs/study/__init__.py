"""A study of one's own: what its file says."""

from structnets.specs.study.model import (
    LINEAR,
    MEAN,
    Limit,
    Pictures,
    Row,
    Split,
    Study,
    load_study,
)

__all__ = ["LINEAR", "MEAN", "Limit", "Pictures", "Row", "Split", "Study", "load_study"]
