"""Learning rates by hand, and optimisers as torch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from structnets.specs.spec import validate
from structnets.training.optimization import build_optimizer, learning_rate


def rates(schedule: dict[str, Any], epochs: int = 5, lr: float = 4.0) -> list[float]:
    recipe = {"optimizer": {"lr": lr}, "schedule": schedule, "epochs": epochs}
    return [learning_rate(recipe, epoch) for epoch in range(epochs)]


def resolved(settings: dict[str, Any]) -> dict[str, Any]:
    """Fill the defaults of an optimiser, as a spec does."""
    spec = {
        "chapter": 3,
        "preset": "smoke",
        "seed": 0,
        "model": {"name": "cnn_b"},
        "data": {"name": "mnist"},
        "recipe": {"optimizer": settings, "epochs": 1, "batch_size": 1},
    }
    return validate(spec)["recipe"]["optimizer"]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"name": "constant"}, [4, 4, 4, 4, 4]),
        ({"name": "linear"}, [4, 3.2, 2.4, 1.6, 0.8]),
        ({"name": "step", "milestones": [1, 3], "gamma": 0.5}, [4, 2, 2, 1, 1]),
        ({"name": "step", "milestones": [], "gamma": 0.5}, [4, 4, 4, 4, 4]),
        ({"name": "step", "milestones": [9], "gamma": 0.5}, [4, 4, 4, 4, 4]),
        ({"name": "step", "milestones": [2, 2], "gamma": 0.5}, [4, 4, 1, 1, 1]),
        ({"name": "factors", "milestones": [1, 3], "factors": [0.25, 0.5]}, [4, 1, 1, 2, 2]),
    ],
)
def test_rates_by_hand(schedule: dict[str, Any], expected: list[float]) -> None:
    assert rates(schedule) == pytest.approx(expected)


def test_linear_rate_never_reaches_zero() -> None:
    assert min(rates({"name": "linear"}, epochs=1000, lr=5.0)) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"name": "adadelta", "lr": 5.0}, torch.optim.Adadelta),
        ({"name": "sgd", "lr": 0.1, "nesterov": True}, torch.optim.SGD),
        ({"name": "adam", "betas": [0.5, 0.6]}, torch.optim.Adam),
    ],
)
def test_every_resolved_optimizer_is_built(
    settings: dict[str, Any], kind: type[torch.optim.Optimizer]
) -> None:
    optimizer = build_optimizer(resolved(settings), nn.Linear(2, 2).parameters())
    assert type(optimizer) is kind
    for key in settings.keys() - {"name"}:
        assert optimizer.defaults[key] == pytest.approx(settings[key])


def test_adadelta_s_first_step_by_hand() -> None:
    """Zeiler's rule from zero averages: dx = -sqrt(eps) g / sqrt(0.05 g^2 + eps), times lr."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = build_optimizer(resolved({"name": "adadelta", "lr": 5.0}), [weight])
    weight.grad = torch.tensor([2.0], dtype=torch.float64)
    optimizer.step()
    step = 5 * (1e-6 / (0.05 * 4 + 1e-6)) ** 0.5 * 2
    torch.testing.assert_close(weight.detach(), torch.tensor([1 - step], dtype=torch.float64))


def test_unknown_optimizer_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'rmsprop'; allowed: adadelta, sgd, adam"):
        build_optimizer({"name": "rmsprop"}, nn.Linear(1, 1).parameters())


def test_unknown_schedule_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'cosine'; allowed: constant, linear, step, factors"):
        rates({"name": "cosine"})
