"""What the interpretations state in numbers, computed anew; what they name, looked up in specs."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from structnets.bases.dilation import ScaleNodes
from structnets.bases.gaussian import gaussian_derivative
from structnets.models.registry import create_model
from structnets.reporting.requests import full_spec, load_experiments
from structnets.specs.target import load_targets
from tests.made_results import WORKFLOW


@cache
def targets() -> Any:
    return load_targets(WORKFLOW / "targets")


def reading(target: str, subject: str) -> str:
    """What is done about a subject, and why."""
    (found,) = [one for one in targets().all[target].interpretations if one.subject == subject]
    return f"{found.done} {found.why}"


def spec(target: str, row: str, column: str) -> Any:
    """The resolved spec of a cell in `paper`."""
    tables = targets().tables
    experiments = load_experiments(WORKFLOW / "experiments", list(tables.values()))
    return full_spec(tables[target], experiments, row, column)


def steering_target() -> str:
    return next(
        name
        for name, target in targets().all.items()
        if any(one.subject == "Steering in scale" for one in target.interpretations)
    )


def test_error_of_steering_in_scale() -> None:
    """Between 0.8 and 1.5 pixels, the default of dynamic blocks, with three nodes."""
    stated = re.findall(r"\d\.\d", reading(steering_target(), "Steering in scale"))
    nodes = ScaleNodes.between(0.8, 1.5, 3)
    worst = [100 * nodes.worst_error(order) for order in range(3)]
    assert worst == pytest.approx([float(one) for one in stated], abs=0.06)


def test_large_scales_are_cut_as_table1_says() -> None:
    """Supports of 11 pixels: at scale 8 G_xx is of one sign, x and xxx are nearly parallel."""
    said = reading("table1", "Large scales in small windows")
    model = spec("table1", "scale3", "c100")["model"]
    assert model["name"] == "rfnin_scale3"
    assert "Supports of 11, 9, 7 and 5" in said
    assert "one sign" in said
    first, second, third = (gaussian_derivative(order, 8.0, 5) for order in (1, 2, 3))
    assert second.max() < 0
    cosine = first @ third / np.linalg.norm(first) / np.linalg.norm(third)
    assert cosine == pytest.approx(-0.999, abs=5e-4)


def test_parameters_and_first_convolution_of_i_revnets() -> None:
    said = reading("table9", "Parameters of i-RevNet (a)")
    with torch.device("meta"):
        nets = {name: create_model(name) for name in ("irevnet_a", "irevnet_b")}
    counts = {name: sum(p.numel() for p in net.parameters()) / 1e6 for name, net in nets.items()}
    assert f"{counts['irevnet_a']:.1f}M" in said
    assert counts["irevnet_b"] == pytest.approx(29, abs=0.5)
    convolutions = [m for m in nets["irevnet_b"].modules() if isinstance(m, torch.nn.Conv2d)]
    first, second, last = convolutions[-3:]
    assert (first.out_channels, second.out_channels) == (last.out_channels // 4,) * 2
    assert "quarter" in reading("table9", "First convolution of a block")


def test_neither_colours_nor_warm_up_in_the_recipes() -> None:
    assert "colours are left alone" in reading("table9", "Augmentation")
    for row in ("irevnet_a", "irevnet_b", "revnet56", "resnet50"):
        recipe = spec("table9", row, "error")["recipe"]
        assert "colour" not in str(recipe["augmentation"])
        assert recipe["crop"]["kind"] == "scale_aspect"
    assert "no warm-up" in reading("table6", "Learning rate")
    recipe = spec("table6", "pixel", "resnet110")["recipe"]
    assert (recipe["optimizer"]["lr"], recipe["schedule"]["name"]) == (0.1, "step")
    assert recipe["schedule"]["milestones"] == [82, 123]
    assert "warm" not in str(recipe)
