"""A linear estimate: equal to the textbook's, its penalty chosen on the training part."""

import numpy as np
import pytest
import torch

from structnets.training.ridge import fit, restored


def made(count=40, features=200, noise=0.1):
    rng = np.random.default_rng(0)
    samples = rng.normal(3, 1, (count, features))
    answers = samples[:, 0] - samples[:, 1] + rng.normal(0, noise, count)
    return torch.from_numpy(samples).float(), torch.from_numpy(answers).float()


@pytest.mark.parametrize("features", [200, 40, 12])
def test_it_solves_the_penalised_least_squares(features):
    samples, answers = made(features=features)
    linear, chosen = fit({"kind": "ridge", "folds": 5, "grid": [0.1]}, samples, answers, 0)
    assert chosen["parameter"] == 0.1
    x, y = samples.double(), answers.double()
    centred, around = x - x.mean(0), y - y.mean()
    penalty = 0.1 * centred.square().sum() / len(x)
    normal = centred.T @ centred + penalty * torch.eye(x.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve(normal, centred.T @ around)
    torch.testing.assert_close(linear.weight[0].double(), weight, rtol=1e-4, atol=1e-6)
    said = linear(samples)[:, 0].double()
    torch.testing.assert_close(said, centred @ weight + y.mean(), rtol=1e-4, atol=1e-4)


def test_the_better_penalty_is_chosen_and_the_stronger_of_equal_ones():
    samples, answers = made(noise=0.01)
    few = samples[:, :3]
    _, chosen = fit({"kind": "ridge", "folds": 5, "grid": [1e-4, 1.0]}, few, answers, 0)
    assert chosen["parameter"] == 1e-4
    _, chosen = fit({"kind": "ridge", "folds": 5, "grid": [1.0, 2.0]}, few, 0 * answers, 0)
    assert chosen["parameter"] == 2


def test_samples_that_are_all_alike_give_the_mean():
    linear, _ = fit(
        {"kind": "ridge", "folds": 2, "grid": [1.0]}, torch.ones(4, 3), torch.arange(4.0), 0
    )
    assert linear(torch.zeros(1, 3)).item() == pytest.approx(1.5)


def test_weights_come_back_and_others_are_refused():
    samples, answers = made()
    linear, _ = fit({"kind": "ridge", "folds": 4, "grid": [1.0]}, samples, answers, 0)
    again = restored(linear.state_dict())
    assert torch.equal(again(samples), linear(samples))
    with pytest.raises(RuntimeError):
        restored({"weight": torch.zeros(3)})
    with pytest.raises(ValueError, match="3 scans are too few to choose a penalty in 3 inner"):
        fit({"kind": "ridge", "folds": 3, "grid": [1.0]}, samples[:3], answers[:3], 0)
