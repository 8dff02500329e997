"""A study of one's own: what its file says."""

from structnets.specs.study.model import Limit, Pictures, Row, Split, Study, load_study

__all__ = ["Limit", "Pictures", "Row", "Split", "Study", "load_study"]
