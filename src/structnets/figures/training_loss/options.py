"""What can be set of Figure 18: nothing."""

from __future__ import annotations

from structnets.specs.validation import Strict


class TrainingLoss(Strict):
    """Figure 18 has no options."""
