"""Seconds of the boundary benchmark: one image at 99 thresholds on one core."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from structnets.data.originals.boundary_truth import read_bsds_truth
from structnets.metrics.boundary import Settings, count_matches
from structnets.metrics.boundary.inputs import read_prediction


@pytest.mark.benchmark
@pytest.mark.parametrize("kind", ["contours", "raw", "noise"])
def test_one_image_at_99_thresholds(data_root: Path, kind: str) -> None:
    """Take published contours, the same blurred as a raw map is, and noise, the worst case."""
    original = data_root / "bsds500" / "BSDS500"
    seconds, annotators = [], []
    for path in sorted((original / "ucm2" / "test").glob("*.mat")):
        truths = read_bsds_truth(original / "data" / "groundTruth" / "test" / path.name)
        strength = read_prediction(path)
        if kind == "raw":
            strength = gaussian_filter(strength, 2)
        elif kind == "noise":
            strength = np.random.default_rng(0).random(strength.shape)
        count_matches(strength, truths, Settings(thresholds=1))
        begun = time.process_time()
        count_matches(strength, truths)
        seconds.append(time.process_time() - begun)
        annotators.append(len(truths))
    print(
        f"\n{kind}: median {np.median(seconds):.2f} s, most {max(seconds):.2f} s an image "
        f"({len(seconds)} images, {min(annotators)} to {max(annotators)} annotators)"
    )
