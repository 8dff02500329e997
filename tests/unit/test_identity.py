"""Names follow from content alone: stable, and blind to what is switched off."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from structnets import identity

SPEC: dict[str, Any] = {
    "chapter": 3,
    "preset": "small",
    "seed": 2,
    "metric": "accuracy",
    "model": {"name": "cnn_b", "options": {}},
    "data": {"name": "mnist", "prepare": {}, "train_size": 300},
    "recipe": {"kind": "gradient", "epochs": 2, "amp": None, "compile": False},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return a copy of SPEC with one entry (``recipe.amp``, say) set."""
    spec = copy.deepcopy(SPEC)
    *parents, last = path.split(".")
    place = spec
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("recipe.clip_norm", None),
        ("recipe.ema", False),
        ("recipe.augmentation", []),
        ("recipe.mixup", {}),
        ("recipe.mixup", {"alpha": None, "cut": {"on": False}}),
        ("note", None),
    ],
)
def test_key_that_is_off_does_not_change_the_run(path: str, value: Any) -> None:
    assert identity.run_id(changed(path, value)) == identity.run_id(SPEC)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("recipe.amp", "bfloat16"),
        ("recipe.compile", True),
        ("recipe.dropout", 0),
        ("model.options.orders", [1, 1, 1]),
        ("data.train_size", 301),
        ("data.prepare.side", 32),
        ("seed", 0),
        ("preset", "paper"),
        ("chapter", 4),
    ],
)
def test_every_science_changes_the_run(path: str, value: Any) -> None:
    assert identity.spec_digest(changed(path, value)) != identity.spec_digest(SPEC)


ANALYSIS = {
    **{"target": "figure0", "preset": "small", "analysis": "views", "options": {"images": 5}},
    "models": [{"key": "net", "label": "Net", "run_id": "net-mnist-full-s0-00000000"}],
}
SWEEP = {
    **{"name": "sweep", "preset": "small", "metric": "accuracy", "seed": 0, "base": SPEC},
    **{"asha": {"grace_epochs": 1}, "points": [{"width": 1}, {"width": 2}]},
}


@pytest.mark.parametrize("off", [None, False, {}, [], ()])
def test_what_is_off_enters_no_id(off: Any) -> None:
    spec = changed("recipe.added", off)
    assert identity.run_id(spec) == identity.run_id(SPEC)
    analysis = {**ANALYSIS, "options": {**ANALYSIS["options"], "added": off}, "title": "x"}
    assert identity.analysis_id(analysis) == identity.analysis_id(ANALYSIS)
    sweep = {
        **{**SWEEP, "base": spec, "asha": {**SWEEP["asha"], "added": off}, "title": "x"},
        "points": [{**point, "added": off} for point in SWEEP["points"]],
    }
    assert identity.sweep_id(sweep) == identity.sweep_id(SWEEP)


@pytest.mark.parametrize("on", [True, 0, 1, "", [0], {"a": 0}])
def test_what_is_on_enters_every_id(on: Any) -> None:
    assert identity.run_id(changed("recipe.added", on)) != identity.run_id(SPEC)
    analysis = {**ANALYSIS, "options": {**ANALYSIS["options"], "added": on}}
    assert identity.analysis_id(analysis) != identity.analysis_id(ANALYSIS)
    for more in ({"asha": {**SWEEP["asha"], "added": on}}, {"points": [{"width": on}]}):
        assert identity.sweep_id({**SWEEP, **more}) != identity.sweep_id(SWEEP)


def test_golden_ids_of_an_analysis_and_a_sweep() -> None:
    assert identity.analysis_id(ANALYSIS) == "figure0-small-68cd1434"
    assert identity.sweep_id(SWEEP) == "sweep-small-0b458cbc"


def test_order_of_the_keys_does_not_matter() -> None:
    backwards = dict(reversed(SPEC.items()))
    assert identity.spec_digest(backwards) == identity.spec_digest(SPEC)


def test_science_leaves_its_argument_alone() -> None:
    before = copy.deepcopy(SPEC)
    identity.science(SPEC)
    assert before == SPEC


def test_golden_run_id() -> None:
    """Published runs are found by these names: a change here would orphan them all."""
    assert identity.run_id(SPEC) == "cnn_b-mnist-n300-s2-f98d3de1"


def test_golden_digest() -> None:
    """The SHA-256 of the two letters {}, known from elsewhere."""
    assert identity.digest({}).startswith("44136fa355b3678a1146ad16f7e8649e")


def test_canonical_json_by_hand() -> None:
    assert identity.canonical_json({"b": [1, 2.5, None], "a": "σ"}) == '{"a":"σ","b":[1,2.5,null]}'


@pytest.mark.parametrize(("size", "variant"), [(300, "n300"), (60000, "n60000"), (None, "full")])
def test_variant_of_the_data(size: int | None, variant: str) -> None:
    assert identity.data_variant(changed("data.train_size", size)) == variant


def test_names_of_what_others_made() -> None:
    """Names of files show the object, digests know its package."""
    ours = identity.run_id(changed("model.name", "pkg.nets:ResNet"))
    theirs = identity.run_id(changed("model.name", "other.nets:ResNet"))
    assert ours.startswith("resnet-mnist-n300-s2-")
    assert theirs.startswith("resnet-mnist-n300-s2-")
    assert ours != theirs
    folders = {identity.prepared_name({"name": f"{p}.sets:Leaves"}) for p in ("pkg", "other")}
    assert len(folders) == 2
    assert all(re.fullmatch("leaves-[0-9a-f]{8}", folder) for folder in folders)


def test_runs_of_no_chapter() -> None:
    assert identity.run_id(changed("chapter", None)) != identity.run_id(SPEC)
    without = {key: value for key, value in SPEC.items() if key != "chapter"}
    assert identity.run_id(changed("chapter", None)) == identity.run_id(without)
    assert [identity.chapter_name(chapter) for chapter in (3, None)] == ["chapter3", "own"]


def test_name_of_prepared_data() -> None:
    plain, sized = {"name": "mnist"}, {"name": "mnist", "prepare": {"side": 32}}
    assert identity.prepared_name(plain) == "mnist"
    assert identity.prepared_name({**plain, "prepare": {}}) == "mnist"
    assert identity.prepared_name(sized) == f"mnist-{identity.digest({'side': 32})[:8]}"
