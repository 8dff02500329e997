"""What can be set of Figure 5: nothing."""

from __future__ import annotations

from structnets.specs.validation import Strict


class AtomWeights(Strict):
    """Figure 5 has no options."""
