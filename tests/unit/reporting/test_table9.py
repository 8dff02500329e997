"""Table 9: the recipe of the RevNet paper, and which runs other targets share."""

from __future__ import annotations

import pytest

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.specs.analysis import load_models_experiments, resolve_analysis
from structnets.specs.target import load_analysis
from tests.made_results import REPOSITORY, floor

IMAGENET = ["resnet50", "revnet56", "irevnet_a", "irevnet_b"]


def test_iterations_are_those_of_the_thesis() -> None:
    recipe = next(r.spec["recipe"] for r in floor("paper", "table9", rows=["irevnet_b"]))
    steps = find_dataset("imagenet").train_count / recipe["batch_size"]
    assert recipe["epochs"] * steps == pytest.approx(600_000, rel=2e-3)
    drops = [epoch * steps for epoch in recipe["schedule"]["milestones"]]
    assert drops == pytest.approx([160_000, 320_000, 480_000], rel=2e-3)


def test_all_imagenet_nets_share_data_and_recipe() -> None:
    specs = [r.spec for r in floor("paper", "table9", rows=IMAGENET)]
    assert [spec["model"]["name"] for spec in specs] == IMAGENET
    assert all(spec["recipe"] == specs[0]["recipe"] for spec in specs)
    assert all(spec["model"]["options"] == {} for spec in specs)


def test_runs_on_cifar_are_those_of_the_figures() -> None:
    shared = ["cifar_resnet", "cifar_bijective"]
    runs = {r.run_id for r in floor("small", "table9", rows=shared)}
    figure = load_analysis(REPOSITORY / "workflow" / "targets" / "figure21.yaml")
    experiments = load_models_experiments(REPOSITORY / "workflow" / "experiments", [figure])
    assert runs == {m["run_id"] for m in resolve_analysis(figure, experiments, "small")["models"]}
