"""Fit the tables by which ways are estimated to measurements on this machine.

``python -m tests.benchmarks.calibrate_cost_model measure MODE FILE [SECONDS]`` times random shapes
in all ways, by CPU seconds of one thread, and appends them to a file (killed, it has lost nothing);
``… fit MODE FILE…`` prints the table, and how near the best the choice is on shapes left out of the
fit. The mode is ``inference`` (`structnets.nn._inference_cost`) or ``training``
(`structnets.nn._training_cost`).
"""

from __future__ import annotations

import dataclasses
import json
import random
import statistics
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls
from torch import nn

from structnets.nn._cost_model import Work
from structnets.nn._discretised_cost import (
    NEARLY,
    estimate_discretised,
    factor_name,
    possible_ways,
)
from structnets.nn._discretised_terms import WAY_TERMS, DiscretisedWork
from structnets.nn._fitted_cost import Fitted, features, fitted_seconds
from structnets.nn._inference_cost import FORWARD, INFERENCE
from structnets.nn._training_cost import STEP, TRAINING
from structnets.nn.measured_ways import ways_to_time
from tests.benchmarks.shapes import Shape, draw, draw_of_a_net
from tests.benchmarks.test_random_shapes import in_way, step
from tests.benchmarks.timing import seconds_of, warm_up

PLAIN = "nn.Conv2d"
LONGEST_FIRST = 0.5  # seconds of a first call, which makes and loads what the next ones use
LEAST_PRODUCTS = 5e5  # smaller layers take no longer than their starting
KINDS = {
    "inference": ("sampled", "sampled", "hybrid"),
    "training": ("sampled", "hybrid", "learned"),
}
FOLDS = 8
# Ways estimated to take so many times the least are not timed; what part of layers are those of
# nets.
HOPELESS, OF_NETS = 5.0, 0.5
# How firmly rates keep to those of the table in the code, and other weights to zero.
FIRM_RATES, FIRM_WEIGHTS = 0.1, 3
LEAST_RATES = np.array([1e-11, 1e-11, 1e-11, 1e-11, 2e-10, 2e-10, 2e-5, 2e-5])


@dataclass(frozen=True)
class Model:
    """A table of the library, the terms that it weighs, and the way that spares memory."""

    places: tuple[int, ...]
    table: Fitted
    sparing: str


MODELS = {
    "inference": Model(FORWARD, INFERENCE, "composed"),
    "training": Model(STEP, TRAINING, "pieces"),
}

Sample = tuple[DiscretisedWork, dict[str, float]]


def measure(file: Path, limit: float, mode: str) -> None:
    """Time shapes for so many seconds."""
    torch.set_num_threads(1)
    warm_up()
    end, rng, training = time.time() + limit, random.Random(), mode == "training"
    with file.open("a") as out:
        while time.time() < end:
            kind = rng.choice(KINDS[mode])
            of_a_net = rng.random() < OF_NETS
            shape = draw_of_a_net(rng, kind) if of_a_net else draw(rng, kind, training)
            if shape.multiply_adds() < LEAST_PRODUCTS:
                continue
            line = {
                "shape": dataclasses.asdict(shape),
                "mode": mode,
                "seconds": seconds_of_ways(shape, training),
            }
            out.write(json.dumps(line) + "\n")
            out.flush()


def seconds_of_ways(shape: Shape, training: bool) -> dict[str, float]:
    """Return medians, of fewer repetitions the longer they take and the farther from the best."""
    layer, x = shape.layer().train(training), shape.maps()
    x.requires_grad_(shape.wants_gradient(training))
    work = layer.work(x, training)
    sizes = layer.discretised_work(x, work)
    estimates = {w: estimate_discretised(sizes, w) for w in ways_to_time(sizes)}
    ways = [w for w, s in estimates.items() if s <= HOPELESS * min(estimates.values())]
    actions = {w: step(in_way(layer, w), x, training) for w in ways}
    plain = nn.Conv2d(shape.inputs, shape.outputs, shape.size, padding=layer.padding, bias=False)
    if "composed" in ways:  # where that is hopeless, so is the plain convolution
        actions[PLAIN] = step(plain, x, training)

    def timed(names: Sequence[str]) -> dict[str, float]:
        return {w: seconds_of(actions[w], time.process_time) for w in names}

    begun = timed(list(actions))  # what a first call makes and keeps is not counted
    limit = max(LONGEST_FIRST, 10 * min(begun.values()))
    first = begun | timed([w for w, s in begun.items() if s <= limit])
    second = timed([w for w, s in first.items() if s < 6 * min(first.values())])
    near = [w for w, s in second.items() if s < 3 * min(second.values()) or w == PLAIN]
    count = max(2, min(9, int(0.4 / sum(second[w] for w in near))))
    rounds = [second, *(timed(near) for _ in range(count))]
    return first | second | {w: statistics.median(r[w] for r in rounds) for w in near}


def samples(files: Sequence[Path], mode: str) -> Iterator[Sample]:
    """Yield what was measured; layers are built with one channel, which their basis knows not."""
    training = mode == "training"
    for line in (line for file in files for line in file.read_text().splitlines()):
        found = json.loads(line)
        if found.get("mode", "inference") != mode:
            continue
        shape = Shape(**{**found["shape"], "sigmas": tuple(found["shape"]["sigmas"])})
        layer = dataclasses.replace(shape, inputs=1, outputs=1).layer()
        size = (shape.batch, shape.inputs, shape.side, shape.side)
        x = torch.empty(1, device="meta").expand(size)
        alpha = torch.empty(shape.outputs, shape.inputs, layer.alpha.shape[2], device="meta")
        work = dataclasses.replace(
            Work.of(x, alpha, layer.atoms, training), input_gradient=shape.wants_gradient(training)
        )
        with torch.set_grad_enabled(training):
            sizes = layer.discretised_work(torch.empty(1, 1, shape.side, shape.side), work)
        last = shape.channels_last and shape.inputs > 1
        yield dataclasses.replace(sizes, channels_last=last), found["seconds"]


def fit(found: Sequence[Sample], model: Model) -> dict[str, tuple]:
    """Return rates and weights of every kind of way; what is near the best counts most."""
    kinds: dict[str, list[tuple[DiscretisedWork, str, float, float]]] = {}
    for work, seconds in found:
        best = min(s for way, s in seconds.items() if way != PLAIN)
        for way in possible_ways(work):
            if way in seconds:
                kind = factor_name(work, way).rpartition(" ")[0]
                kinds.setdefault(kind, []).append((work, way, seconds[way], best))
    fitted = {kind: _fit_kind(kind, rows, model) for kind, rows in kinds.items()}
    return {**model.table, **fitted}  # some kinds are rare


def _fit_kind(kind: str, rows: list, model: Model) -> tuple:
    terms = np.array([[WAY_TERMS[way](work)[n] for n in model.places] for work, way, *_ in rows])
    seconds, best = (np.array([row[n] for row in rows]) for n in (2, 3))
    weight = np.clip(2 * best / seconds, 0.05, 1) / seconds
    usual = np.maximum(np.array(model.table[kind][0]), LEAST_RATES[list(model.places)])
    usual *= np.median(seconds / (terms @ usual))
    firm = FIRM_RATES * np.sqrt(len(rows)) / 3
    left = np.vstack([terms * weight[:, None], np.diag(firm / usual)])
    rates = nnls(left, np.concatenate([seconds * weight, np.full(len(usual), firm)]))[0]
    sizes = np.array([features(work) for work, *_ in rows])
    middle = sizes.mean(0)
    middle[0] = 0
    error = np.log(seconds / np.maximum(terms @ rates, 1e-6))
    counts = np.clip(2 * best / seconds, 0.1, 1)
    about = (sizes - middle) * counts[:, None]
    ridge = np.diag([1e-3, *[FIRM_WEIGHTS] * (sizes.shape[1] - 1)])
    weights = np.linalg.solve(about.T @ (sizes - middle) + ridge, about.T @ error)
    weights[0] -= middle @ weights
    return tuple(_short(rates)), tuple(_short(weights))


def _short(numbers: np.ndarray) -> list[float]:
    return [float(f"{n:.3g}") for n in numbers]


def regret(found: Sequence[Sample], model: Model, table: Fitted) -> tuple[list[float], list[float]]:
    """Return the chosen way's time beside the best one's and beside ``nn.Conv2d``'s."""
    beside_best, beside_plain = [], []
    for work, seconds in found:
        names = {way: factor_name(work, way).rpartition(" ")[0] for way in possible_ways(work)}
        estimates = {
            way: fitted_seconds(WAY_TERMS[way](work), work, model.places, *table[kind])
            for way, kind in names.items()
        }
        chosen = min(estimates, key=estimates.__getitem__)
        if estimates[model.sparing] <= NEARLY * estimates[chosen]:
            chosen = model.sparing
        best = min(seconds[way] for way in names if way in seconds)
        # What nobody would have tried is taken to be as slow as the slowest.
        taken = seconds.get(chosen, max(*seconds.values(), 3 * best))
        beside_best.append(taken / best)
        if PLAIN in seconds:
            beside_plain.append(taken / seconds[PLAIN])
    return beside_best, beside_plain


def show(title: str, ratios: tuple[list[float], list[float]]) -> None:
    best, plain = (np.round(np.quantile(r, [0.5, 0.9, 0.95, 1]), 2) for r in ratios)
    print(f"{title}, median, 90 %, 95 %, worst: beside the best {best}, nn.Conv2d {plain}")


def main() -> None:
    """Measure, or fit and print."""
    task, mode, *rest = sys.argv[1:]
    if task == "measure":
        measure(Path(rest[0]), float(rest[1]) if rest[1:] else 300.0, mode)
        return
    model = MODELS[mode]
    found = list(samples([Path(name) for name in rest], mode))
    fitted = fit(found, model)
    for kind, (rates, weights) in sorted(fitted.items()):
        rows = [textwrap.fill(str(row), 88, break_long_words=False) for row in (rates, weights)]
        print(f'    "{kind}": (')
        print(textwrap.indent(",\n".join(rows), 8 * " ") + ",\n    ),")
    show(f"{len(found)} shapes, by the table in the code", regret(found, model, model.table))
    show("by this fit, to all", regret(found, model, fitted))
    parts = [
        regret(
            found[n::FOLDS],
            model,
            fit([s for i, s in enumerate(found) if i % FOLDS != n], model),
        )
        for n in range(FOLDS)
    ]
    best, plain = ([x for part in parts for x in part[n]] for n in (0, 1))
    show("by fits without the shape", (best, plain))


if __name__ == "__main__":
    main()
