"""What a run lacks of the full protocol, what guessing scores, and who did not train."""

import math

import pytest

from structnets.reporting.protocol import (
    chance_level,
    did_not_train,
    differences,
    phrase_of,
    science_of,
)
from structnets.reporting.requests import cell_spec, full_spec, load_experiments
from structnets.specs.target import load_targets
from tests.made_results import WORKFLOW, make_result

TARGETS = load_targets(WORKFLOW / "targets")
EXPERIMENTS = load_experiments(WORKFLOW / "experiments", list(TARGETS.tables.values()))


def pair(target, row, column, preset="small"):
    table = TARGETS.tables[target]
    return (
        cell_spec(table, EXPERIMENTS, preset, row, column),
        full_spec(table, EXPERIMENTS, row, column),
    )


def test_differences_in_words():
    said = differences(*pair("table7", "hcnn", "cifar10"))
    for phrase in ("2,000 of 50,000 images", "15 of 240 epochs", "K 8 of 16", "Q 16 of 32"):
        assert phrase in said
    assert "data cifar10_jpeg in place of cifar10" in said
    scans = differences(*pair("table5", "nin_oasis", "accuracy"))
    assert {"20 of 100 epochs", "mm a voxel 4 in place of 2"} <= set(scans)


def test_equal_science_has_no_difference_whatever_preset_and_seed():
    small, full = pair("figure6", "rfnn", "n300")
    assert small["preset"] != full["preset"]
    assert differences({**small, "seed": 7}, full) == []


CELLS = [
    (target, row, column, preset)
    for target, table in TARGETS.tables.items()
    for preset in ("smoke", "small")
    if preset in table.floor
    for row in table.run_rows(preset)[:3]
    for column in table.run_columns(preset)[:1]
]


@pytest.mark.parametrize(("target", "row", "column", "preset"), CELLS)
def test_only_equal_science_is_without_differences(target, row, column, preset):
    spec, full = pair(target, row, column, preset)
    if full is not None:
        assert (differences(spec, full) == []) == (science_of(spec) == science_of(full))


def leaves(content, at=()):
    for key, value in content.items():
        yield from leaves(value, (*at, key)) if isinstance(value, dict) and value else [(*at, key)]


def test_every_change_of_a_spec_is_said():
    _, full = pair("table7", "hcnn_plus", "cifar10")
    for place in leaves(full):
        if place[0] not in ("seed", "preset", "chapter"):
            changed = changed_at(full, place)
            assert (differences(changed, full) == []) == (science_of(changed) == science_of(full))


def changed_at(content, place):
    first, *rest = place
    inner = changed_at(content[first], rest) if rest else other(content[first])
    return {**content, first: inner}


def other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [*value, 1]
    if isinstance(value, dict):
        return value  # empty: options that are not given are none
    return {None: 7, "cifar10": "cifar100", "hcnn": "resnet20"}.get(value, f"{value}x")


@pytest.mark.parametrize(
    ("name", "prepare", "metric", "expected"),
    [
        ("mnist", {}, "accuracy", 10.0),
        ("cifar100", {}, "error", 99.0),
        ("imagenet", {"classes": 20}, "accuracy", 5.0),
        ("imagenet", {}, "accuracy", 0.1),
        ("bsds500", {}, "ods", None),
        ("oasis_ad126", {}, "auc", 50.0),
        ("oasis_ad126", {}, "accuracy", None),
    ],
)
def test_chance_by_hand(name, prepare, metric, expected):
    assert chance_level({"data": {"name": name, "prepare": prepare}}, metric) == expected


def test_chance_of_a_cohort_is_that_of_its_most_frequent_label():
    spec = {"data": {"name": "oasis_ad126", "prepare": {}}}
    lines = [{"predictions": [[0, -1.0]] * 3}, {"predictions": [[1, 1.0]]}]
    assert chance_level(spec, "accuracy", lines) == 75.0
    assert chance_level(spec, "error", lines) == 25.0
    assert chance_level(spec, "tpr", lines) is None


@pytest.mark.parametrize(
    ("accuracy", "loss", "untrained"),
    [
        (10.0, math.log(10), True),
        (10.0, 2.4, True),
        (10.0, math.nan, True),
        (10.0, 2.1, False),
        (40.0, 2.4, False),  # wrong at times, and sure of it
    ],
)
def test_who_did_not_train(accuracy, loss, untrained):
    spec, _ = pair("figure6", "rfnn", "n300")
    line = make_result(spec, metrics={"accuracy": accuracy, "loss": loss})
    assert did_not_train(line) is untrained
    assert not did_not_train({**line, "metrics": {"ods": 0.1}})


@pytest.mark.parametrize(("loss", "untrained"), [(0.696, True), (0.632, False), (math.nan, True)])
def test_outlines_at_the_loss_of_guessing_did_not_train(loss, untrained):
    spec = {"data": {"name": "textured_blobs", "prepare": {"difficulty": "hard"}}}
    assert did_not_train({"spec": spec, "metrics": {"ods": 0.16, "loss": loss}}) is untrained


def test_rows_differ_in_few_words():
    def rows(nets, rate=1):
        return [{"key": key, "net": net, "rate": rate} for key, net in zip("ab", nets, strict=True)]

    assert phrase_of("pairs", rows(["x", "x"]), rows(["y", "y"])) == "net x in place of y"
    assert phrase_of("pairs", rows(["x", "y"]), rows(["y", "y"])) == "net x in place of y (a)"
    assert phrase_of("pairs", rows("xx"), rows("yz", 2)) == (
        "net x in place of y (a), rate 1 of 2, net x in place of z (b)"
    )
