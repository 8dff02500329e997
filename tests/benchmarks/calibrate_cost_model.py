"""Fit the weights of `structnets.nn._cost_model` to measurements on this machine.

Run ``python -m tests.benchmarks.calibrate_cost_model`` and copy the printed table.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import torch
from scipy.optimize import nnls

from structnets.nn._cost_model import TERMS, WEIGHTS, cheapest
from structnets.nn._evaluation import WAYS
from tests.benchmarks.shapes import MNIST, NIN, Shape
from tests.benchmarks.timing import inference, repeated, training_step, warm_up

GRID = [
    Shape("grid", batch, inputs, outputs, side, order, sigmas, size, 1, padding)
    for (batch, inputs, outputs), (side, padding), (order, sigmas, size) in itertools.product(
        [(16, 1, 64), (16, 3, 64), (8, 32, 64), (8, 128, 128), (2, 256, 512)],
        [(7, "full"), (14, "same"), (14, "full"), (28, "same")],
        [(2, (1.0,), 3), (2, (1.0,), 7), (3, (1.0, 2.0), 13)],
    )
]


# A way that would write more numbers than this is not tried.
MOST_NUMBERS = 2e8


def measure(shape: Shape, gradients: str, repetitions: int) -> tuple[object, dict[str, float]]:
    """Time every way on a shape; `gradients` is ``none``, ``weights`` or ``all``."""
    layer = shape.layer()
    x = shape.maps()
    x.requires_grad_(gradients == "all")
    actions = {}
    work = layer.work(x, gradients != "none")
    for way, function in WAYS.items():
        if TERMS[way](work)[4] > MOST_NUMBERS:
            continue
        forward = functools.partial(function, alpha=layer.alpha, atoms=layer.atoms)
        if gradients == "none":
            actions[way] = inference(forward, x)
        else:
            actions[way] = training_step(forward, x, layer.alpha)
    return work, repeated(actions, repetitions, min)


def main() -> None:
    """Measure, fit, and print weights and the regret they leave."""
    torch.manual_seed(0)
    found = []
    torch.set_num_threads(1)
    warm_up()
    for shape in (*MNIST, *NIN, *GRID):
        for gradients in ("none", "all") if shape.inputs > 3 else ("none", "weights"):
            found.append(measure(shape, gradients, 5))
            print(shape, gradients, {k: f"{1e3 * v:.2f}" for k, v in found[-1][1].items()})
    ours = [work for work, _ in found[: 2 * len((*MNIST, *NIN))]]
    for way in WAYS:
        tried = [(work, taken) for work, taken in found if way in taken]
        terms = np.array([TERMS[way](work) for work, _ in tried])
        seconds = np.array([taken[way] for _, taken in tried])
        # Relative errors count, most where this way is near the best.
        best = np.array([min(taken.values()) for _, taken in tried])
        weight = 1 / seconds * np.clip(2 * best / seconds, 0.05, 1) ** 2
        weight *= [4 if work in ours else 1 for work, _ in tried]
        WEIGHTS[way] = tuple(nnls(terms * weight[:, None], seconds * weight)[0])
        print(f'    "{way}": ({", ".join(f"{w:.3g}" for w in WEIGHTS[way])}),')
    regret = [taken[cheapest(work, "cpu")] / min(taken.values()) for work, taken in found]
    print("regret quantiles .5 .9 1:", np.quantile(regret, [0.5, 0.9, 1]))
    names = [f"{s.name} {g}" for s in (*MNIST, *NIN) for g in ("none", "fit")]
    for name, (work, taken), r in zip(names, found, regret, strict=False):
        print(
            f"{name:14s} {cheapest(work, 'cpu'):10s} best {min(taken, key=taken.get):10s} {r:.2f}"
        )


if __name__ == "__main__":
    main()
