"""A study of one's own: what its file says."""

from structnets.specs.study.model import Pictures, Row, Split, Study, load_study

__all__ = ["Pictures", "Row", "Split", "Study", "load_study"]
