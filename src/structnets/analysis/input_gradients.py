"""Where a net's answer is sensitive: gradients with respect to the voxels of what it sees."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from structnets.analysis.weights_fixed import weights_fixed
from structnets.data.batches.examples import Examples
from structnets.processors import available_processors, single_threaded_pool

_BATCH = 4


def gradient_maps(asked: Iterable[tuple[nn.Module, Examples]]) -> list[np.ndarray]:
    """Return the `gradient_map` of each of several nets, in their order.

    Each is computed on a thread of its own, on one processor: nets share nothing, and of one net
    much is done one step after the other. All together hold no more examples than one would.

    Parameters
    ----------
    asked : iterable of (nn.Module, Examples)
        Nets on the processor, no two the same, and what each is asked about.
    """
    threads = min(_BATCH, available_processors())
    batch = _BATCH // threads
    with single_threaded_pool(threads, "maps") as pool:
        return list(pool.map(lambda one: gradient_map(*one, batch=batch), asked))


def gradient_map(
    model: nn.Module,
    examples: Examples,
    device: torch.device | str = "cpu",
    batch: int = _BATCH,
) -> np.ndarray:
    """Return how strongly each voxel moves the log-odds of the answer, the mean over examples.

    The log-odds are of the answered class against all others, so that an answer that is certain
    has a gradient too. Of a net with one output, which estimates a score, it is that output.

    Parameters
    ----------
    model : nn.Module
        From inputs to logits (B, classes), or to standardised estimates (B, 1); it is put into
        evaluation mode.
    examples : Examples
        What it is asked about.
    device : torch.device or str
        Of the model.
    batch : int
        Examples that are looked at together.

    Returns
    -------
    numpy.ndarray
        float64, of the shape of an input without its channel: mean magnitude of the gradient, in
        log-odds, or deviations of the score, by unit of the input. Not smoothed.

    Raises
    ------
    ValueError
        If there is no example.

    Examples
    --------
    Of a linear model it is the magnitude of the difference of two classes' weights.
    """
    model.eval()
    device, total = torch.device(device), None
    with weights_fixed(model):
        for start in range(0, len(examples), batch):
            positions = np.arange(start, min(start + batch, len(examples)))
            x, _ = examples.batch(positions, device)
            x = x.detach().requires_grad_(True)
            (found,) = torch.autograd.grad(_answers(model(x)).sum(), x)
            part = found.abs().sum((0, 1)).double().cpu().numpy()
            total = part if total is None else total + part
    if total is None:
        raise ValueError("no example to look at")
    return total / len(examples)


class Agreement(NamedTuple):
    """How well maps agree: their mean correlation, pair by pair, None of fewer than two.

    Maps that are the same everywhere, as of nets that always give one answer, have none: `flat` of
    `maps` are left out.
    """

    correlation: float | None
    flat: int
    maps: int


def agreement(maps: list[np.ndarray]) -> Agreement:
    """Return how well maps agree.

    Those of nets that were trained on different people tell how much of a map is chance.

    Raises
    ------
    ValueError
        If a map is not finite: it would be taken for one that is the same everywhere.
    """
    if wrong := sum(not np.isfinite(one).all() for one in maps):
        raise ValueError(
            f"{wrong} of {len(maps)} maps hold NaN or infinity: look at the weights of their nets"
        )
    varied = [one.ravel() for one in maps if np.ptp(one) > 0]
    found = [np.corrcoef(one, other)[0, 1] for one, other in combinations(varied, 2)]
    mean = float(np.mean(found)) if found else None
    return Agreement(mean, len(maps) - len(varied), len(maps))


def _answers(logits: Tensor) -> Tensor:
    if logits.shape[1] == 1:
        return logits[:, 0]
    answered = logits.argmax(1, keepdim=True)
    others = logits.scatter(1, answered, -torch.inf)
    return logits.gather(1, answered)[:, 0] - others.logsumexp(1)
