"""The built-in cohort of the smoke preset: deformed templates, no brains of anyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.cohorts.assembly import write_folded
from structnets.cohorts.request import CohortRequest
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.imaging.intensity import normalize
from structnets.imaging.simulated import simulate_brain

NAME = "simulated_cohort"


def write_simulated(request: CohortRequest, out: Path) -> dict[str, Any]:
    """Simulate as many controls as patients and write them as a prepared cohort.

    Returns
    -------
    dict
        The manifest.
    """
    import nilearn

    count = find_dataset(NAME).train_count
    labels = [request.classes[number % 2] for number in range(count)]
    volumes = np.stack(
        [
            normalize(simulate_brain(number, patient=label == request.classes[1]))
            for number, label in enumerate(labels)
        ]
    )
    rows = [
        {"subject": f"simulated{number:02d}", "session": "", "label": label}
        for number, label in enumerate(labels)
    ]
    source = {
        "package": "nilearn",
        "version": nilearn.__version__,
        "function": "load_mni152_template",
        "note": "the template, deformed at random; patients have a widened centre",
    }
    return write_folded(request, volumes[:, np.newaxis], rows, out, source)
