"""A run that is stopped, or whose checkpoint breaks, computes what an undisturbed one does."""

from __future__ import annotations

import csv
import errno
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from structnets.files import read_json
from structnets.training import loop
from structnets.training import run as training_run
from structnets.training.reporting import StoppedError

Run = Callable[..., dict[str, Any]]
MakeSpec = Callable[..., dict[str, Any]]
VALIDATION = {"split": "validation", "every": 2, "validation_fraction": 0.25}
# Twelve steps, four an epoch; with a quarter held out nine, three an epoch.
RECIPES: dict[str, dict[str, Any]] = {
    "adam, linear": {},
    "adadelta, clipped": {"optimizer": {"name": "adadelta", "lr": 5.0}, "clip_norm": 0.5},
    "sgd, steps": {
        "optimizer": {"name": "sgd", "lr": 0.1},
        "schedule": {"name": "step", "milestones": [1, 2]},
    },
    "validated": {"evaluation": VALIDATION},
    "incomplete batch": {"batch_size": 7, "drop_last": False},
    "augmented": {"augmentation": {"shift": 2, "flip": True}},
    "float16": {"amp": "float16"},
    "bfloat16": {"amp": "bfloat16"},
}
OLDER = f"2:{'0' * 64}"
TIMES = ("images_per_s",)


def weights(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "out" / "model.pt", weights_only=True)["state_dict"]


def curve(folder: Path) -> list[dict[str, str]]:
    """Read the published curve without what depends on time."""
    with (folder / "out" / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


@pytest.fixture
def assert_same(folder_of: Callable[..., Path]) -> Callable[..., None]:
    """Check that a run published the same in two places, bit by bit."""

    def check(spec: dict[str, Any], one: str, other: str) -> None:
        first, second = folder_of(spec, one), folder_of(spec, other)
        assert curve(first) == curve(second)
        ours, theirs = weights(first), weights(second)
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            same = torch.equal(value, theirs[name]) if torch.is_tensor(value) else None
            assert same or value == theirs[name], name
        results = [read_json(folder / "out" / "result.json") for folder in (first, second)]
        assert results[0]["metrics"] == results[1]["metrics"]
        assert results[0]["confusion"] == results[1]["confusion"]

    return check


@pytest.fixture
def save_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("stop_after", [5, 6])
def test_stopped_and_resumed_equals_undisturbed(
    recipe: str,
    stop_after: int,
    run: Run,
    make_spec: MakeSpec,
    assert_same: Callable[..., None],
) -> None:
    spec = make_spec(**RECIPES[recipe])
    run(spec, "undisturbed")
    with pytest.raises(StoppedError, match=f"stopped on request at step {stop_after} of"):
        run(spec, "stopped", stop_after=stop_after)
    assert run(spec, "stopped")["attempts"] == 2
    assert_same(spec, "undisturbed", "stopped")


def test_rfnn_resumes_with_its_ways_of_evaluation(
    run: Run, make_spec: MakeSpec, assert_same: Callable[..., None], folder_of: Callable[..., Path]
) -> None:
    spec = make_spec(model="rfnn_mnist")
    run(spec, "undisturbed")
    with pytest.raises(StoppedError):
        run(spec, "stopped", stop_after=3)
    folder = folder_of(spec, "stopped")
    newest = max(folder.rglob("step-*.pt"))
    ways = torch.load(newest, weights_only=True)["ways"]
    assert set(ways) == {"features.conv1", "features.conv2", "features.conv3"}
    run(spec, "stopped")
    assert_same(spec, "undisturbed", "stopped")
    assert all(map(torch.is_tensor, weights(folder).values()))


def test_a_result_of_two_codes_is_the_result_of_neither(
    run: Run,
    make_spec: MakeSpec,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spec = make_spec()
    today = run(spec, "undisturbed")["code_digest"]
    with monkeypatch.context() as patch:
        patch.setattr(training_run, "code_digest", lambda _: OLDER)
        with pytest.raises(StoppedError):
            run(spec, "stopped", stop_after=3)
    with pytest.raises(StoppedError):
        run(spec, "stopped", stop_after=3)
    result = run(spec, "stopped")
    assert result["code_parts"] == [OLDER, today]
    assert result["code_digest"] not in result["code_parts"]
    assert re.fullmatch(r"2:[0-9a-f]{64}", result["code_digest"])
    assert "earlier steps were computed by other code" in caplog.text
    assert not any("code_parts" in run(spec, place) for place in ("undisturbed", "other"))


def test_stopping_at_every_step_changes_nothing(
    run: Run, make_spec: MakeSpec, assert_same: Callable[..., None]
) -> None:
    spec = make_spec(evaluation=VALIDATION)
    run(spec, "undisturbed")
    for _ in range(9):
        with pytest.raises(StoppedError):
            run(spec, "stopped", stop_after=1)
    assert run(spec, "stopped")["attempts"] == 10
    assert_same(spec, "undisturbed", "stopped")


def test_reporter_hears_every_epoch_once(
    run: Run, make_spec: MakeSpec, make_reporter: Callable[..., Any]
) -> None:
    spec = make_spec()
    first, second = make_reporter(stop_after=6), make_reporter()
    with pytest.raises(StoppedError):
        run(spec, reporter=first)
    run(spec, reporter=second)
    assert second.earlier == first.rows
    told = [row["step"] for row in itertools.chain(first.rows, second.rows)]
    assert told == [4.0, 8.0, 12.0]


def test_finished_run_trains_no_more(
    run: Run, make_spec: MakeSpec, make_reporter: Callable[..., Any]
) -> None:
    first, reporter = run(make_spec()), make_reporter()
    second = run(make_spec(), reporter=reporter)
    assert reporter.asked == 0
    assert second["metrics"] == first["metrics"]


@pytest.mark.usefixtures("save_always")
def test_truncated_newest_checkpoint_costs_a_step_only(
    run: Run, make_spec: MakeSpec, assert_same: Callable[..., None], folder_of: Callable[..., Path]
) -> None:
    spec = make_spec()
    run(spec, "undisturbed")
    with pytest.raises(StoppedError):
        run(spec, "stopped", stop_after=7)
    older, newest = sorted((folder_of(spec, "stopped") / "work" / "checkpoints").iterdir())
    assert (older.name, newest.name) == ("step-000000006.pt", "step-000000007.pt")
    newest.write_bytes(newest.read_bytes()[:500])
    run(spec, "stopped")
    assert_same(spec, "undisturbed", "stopped")


@pytest.mark.usefixtures("save_always")
def test_full_disk_does_not_stop_the_training(
    run: Run,
    make_spec: MakeSpec,
    assert_same: Callable[..., None],
    folder_of: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, save = make_spec(), torch.save
    run(spec, "undisturbed")

    def full(state: Any, path: Path) -> None:
        if path.parent.name == "checkpoints":
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(state, path)

    monkeypatch.setattr(torch, "save", full)
    run(spec, "full")
    assert list((folder_of(spec, "full") / "work" / "checkpoints").iterdir()) == []
    assert_same(spec, "undisturbed", "full")


def test_resume_with_other_data_is_refused(
    run: Run, make_spec: MakeSpec, make_data: Callable[..., Path]
) -> None:
    spec = make_spec()
    with pytest.raises(StoppedError):
        run(spec, stop_after=3)
    with pytest.raises(ValueError, match=r"checkpoints holds a run with another data_digest"):
        run(spec, data=make_data("other", seed=1))


def test_edited_spec_under_an_existing_run_is_refused(
    run: Run, make_spec: MakeSpec, folder_of: Callable[..., Path]
) -> None:
    spec, edited = make_spec(), make_spec(epochs=4)
    with pytest.raises(StoppedError):
        run(spec, stop_after=3)
    folder_of(spec).rename(folder_of(edited))
    with pytest.raises(ValueError, match=r"work holds a run of another spec \(see .*spec\.json\)"):
        run(edited)


def test_spec_written_before_an_option_existed_is_the_same(
    run: Run, make_spec: MakeSpec, folder_of: Callable[..., Path]
) -> None:
    spec = make_spec()
    with pytest.raises(StoppedError):
        run(spec, stop_after=3)
    newer = {**spec, "recipe": {**spec["recipe"], "later": None}}
    assert folder_of(newer) == folder_of(spec)
    assert run(newer)["attempts"] == 2
