"""Optimisers and learning-rate schedules of a recipe."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import cast

import torch
from torch import nn

from structnets.specs.resolved import (
    FactorsSettings,
    GradientSettings,
    OptimizerSettings,
    StepSettings,
)

_OPTIMIZERS = {"adadelta": torch.optim.Adadelta, "sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def build_optimizer(
    settings: OptimizerSettings, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Build the optimiser of a resolved recipe.

    Raises
    ------
    ValueError
        If its name is unknown.
    """
    options = {key: value for key, value in settings.items() if key != "name"}
    name = settings["name"]
    if name not in _OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; allowed: {', '.join(_OPTIMIZERS)}")
    return _OPTIMIZERS[name](parameters, **options)


def learning_rate(recipe: GradientSettings, epoch: int) -> float:
    """Return the learning rate of an epoch (from 0).

    ``constant``; ``linear``: lr (E - i) / E at epoch i of E; ``step``: lr gamma^(milestones
    passed); ``factors``: lr times the factor of the last milestone passed.
    """
    rate, schedule = recipe["optimizer"]["lr"], recipe["schedule"]
    name = schedule["name"]
    if name == "constant":
        return rate
    if name == "linear":
        return rate * (recipe["epochs"] - epoch) / recipe["epochs"]
    passed = bisect.bisect_right(schedule.get("milestones", ()), epoch)
    if name == "step":
        return rate * cast("StepSettings", schedule)["gamma"] ** passed
    if name == "factors":
        return rate * [1.0, *cast("FactorsSettings", schedule)["factors"]][passed]
    raise ValueError(f"unknown schedule {name!r}; allowed: constant, linear, step, factors")
