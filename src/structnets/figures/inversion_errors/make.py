"""The inversion error of section 6.4.2, and Figure 20: images between two, decoded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structnets.analysis.interpolation import interpolate
from structnets.analysis.inversion import inversion_error, uniform_noise
from structnets.data.sets.image_pairs import Pair, face_pairs, texture_pairs
from structnets.figures.context import Context, Measured, Trained
from structnets.figures.interpolations.draw import draw_interpolations
from structnets.figures.inversion_errors.draw import Error, draw_inversion_errors
from structnets.figures.options import Interpolations, InversionErrors
from structnets.models.irevnet import IRevNet

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


def interpolations(context: Context, options: Interpolations) -> list[Measured]:
    """Draw images decoded from straight lines between the features of two (Figure 20)."""
    run = context.runs[0]
    model = invertible(run)
    sequences, measured = [], []
    for source in options.sources:
        outside, back = [], []
        for label, first, second in _pairs(context, run, source, options):
            ends = torch.stack([first, second]).to(run.device)
            images, t = interpolate(
                model,
                *run.enter(ends),
                steps=options.steps,
                even_in_image=options.even_in_image,
                keep_norm=options.keep_norm,
            )
            shown = run.leave(images)
            sequences.append((label, shown.double().cpu().numpy(), t.tolist()))
            outside.append(float(((shown < 0) | (shown > 1)).double().mean()))
            back.append(float((shown[[0, -1]] - ends).norm() / ends.norm()))
        measured += [
            Measured(f"{source}.share_outside", float(np.mean(outside)), len(outside)),
            Measured(f"{source}.error_of_ends", float(np.mean(back)), len(back)),
        ]
    draw_interpolations(sequences, context.stem, title=context.title, note=context.note)
    return measured


def _pairs(context: Context, run: Trained, source: str, options: Interpolations) -> list[Pair]:
    """Return pairs of images of one kind, (C, H, W) in [0, 1] as the network's data are."""
    root = None if options.built_in else context.data_root
    if source == "photographs":
        return _photographs(run, options.pairs)
    find = face_pairs if source == "faces" else texture_pairs
    channels, height, _ = run.image_shape
    return find(root, options.pairs, channels, height)


def _photographs(run: Trained, count: int) -> list[Pair]:
    """Return pairs of test images of one class each."""
    chosen = run.choose("test", len(run.splits["test"]))
    labels = run.labels("test", chosen)
    several = np.flatnonzero(np.bincount(labels) > 1)
    if len(several) < count:
        raise ValueError(
            f"{count} pairs of photographs need as many classes with two test images; "
            f"{run.data} has {len(several)}"
        )
    pairs = []
    for label in several[:count]:
        pixels = [run.picture("test", int(place)) for place in chosen[labels == label][:2]]
        first, second = (
            torch.from_numpy(np.atleast_3d(p)).float().permute(2, 0, 1) for p in pixels
        )
        pairs.append(Pair(run.manifest["classes"][label], first, second))
    return pairs


def invertible(run: Trained) -> IRevNet:
    """Return the network of a run that has an inverse.

    Raises
    ------
    ValueError
        If it has none.
    """
    if not isinstance(run.model, IRevNet):
        raise ValueError(f"{run.run_id} has no inverse: give an i-RevNet")
    return run.model
