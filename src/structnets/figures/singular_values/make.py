"""Figure 19: the singular values of a network's differential."""

from __future__ import annotations

from typing import Any

import numpy as np

from structnets.analysis.jacobian import exact_spectrum, leading_spectrum
from structnets.analysis.trained import Trained, invertible
from structnets.figures.context import Context, Measured
from structnets.figures.singular_values.draw import draw_spectra
from structnets.figures.singular_values.options import SingularValues
from structnets.models.irevnet import IRevNet

_SHARES = (0.8, 0.97)  # whose numbers of values the thesis states


def singular_values(context: Context, options: SingularValues) -> list[Measured]:
    """Draw the normalised singular values of dPhi at test images, and their cumulated energy."""
    spectra, measured = {}, []
    for run in context.runs:
        model = invertible(run)
        found = []
        for number, position in enumerate(run.choose("test", options.images), start=1):
            part = context.once(
                f"{run.key}-{number}",
                lambda run=run, model=model, at=position: _spectrum(run, model, at, options),
            )
            name = run.label if options.images == 1 else f"{run.label}, image {number}"
            spectra[name] = (part["values"], part["energy"])
            found.append(part)
        measured += _measured(run, found, options)
    draw_spectra(spectra, context.stem, title=context.title, note=context.note)
    return measured


def _spectrum(
    run: Trained, model: IRevNet, position: int, options: SingularValues
) -> dict[str, Any]:
    """Compute one spectrum; plain JSON."""
    x = next(run.batches("test", np.array([position]), 1))[0]
    encode = model.encode
    if options.leading is None:
        found = exact_spectrum(encode, x, options.batch_size)
    else:
        found = leading_spectrum(encode, x, options.leading, batch_size=options.batch_size)
    return {
        "values": found.values.tolist(),
        "energy": found.energy,
        "counts": {str(share): found.count_for(share) for share in _SHARES},
    }


def _measured(run: Trained, found: list[dict[str, Any]], options: SingularValues) -> list[Measured]:
    """Average what the spectra of a network's images show."""
    count = len(found)

    def mean(values: list[float]) -> float:
        return sum(values) / count

    measured = [
        Measured(
            f"{run.key}.energy_{first}",
            100 * mean([sum(v**2 for v in p["values"][:first]) / p["energy"] for p in found]),
            count,
        )
        for first in options.shares
        if first <= len(found[0]["values"])
    ]
    for share in _SHARES:
        counts = [part["counts"][str(share)] for part in found]
        if None not in counts:
            measured.append(
                Measured(f"{run.key}.values_for_{100 * share:.0f}", mean(counts), count)
            )
    if options.leading is None:
        ratio = mean([part["values"][0] / part["values"][-1] for part in found])
        measured.append(Measured(f"{run.key}.condition", ratio, count))
    return measured
