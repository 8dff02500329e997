"""A trained net for programs without this library: plain convolutions, its input in [0, 1]."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.files import atomic_path
from structnets.nn import collapse_model
from structnets.prediction.loading import Loaded
from structnets.training.input_facts import in_units, probabilities_of

FORMATS = ("torch", "onnx")
_TOLERANCE = 1e-4
_CHECKED = 3


class _FromPixels(nn.Module):
    """A net that takes values in [0, 1] and returns probabilities, or scores in their units."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, facts: dict[str, Any]) -> None:
        super().__init__()
        self.model, self.score, self.facts = model, facts.get("score"), facts
        statistics: dict[str, list[float]] | None = facts["statistics"]
        channels = len(statistics["mean"]) if statistics else 1
        values = statistics or {"mean": [0.0] * channels, "std": [1.0] * channels}
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(values[name]).view(1, channels, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        answers = self.model((pixels - self.mean) / self.std)
        if self.score is not None:
            return in_units(answers, self.score)
        return probabilities_of(answers, self.facts)


def export(loaded: Loaded, form: str, out: Path) -> dict[str, Any]:
    """Write a trained net with its structured layers turned into plain ones.

    Its input is (B, C, H, W), float32 in [0, 1], of any number of pictures, cut and resized as the
    training's were; its output their probabilities, or of a score (B, 1) in its units. Class names
    and the way of a picture stand in the file: ``structnets.json`` of a torch export,
    ``structnets`` of an ONNX file's metadata.

    Parameters
    ----------
    loaded : Loaded
        The net.
    form : {"torch", "onnx"}
        An exported program of torch (``torch.export.load``), or ONNX.
    out : Path
        The file.

    Returns
    -------
    dict
        ``file``, ``format``, and ``largest_difference`` from the net that was trained, over random
        pictures: of the written file's probabilities (of scores, in deviations of the training's),
        or, relative, of the plain net's logits.

    Raises
    ------
    ValueError
        If the format is unknown, the net takes brain scans, or they differ by more than 1e-4; no
        file is left then.
    """
    if form not in FORMATS:
        raise ValueError(f"unknown format {form!r}; allowed: {', '.join(FORMATS)}")
    facts = loaded.facts
    if len(facts["image_shape"]) != 3:
        raise ValueError(
            f"{loaded.run_id} takes brain scans, which other programs would have to register as "
            "its training did: it is not exported; use structnets predict, or structnets.load"
        )
    channels, *sides = facts["image_shape"]
    if facts["crop"] is not None:
        sides = [facts["crop"]["size"]] * 2
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(_CHECKED, channels, *sides, generator=generator)
    nets = copy.deepcopy(loaded.model).cpu(), collapse_model(copy.deepcopy(loaded.model).cpu())
    original, plain = (_FromPixels(net, facts).eval() for net in nets)
    note = json.dumps({"run_id": loaded.run_id, **facts}, sort_keys=True)
    with torch.no_grad():
        wanted = original(pixels)
        logits, same = (net.model(pixels) for net in (original, plain))
    # Probabilities near 0 and 1 would hide a difference, so that logits are compared too.
    inside = float(((same - logits).abs() / (1 + logits.abs())).max())
    with atomic_path(out) as temporary:
        write = _write_torch if form == "torch" else _write_onnx
        found = write(plain, pixels, temporary, note)
        unit = 1.0 if original.score is None else original.score["deviation"]
        outside = float((found - wanted).abs().max()) / unit
        difference = float(np.max([inside, outside]))  # NaN if one is
        if not difference <= _TOLERANCE:
            raise ValueError(
                f"the exported net differs by {difference:.2g} from the trained one, more than "
                f"{_TOLERANCE:g}: not written"
            )
    return {"file": str(out), "format": form, "largest_difference": difference}


def _write_torch(net: nn.Module, pixels: Tensor, path: Path, note: str) -> Tensor:
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(net, (pixels,), dynamic_shapes=({0: batch},))
    # torch looks at the ending of a name.
    with path.open("wb") as file:
        torch.export.save(program, file, extra_files={"structnets.json": note})
    with path.open("rb") as file, torch.no_grad():
        return torch.export.load(file).module()(pixels)


def _write_onnx(net: _FromPixels, pixels: Tensor, path: Path, note: str) -> Tensor:
    try:
        import onnx
        import onnxscript  # noqa: F401  # of torch's exporter
        from onnx.reference import ReferenceEvaluator
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error}: ONNX needs two packages that structnets does not: pip install onnx "
            "onnxscript"
        ) from error

    for name in ("onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.WARNING)
    batch = torch.export.Dim("batch", min=1)
    name = "probabilities" if net.score is None else "estimates"
    program = torch.onnx.export(
        net,
        (pixels,),
        dynamo=True,
        dynamic_shapes=({0: batch},),
        input_names=["pixels"],
        output_names=[name],
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, {"structnets": note})
    path.write_bytes(model.SerializeToString())
    (found,) = ReferenceEvaluator(str(path)).run(None, {"pixels": pixels.numpy()})
    return torch.from_numpy(found)
