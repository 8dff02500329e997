"""Specs of boundary trainings: what their data need, what they refuse, and which ids stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from structnets import identity
from structnets.specs.spec import validate

BOUNDARIES = {"crop": [80, 80], "flips": True, "nms": "edges"}


def content(data: str = "bsds500", metric: str = "ods", **recipe: Any) -> dict[str, Any]:
    return {
        "chapter": 4,
        "preset": "small",
        "seed": 0,
        "model": {"name": "hnet"},
        "data": {"name": data},
        "metric": metric,
        "recipe": {
            "optimizer": {"name": "adam"},
            "epochs": 2,
            "batch_size": 4,
            "boundaries": BOUNDARIES,
            **recipe,
        },
    }


def test_settings_are_part_of_the_science() -> None:
    spec = validate(content())
    assert spec["recipe"]["boundaries"]["max_distance"] == 0.0075
    assert validate(spec) == spec
    other = validate(content(boundaries={**BOUNDARIES, "nms": "hed"}))
    assert identity.run_id(other) != identity.run_id(spec)


def test_specs_of_classes_keep_their_ids() -> None:
    given = content("mnist", "accuracy", boundaries=None)
    with pytest.raises(ValueError, match="model 'hnet' cannot be made for the classes of mnist"):
        validate(given)
    spec = validate({**given, "model": {"name": "resnet20"}})
    without = {**spec, "recipe": {k: v for k, v in spec["recipe"].items() if k != "boundaries"}}
    assert identity.run_id(spec) == identity.run_id(without)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "accuracy"}, "metric 'accuracy' does not belong to bsds500; allowed: ods, ois"),
        ({"data": "mnist"}, "metric 'ods' does not belong to mnist; allowed: accuracy"),
        ({"data": "mnist", "metric": "accuracy"}, "recipe.boundaries: mnist has classes"),
        ({"boundaries": None}, "bsds500 needs a gradient recipe with boundaries"),
        ({"standardize": True}, "recipe.standardize is for images with classes"),
        ({"augmentation": {"flip": True}}, "recipe.augmentation is for images with classes"),
        ({"data": "textured_blobs"}, "blobs are drawn anew, leave out crop, flips"),
        ({"boundaries": {"crop": [400, 80]}}, "crop [400, 80] exceeds the images' [321, 481]"),
        ({"boundaries": {"gamma": [2, 1]}}, "gamma must be a range of positive numbers"),
        ({"boundaries": {"nms": "all"}}, "Input should be 'none', 'edges' or 'hed'"),
        ({"boundaries": {"crops": [8, 8]}}, "unknown key; allowed here: crop, flips, gamma"),
    ],
)
def test_what_does_not_belong_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        validate(content(**changes))


def test_partial_copies_need_a_size() -> None:
    spec = content()
    spec["data"] = {"name": "bsds500", "prepare": {"partial": True}}
    with pytest.raises(ValueError, match="a partial data set needs a train_size"):
        validate(spec)
