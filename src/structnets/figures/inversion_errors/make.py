"""The inversion error of section 6.4.2."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from structnets.analysis.inversion import inversion_error, uniform_noise
from structnets.analysis.trained import Trained, invertible
from structnets.figures.context import Context, Measured
from structnets.figures.inversion_errors.draw import Error, draw_inversion_errors
from structnets.figures.inversion_errors.options import InversionErrors

_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


def inversion_errors(context: Context, options: InversionErrors) -> list[Measured]:
    """Draw the relative errors of inverted noise and test images, by precision."""
    errors, measured = [], []
    for run in context.runs:
        invertible(run)
        for precision in options.precisions:
            for kind in ("noise", "images"):
                found = context.once(
                    f"{run.key}-{kind}-{precision}",
                    lambda run=run, kind=kind, precision=precision: vars(
                        _error(run, kind, precision, options)
                    ),
                )
                label = run.label if len(context.runs) > 1 else ""
                errors.append(Error(label, kind, precision, found["mean"], found["maximum"]))
                place = f"{run.key}.{kind}.{precision}"
                for name, key in (("mean", "mean"), ("max", "maximum")):
                    measured.append(Measured(f"{place}.{name}", found[key], found["images"]))
    draw_inversion_errors(errors, context.stem, title=context.title, note=context.note)
    return measured


def _error(run: Trained, kind: str, precision: str, options: InversionErrors) -> Any:
    dtype = _DTYPES[precision]
    model: Any = copy.deepcopy(run.model).to(dtype)
    limit = options.float64_images if precision == "float64" else None

    def batches() -> Iterator[Tensor]:
        if kind == "noise":
            shape, size = run.image_shape, options.batch_size
            count = min(options.noise, limit or options.noise)
            for noise in uniform_noise(count, shape, size, dtype=torch.float64):
                yield run.enter(noise).to(run.device, dtype)
        else:
            chosen = run.choose("test", options.images)[:limit]
            for images, _ in run.batches("test", chosen, options.batch_size):
                yield images.to(dtype)

    return inversion_error(model, batches())
