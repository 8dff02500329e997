"""The matrix as a page: ``python -m tests.matrix.page`` writes ``docs/layers_matrix.md``."""

from __future__ import annotations

from pathlib import Path

from tests.matrix.layers import LAYERS
from tests.matrix.models import MODEL_USES, MODELS
from tests.matrix.refused import OPEN, REFUSED
from tests.matrix.uses import QUICK, SLOW
from tests.matrix.workers import USES

PAGE = Path(__file__).parents[2] / "docs" / "layers_matrix.md"
_INTRODUCTION = """# Layers in ordinary uses of PyTorch

Every cell is a test (`tests/matrix`). **right**: outputs and gradients equal those of the layer
called plainly, of another way of evaluation, or of a copy in double precision, within the precision
of the use. **refused**: an error, whose reason stands below. **open**: the test is written and has
not been seen to pass yet. Uses marked * run in `make matrix`, the others with all tests.

"""


def text() -> str:
    """Return the page."""
    uses = [*QUICK, *(f"{use} *" for use in (*SLOW, *USES))]
    lines = [_INTRODUCTION, "| use | " + " | ".join(LAYERS) + " |\n"]
    lines.append("|---|" + "---|" * len(LAYERS) + "\n")
    for use in uses:
        cells = [_cell(layer, use.removesuffix(" *")) for layer in LAYERS]
        lines.append(f"| {use} | " + " | ".join(cells) + " |\n")
    total = len(LAYERS) * len(uses)
    refused = sum(layer in LAYERS for layer, _ in REFUSED)
    right = total - refused - len(OPEN)
    counts = f"{right} cells are right, {refused} refused, {len(OPEN)} open"
    lines.append(f"\n{counts}.\n\n## Refused\n\n")
    for reason in dict.fromkeys(refusal.reason for refusal in REFUSED.values()):
        cells = [f"{layer} ({use})" for (layer, use), r in REFUSED.items() if r.reason == reason]
        lines.append(f"- {reason}: {'; '.join(cells)}.\n")
    lines.append("\n## Models\n\nOne of each family, in `make matrix` (open): ")
    lines.append(f"{', '.join(MODELS)}; each in {', '.join(MODEL_USES)}.\n")
    lines.append(
        "\n## Not covered\n\nONNX (`onnx` is no dependency; exports go through `torch.export`, "
        "which is covered), a GPU, `DataParallel`.\n"
    )
    return "".join(lines)


def _cell(layer: str, use: str) -> str:
    if (layer, use) in OPEN:
        return "open"
    return "refused" if (layer, use) in REFUSED else "right"


if __name__ == "__main__":
    PAGE.write_text(text())
