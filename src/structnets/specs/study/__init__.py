"""A study of one's own: what its file says."""

from structnets.specs.study.model import (
    LINEAR,
    MEAN,
    RATES,
    Limit,
    Pictures,
    Row,
    Split,
    Study,
    load_study,
)

__all__ = ["LINEAR", "MEAN", "RATES", "Limit", "Pictures", "Row", "Split", "Study", "load_study"]
