"""Figure 20: images between two, decoded from between their features."""

from __future__ import annotations

import numpy as np
import torch

from structnets.analysis.interpolation import interpolate
from structnets.analysis.trained import Trained, invertible
from structnets.data.sets.image_pairs import Pair, face_pairs, texture_pairs
from structnets.figures.context import Context, Measured
from structnets.figures.interpolations.draw import draw_interpolations
from structnets.figures.interpolations.options import Interpolations


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
