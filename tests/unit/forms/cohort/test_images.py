"""A training on a cohort holds out the fold of its seed."""

import numpy as np
import torch

from structnets.forms.cohort.source import open_examples
from structnets.forms.cohort.stored import write_cohort


def test_the_fold_of_the_seed_is_the_test_set(tmp_path):
    labels = np.arange(12, dtype=np.int64) % 2
    values = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1, 1)
    volumes = np.broadcast_to(values, (12, 1, 3, 4, 5))
    folds = np.stack([np.arange(12) % 3])
    subjects = [{"subject": f"s{row}", "session": ""} for row in range(12)]
    manifest = write_cohort(
        tmp_path / "toy", "toy", {}, volumes, labels, subjects, folds, ("a", "b"), {}
    )
    recipe = {"standardize": True, "evaluation": {"validation_fraction": 0.25}}
    spec = {"seed": 1, "data": {"train_size": None}, "recipe": recipe}
    splits = open_examples(spec, tmp_path / "toy", manifest)
    assert splits["test"].indices.tolist() == [1, 4, 7, 10]
    rest = sorted([*splits["train"].indices, *splits["validation"].indices])
    assert rest == [0, 2, 3, 5, 6, 8, 9, 11]
    images, chosen = splits["test"].batch(np.arange(4), torch.device("cpu"))
    assert images.shape == (4, 1, 3, 4, 5)
    assert chosen.tolist() == [1, 0, 1, 0]
    # Standardised by the whole cohort: mean 5.5, deviation the root of 143 / 12.
    np.testing.assert_allclose(
        images[:, 0, 0, 0, 0], (np.array([1, 4, 7, 10]) - 5.5) / 3.4520525, rtol=1e-5
    )
