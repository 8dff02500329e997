"""The matrix as a page: ``python -m tests.matrix.page`` writes ``docs/layers_matrix.md``."""

from __future__ import annotations

from pathlib import Path

import tests.matrix.surroundings
import tests.matrix.uses  # noqa: F401, register the quick ones
from tests.matrix.comparing import QUICK, SLOW
from tests.matrix.layers import LAYERS
from tests.matrix.models import MODEL_USES, MODELS
from tests.matrix.recorded_uses import ONLY
from tests.matrix.refused import REFUSED
from tests.matrix.workers import USES

PAGE = Path(__file__).parents[2] / "docs" / "layers_matrix.md"
_INTRODUCTION = """# Layers in ordinary uses of PyTorch

Every cell is a test (`tests/matrix`). **right**: outputs and gradients equal those of the layer
called plainly, of another way of evaluation, or of a copy in double precision, within the precision
of the use; or the error is that of `nn.Conv2d`, where that has one (an input of another dtype).
**refused**: an error, whose reason stands below. A dash: not tried, for its time. Uses marked * run
in `make matrix`, the others with all tests. ONNX graphs are evaluated by the reference of the
`onnx` package; replicas of `DataParallel` are made on the CPU. *Mixed* is one of the ways a layer
may be computed, *hybrid* one of those in which derivatives become taps
([Gaussian layers](gaussian_layers.md)).

"""


def text() -> str:
    """Return the page."""
    uses = [*QUICK, *(f"{use} *" for use in (*SLOW, *USES))]
    lines = [_INTRODUCTION, "| use | " + " | ".join(LAYERS) + " |\n"]
    lines.append("|---|" + "---|" * len(LAYERS) + "\n")
    for use in uses:
        cells = [_cell(layer, use.removesuffix(" *")) for layer in LAYERS]
        lines.append(f"| {use} | " + " | ".join(cells) + " |\n")
    cells = [(layer, use.removesuffix(" *")) for layer in LAYERS for use in uses]
    total = sum(tried(*cell) for cell in cells)
    refused = sum(layer in LAYERS for layer, _ in REFUSED)
    lines.append(f"\n{total - refused} cells are right, {refused} refused.\n\n## Refused\n\n")
    for reason in dict.fromkeys(refusal.reason for refusal in REFUSED.values()):
        cells = [f"{layer} ({use})" for (layer, use), r in REFUSED.items() if r.reason == reason]
        lines.append(f"- {reason}: {'; '.join(cells)}.\n")
    lines.append(
        "\n## Models\n\nOne of each family, in `make matrix`; all cells but those above are right: "
    )
    lines.append(f"{', '.join(MODELS)}; each in {', '.join(MODEL_USES)}. Every model of the ")
    lines.append(
        "library besides: forward and backward on meta, with other channels and classes.\n"
    )
    lines.append("\n## Not covered\n\nA GPU.\n")
    return "".join(lines)


def tried(layer: str, use: str) -> bool:
    """Say whether a use is tried on a layer."""
    return layer in ONLY.get(use, (layer,))


def _cell(layer: str, use: str) -> str:
    if not tried(layer, use):
        return "–"
    return "refused" if (layer, use) in REFUSED else "right"


if __name__ == "__main__":
    PAGE.write_text(text())
