"""One run from resolved spec to published result."""

from __future__ import annotations

import csv
import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json
from structnets.forms.splits.source import open_examples
from structnets.identity import run_id, spec_digest
from structnets.models.registry import create_model
from structnets.training import tensor_files
from structnets.training.run_files import ARTIFACTS

Run = Callable[..., dict[str, Any]]
MakeSpec = Callable[..., dict[str, Any]]
FolderOf = Callable[..., Path]


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "curves.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("model", ["cnn_b", "rfnn_mnist"])
def test_training_learns_what_can_be_learned(
    model: str, run: Run, make_spec: MakeSpec, make_data: Callable[..., Path]
) -> None:
    released = {"optimizer": {"name": "adadelta", "lr": 5.0}, "epochs": 30}
    spec = make_spec(model=model, size=60, **released)
    assert run(spec, data=make_data("more", train=60, test=30))["metrics"]["accuracy"] > 90


def test_same_spec_gives_the_same_weights_and_another_seed_others(
    run: Run, make_spec: MakeSpec, folder_of: FolderOf
) -> None:
    places = [(make_spec(), "one"), (make_spec(), "two"), (make_spec(seed=1), "one")]
    heads = []
    for spec, place in places:
        run(spec, place)
        state = torch.load(folder_of(spec, place) / "out" / "model.pt", weights_only=True)
        heads.append(state["state_dict"]["head.weight"])
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_what_is_published(run: Run, make_spec: MakeSpec, folder_of: FolderOf) -> None:
    spec = make_spec()
    result, out = run(spec), folder_of(spec) / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted(ARTIFACTS)
    assert read_json(out / "result.json") == result
    assert read_json(out / "spec.json") == result["spec"] == spec
    assert (result["run_id"], result["spec_digest"]) == (run_id(spec), spec_digest(spec))
    assert result["preset"] == "smoke"
    assert result["attempts"] == 1
    assert result["hardware"]["class"] == "cpu"
    assert result["hardware"]["world_size"] == result["hardware"]["threads"] == 1
    assert 0 < result["train_s"] <= result["wall_s"]
    assert result["images_per_s"] > 0
    assert sum(map(sum, result["confusion"])) == 11


def test_published_weights_give_the_published_accuracy(
    run: Run, make_spec: MakeSpec, folder_of: FolderOf, prepared: Path
) -> None:
    spec = make_spec(model="rfnn_mnist")
    result = run(spec)
    kept = torch.load(folder_of(spec) / "out" / "model.pt", weights_only=True)
    model = create_model(
        "rfnn_mnist", num_classes=3, image_size=9, **kept["spec"]["model"]["options"]
    )
    model.load_state_dict(kept["state_dict"])
    images = open_examples(spec, prepared, load_manifest(prepared))["test"]
    x, labels = images.batch(torch.arange(len(images)).numpy(), torch.device("cpu"))
    right = (model.eval()(x).argmax(1) == labels).double().mean()
    assert 100 * float(right) == pytest.approx(result["metrics"]["accuracy"])


def test_curve_by_hand(run: Run, make_spec: MakeSpec, folder_of: FolderOf) -> None:
    """Twenty images, batches of five, three epochs of a rate that falls linearly from 0.01."""
    spec = make_spec()
    run(spec)
    rows = curve(folder_of(spec))
    assert [float(row["epoch"]) for row in rows] == [1, 2, 3]
    assert [float(row["step"]) for row in rows] == [4, 8, 12]
    assert [float(row["lr"]) for row in rows] == pytest.approx([0.01, 0.02 / 3, 0.01 / 3])
    assert {row["val_accuracy"] for row in rows} == {""}


@pytest.mark.parametrize(("drop_last", "steps"), [(True, 6), (False, 9)])
def test_incomplete_last_batch(
    drop_last: bool, steps: int, run: Run, make_spec: MakeSpec, folder_of: FolderOf
) -> None:
    spec = make_spec(batch_size=8, drop_last=drop_last)
    run(spec)
    assert float(curve(folder_of(spec))[-1]["step"]) == steps


@pytest.mark.parametrize(("every", "epochs"), [(1, [1, 2, 3]), (2, [2, 3]), (None, [])])
def test_validation_every_k_epochs_and_at_the_end(
    every: int | None, epochs: list[int], run: Run, make_spec: MakeSpec, folder_of: FolderOf
) -> None:
    evaluation = {"split": "validation", "every": every, "validation_fraction": 0.25}
    spec = make_spec(evaluation=evaluation)
    result = run(spec)
    rows = [row for row in curve(folder_of(spec)) if row["val_accuracy"]]
    assert [float(row["epoch"]) for row in rows] == epochs
    assert sum(map(sum, result["confusion"])) == 5
    if rows:
        assert float(rows[-1]["val_accuracy"]) == pytest.approx(result["metrics"]["accuracy"])


def test_validation_images_are_not_trained_on(make_spec: MakeSpec, prepared: Path) -> None:
    evaluation = {"split": "validation", "validation_fraction": 0.25}
    splits = open_examples(make_spec(evaluation=evaluation), prepared, load_manifest(prepared))
    assert (len(splits["train"]), len(splits["validation"]), len(splits["test"])) == (15, 5, 11)
    assert not set(splits["train"].indices) & set(splits["validation"].indices)


def test_clipping_limits_the_step(run: Run, make_spec: MakeSpec, folder_of: FolderOf) -> None:
    """With plain SGD the weights move at most lr times clip_norm a step."""
    sgd = {"name": "sgd", "lr": 1.0, "momentum": 0.0}
    short = {"optimizer": sgd, "schedule": {"name": "constant"}, "epochs": 1, "batch_size": 20}
    heads = []
    for more in ({"clip_norm": 1e-3}, {"clip_norm": 1e-12}):
        spec = make_spec(**short, **more)
        run(spec)
        state = torch.load(folder_of(spec) / "out" / "model.pt", weights_only=True)["state_dict"]
        heads.append(torch.cat([state[name].flatten() for name in state if "weight" in name]))
    assert float((heads[0] - heads[1]).norm()) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("amp", ["bfloat16", "float16"])
@pytest.mark.parametrize("model", ["cnn_b", "rfnn_mnist"])
def test_mixed_precision_stays_near_full_precision(
    amp: str, model: str, run: Run, make_spec: MakeSpec
) -> None:
    full = run(make_spec(model=model, optimizer={"name": "adam", "lr": 1e-3}))
    mixed = run(make_spec(model=model, optimizer={"name": "adam", "lr": 1e-3}, amp=amp))
    assert mixed["metrics"]["loss"] == pytest.approx(full["metrics"]["loss"], rel=0.05)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_compiled_stays_near_eager(run: Run, make_spec: MakeSpec) -> None:
    """Dropout masks are drawn by other kernels, so that the values agree in size only."""
    options = {"model": "rfnn_mnist", "optimizer": {"name": "adam", "lr": 1e-3}, "epochs": 1}
    eager, compiled = (run(make_spec(**options, compile=c)) for c in (False, True))
    assert compiled["metrics"]["loss"] == pytest.approx(eager["metrics"]["loss"], rel=0.1)


def test_scattering_publishes_its_choice(
    run: Run, make_spec: MakeSpec, make_data: Callable[..., Path], folder_of: FolderOf
) -> None:
    spec = make_spec(
        model="scattering", kind="closed_form", classifier="pca", folds=2, grid=[1, 2], size=60
    )
    result = run(spec, data=make_data("more", train=60, test=30))
    assert result["metrics"]["cv_parameter"] in (1, 2)
    assert result["metrics"]["accuracy"] > 60
    assert result["parameters"] == {"trained": 0, "collapsed": 0}
    assert result["images_per_s"] is None
    assert curve(folder_of(spec)) == []
    assert (folder_of(spec) / "out" / "model.pt").is_file()


def test_training_that_diverges_says_what_to_do(run: Run, make_spec: MakeSpec) -> None:
    spec = make_spec(optimizer={"name": "sgd", "lr": 1e30})
    with pytest.raises(FloatingPointError, match=r"loss is nan in epoch \d: lower .*lr \(1e\+30\)"):
        run(spec)


@pytest.mark.parametrize("disturbed", ["model.pt", "result.json"])
def test_full_disk_at_the_end_publishes_nothing_half(
    disturbed: str,
    run: Run,
    make_spec: MakeSpec,
    folder_of: FolderOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, real = make_spec(epochs=1), tensor_files.atomic_path

    def full(path: Path) -> Any:
        if path.name == disturbed:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path)

    monkeypatch.setattr(tensor_files, "atomic_path", full)
    monkeypatch.setattr("structnets.files.atomic_path", full)
    with pytest.raises(OSError, match="No space left"):
        run(spec)
    out = folder_of(spec) / "out"
    assert not (out / "result.json").exists()
    assert {path.name for path in out.iterdir()} <= set(ARTIFACTS) - {disturbed}
    monkeypatch.undo()
    assert run(spec)["attempts"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 24}, "size 24 is larger than the training set of 23 images"),
        ({"batch_size": 21}, "batch_size 21 is larger than the 20 training images and drop_last"),
        ({"model": "scattering", "batch_size": 5}, "scattering.*closed_form"),
    ],
)
def test_spec_that_does_not_fit_is_refused(
    changes: dict[str, Any], message: str, run: Run, make_spec: MakeSpec
) -> None:
    with pytest.raises(ValueError, match=message):
        run(make_spec(**changes))


def test_unknown_model_option_is_refused(run: Run, make_spec: MakeSpec) -> None:
    spec = make_spec()
    spec["model"]["options"] = {"kernel_size": 3}
    with pytest.raises(ValueError, match=r"'kernel_size'.*allowed: .*kernel_sizes"):
        run(spec)


def test_missing_data_are_named(run: Run, make_spec: MakeSpec, prepared: Path) -> None:
    shutil.rmtree(prepared)
    with pytest.raises(FileNotFoundError, match=str(prepared)):
        run(make_spec())


def test_standardising_without_statistics_names_the_manifest(
    prepared: Path, make_spec: MakeSpec
) -> None:
    with pytest.raises(ValueError, match=r"recipe.standardize needs mean and std in .*manifest"):
        open_examples(make_spec(standardize=True), prepared, load_manifest(prepared))
