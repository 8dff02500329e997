"""Every analysis on tiny untrained networks: files, names of values, refusals."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from structnets.analysis.depth_features import collect_features, depth_names
from structnets.analysis.separability import Separability
from structnets.analysis.stability import StabilityWarning
from structnets.analysis.step_cost import WAYS, step_cost
from structnets.analysis.trained import load_run
from structnets.figures import performing
from structnets.figures.performing import perform
from structnets.figures.separability_by_depth.make import rises_of
from structnets.figures.training_loss.draw import MeanLoss
from structnets.figures.training_loss.make import apart
from structnets.figures.training_memory import make as memory
from structnets.files import read_json, write_json
from structnets.forms.splits.stored import write_prepared
from structnets.identity import run_id, spec_digest
from structnets.models.irevnet import IRevNet
from structnets.specs.figure_options import check_options
from structnets.specs.spec import validate
from structnets.training.run import build_model
from structnets.training.run_files import publish
from structnets.training.weights_digest import weights_digest

CLASSES = ("airplane", "bird", "cat")
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "rfnin": ("rfnin_cifar", {"width": 8, "scales": [2, 1, 1]}),
    "hcnn": (
        "hcnn",
        {"values": 8, "terms": 2, "depth": 5, "downsampling": [3], "padding": "circular"},
    ),
    "irevnet": ("irevnet_cifar_bijective", {"blocks": [1, 1, 1]}),
    "resnet": ("resnet20", {"depth": 8}),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty training and twelve test images of noise, under the name of CIFAR-10."""
    root = tmp_path_factory.mktemp("prepared")
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 30), ("test", 12)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count) % len(CLASSES)
    statistics = {"mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.2]}
    folder = root / "cifar10"
    write_prepared(folder, "cifar10", {}, arrays, list(CLASSES), {}, statistics=statistics)
    return root


def spec_of(name: str, options: dict[str, Any]) -> dict[str, Any]:
    recipe = {"optimizer": {"name": "sgd", "lr": 0.1}, "epochs": 2, "batch_size": 10}
    content = {
        "chapter": 6,
        "preset": "smoke",
        "seed": 0,
        "model": {"name": name, "options": options},
        "data": {"name": "cifar10", "train_size": 30},
        "recipe": {**recipe, "standardize": True},
    }
    return validate(content)


@pytest.fixture(scope="module")
def folders(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Published runs of untrained networks whose batch norm has seen noise."""
    manifest, found = read_json(prepared / "cifar10" / "manifest.json"), {}
    curve = [{"epoch": e, "step": 3 * e, "train_loss": 2 / e} for e in (1, 2)]
    for key, (name, options) in MODELS.items():
        spec = spec_of(name, options)
        found[key] = tmp_path_factory.mktemp("runs") / run_id(spec)
        model = build_model(spec, manifest).train()
        with torch.no_grad():
            model(torch.randn(10, 3, 32, 32))
        digest = spec_digest(spec)
        result = {"run_id": run_id(spec), "spec": spec, "spec_digest": digest, "losses": []}
        result["weights_digest"] = weights_digest(model.state_dict())
        publish(found[key], result, model, curve, {})
    return found


Analyse = Callable[..., dict[str, Any]]


@pytest.fixture
def analyse(tmp_path: Path, prepared: Path, folders: dict[str, Path]) -> Analyse:
    """Return a runner of one analysis on some of the networks."""

    def run(name: str, *keys: str, data_root: Path | None = None, **options: Any) -> dict[str, Any]:
        runs = [load_run(folders[key], prepared, key=key) for key in keys]
        models = [{"key": run.key, "label": run.label, "run_id": run.run_id} for run in runs]
        resolved = {
            "analysis_id": f"{name}-x",
            "target": name,
            "title": "T",
            "preset": "smoke",
            "analysis": name,
            "options": check_options(name, options, "options"),
            "models": models,
        }
        stem = tmp_path / name
        result = perform(resolved, runs, stem, tmp_path / "work", data_root=data_root)
        assert all(stem.with_suffix(f".{end}").stat().st_size for end in ("svg", "png", "csv"))
        assert not list((tmp_path / "work").glob("*"))
        write_json(tmp_path / "values.json", result)
        return {name: found["value"] for name, found in result["values"].items()}

    return run


def test_parts_of_an_interrupted_analysis_are_of_the_weights_they_were_made_of(
    analyse: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def made(context: Any, _: object) -> list[Any]:
        part = context.once("part", lambda: calls.append(1) or len(calls))
        raise KeyboardInterrupt(part)  # killed, with a part made

    monkeypatch.setattr(performing.FIGURES, "load", lambda _: made)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            analyse("atom_weights", "rfnin")
    assert len(calls) == 1  # it went on
    monkeypatch.setattr(performing, "weights_digest", lambda _: "of a training anew")
    with pytest.raises(KeyboardInterrupt):
        analyse("atom_weights", "rfnin")
    assert len(calls) == 2


def test_filters_and_weights(analyse: Analyse) -> None:
    shares = analyse("learned_filters", "rfnin", filters=5)
    assert sum(shares.values()) == pytest.approx(1)
    means = analyse("atom_weights", "rfnin")
    assert len(means) == 3 * 4
    with pytest.raises(ValueError, match=r"resnet20\) has no Gaussian layer"):
        analyse("atom_weights", "resnet")
    with pytest.raises(ValueError, match="layer must be below 3 for rfnin, got 3"):
        analyse("learned_filters", "rfnin", layer=3)


def test_translations(analyse: Analyse) -> None:
    small = {"images": 30, "shifts": [1, 2]}
    last = analyse("translated_arrays", "hcnn", **small, query_class="bird")
    assert list(last) == ["j4.tau1.kept", "j4.tau2.kept"]
    assert list(analyse("translation_by_depth", "hcnn", split="test", **small)) == [
        "j3.kept",
        "j4.kept",
    ]
    found = analyse("class_kept", "hcnn", **small, queries=9, covariance_images=6)
    assert found["j3.v_j.tau2.next_layer"] == pytest.approx(0, abs=1e-5)
    assert found["chance"] == pytest.approx(9 / 29)
    with pytest.raises(ValueError, match="query_class must be one of airplane, bird, cat"):
        analyse("translated_arrays", "hcnn", **small, query_class="dog")
    with pytest.raises(ValueError, match="is no hierarchical attribute CNN"):
        analyse("class_kept", "resnet")


def test_losses_are_the_runs_own(analyse: Analyse) -> None:
    assert analyse("training_loss", "irevnet", "resnet") == {
        "irevnet.final_loss": 1.0,
        "resnet.final_loss": 1.0,
        "resnet.apart": 0.0,
    }


def test_area_between_loss_curves_by_hand() -> None:
    first = [MeanLoss(100, 4.0, 100), MeanLoss(200, 2.0, 100), MeanLoss(250, 2.0, 50)]
    other = [MeanLoss(100, 3.0, 100), MeanLoss(300, 2.0, 200)]  # 2.5 at 200, 2.25 at 250
    share = 100 * (100 * 1 + 100 * 0.5 + 50 * 0.25) / (400 + 200 + 100)
    assert apart(first, other) == pytest.approx((share, 250))
    assert apart(first, first) == (0.0, 250)
    assert apart(first[:1], other[1:]) is None


def test_spectrum_and_inverse(analyse: Analyse) -> None:
    found = analyse("singular_values", "irevnet", leading=8, shares=[4, 8], batch_size=8)
    assert 0 < found["irevnet.energy_4"] < found["irevnet.energy_8"] < 100
    errors = analyse("inversion_errors", "irevnet", noise=4, images=4)
    assert errors["irevnet.noise.float64.max"] < 1e-12 < errors["irevnet.noise.float32.mean"] < 1e-4
    few = analyse("inversion_errors", "irevnet", noise=4, images=4, float64_images=1)
    assert few["irevnet.images.float32.max"] == errors["irevnet.images.float32.max"]
    assert few["irevnet.images.float64.max"] == few["irevnet.images.float64.mean"]
    with pytest.raises(ValueError, match="has no inverse: give an i-RevNet"):
        analyse("inversion_errors", "resnet")


def test_stability_warns_of_a_precision_that_is_too_low(analyse: Analyse) -> None:
    with pytest.warns(StabilityWarning, match="in bfloat16 this net cannot be inverted"):
        found = analyse("stability", "irevnet", images=2, tolerance=1e-4)
    assert found["irevnet.float32.error"] < 1e-4 < found["irevnet.bfloat16.error"]
    assert (found["irevnet.float32.invertible"], found["irevnet.bfloat16.invertible"]) == (1, 0)
    assert found["irevnet.largest_lipschitz"] > 0
    assert found["irevnet.log10_bound"] > 0
    with pytest.raises(ValueError, match="has no inverse: give an i-RevNet"):
        analyse("stability", "resnet")


def test_interpolations_of_built_in_images(analyse: Analyse) -> None:
    found = analyse("interpolations", "irevnet", built_in=True, pairs=1, steps=3)
    assert {name.partition(".")[0] for name in found} == {"faces", "textures", "photographs"}
    assert max(found[f"{kind}.error_of_ends"] for kind in ("faces", "textures")) < 1e-4


def test_missing_faces_are_named(analyse: Analyse, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="faces_orl is missing: unpack"):
        analyse("interpolations", "irevnet", data_root=tmp_path, sources=["faces"])


def test_contraction(analyse: Analyse) -> None:
    small = {"train": 30, "test": 12, "subset": 30, "blocks": {"resnet": "units.*"}}
    by_depth = analyse("separability_by_depth", "resnet", "irevnet", **small)
    assert len(by_depth) == 2 * (3 + 3)
    by_count = analyse("separability_by_components", "irevnet", **small, counts=[1, 8, 9999])
    assert list(by_count) == [
        f"irevnet.components{count}.{kind}" for count in (1, 8) for kind in ("svm", "neighbour")
    ]


def test_rise_of_the_last_blocks_by_hand() -> None:
    found = [
        Separability("block", 4, svm, svm / 2, 0.1) for svm in (10.0, 12.0, 14.0, 20.0, 26.0, 32.0)
    ]
    rises = {one.name: one.value for one in rises_of("net", found, 9)}
    assert rises == {
        "net.rise_before.svm": 2.0,
        "net.rise_before.neighbour": 1.0,
        "net.rise_last.svm": 6.0,
        "net.rise_last.neighbour": 3.0,
    }
    assert rises_of("net", found[:4], 9) == []


def test_training_memory_by_hand(analyse: Analyse, monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(way: str, options: dict[str, Any], *_: object) -> dict[str, float]:
        blocks = options["blocks"][0]
        megabytes = {"stored": 5.0 * blocks, "checkpointed": 4.0 + blocks, "reversible": 10.0}
        return {"megabytes": megabytes[way], "seconds": 1.0 + (way != "stored")}

    monkeypatch.setattr(memory, "step_cost", cost)
    found = analyse("training_memory", blocks=[1, 4])
    growth = {way: found[f"{way}.growth"] for way in WAYS}
    assert growth == {"stored": 4.0, "checkpointed": 1.6, "reversible": 1.0}
    assert found["reversible.blocks4.time_ratio"] == 2.0
    assert "stored.blocks4.time_ratio" not in found


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_cost_of_a_step_is_measured_in_a_process_of_its_own(way: str) -> None:
    found = step_cost(way, {"blocks": [1, 1, 1]}, 8, 1, "cpu", 1)
    assert found["megabytes"] > 0
    assert found["seconds"] > 0


def test_step_that_cannot_be_measured_is_explained() -> None:
    with pytest.raises(ValueError, match="way must be one of stored, checkpointed, reversible"):
        step_cost("eager", {"blocks": [1, 1, 1]}, 8, 1, "cpu", 1)
    with pytest.raises(RuntimeError, match="kernels must be three odd widths"):
        step_cost("stored", {"blocks": [1, 1, 1], "kernels": "x"}, 8, 1, "cpu", 1)


def test_weights_of_another_spec_are_refused(
    prepared: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    write_json(folder / "spec.json", spec_of("resnet20", {"depth": 14}))
    with pytest.raises(FileNotFoundError, match=r"model\.pt is missing: an analysis needs"):
        load_run(folder, prepared)
    (folder / "model.pt").write_bytes((folders["resnet"] / "model.pt").read_bytes())
    with pytest.raises(ValueError, match="holds weights of another spec"):
        load_run(folder, prepared)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", r"model\.pt is (damaged|refused)"),
        ({"weights": {}}, r"no model\.pt of a training"),
        ({"state_dict": {}}, r"does not fit the model of today's code"),
    ],
)
def test_damaged_weights_are_named(
    prepared: Path, tmp_path: Path, content: Any, message: str
) -> None:
    spec = spec_of(*MODELS["resnet"])
    write_json(tmp_path / "spec.json", spec)
    if isinstance(content, bytes):
        (tmp_path / "model.pt").write_bytes(content)
    else:
        kept = {**content, "spec": spec} if "state_dict" in content else content
        torch.save(kept, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=message):
        load_run(tmp_path, prepared)


@pytest.mark.parametrize("place", ["name", "options"])
def test_a_stranger_s_run_runs_no_code(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "stranger.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('was_here').touch()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stranger", raising=False)
    spec = spec_of(*MODELS["resnet"])
    spec["model"][place] = "stranger:Net" if place == "name" else {"frame": "stranger:frame"}
    write_json(tmp_path / "spec.json", spec)
    torch.save({"spec": spec, "state_dict": {}}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"spec\.json names stranger:.*--trust stranger:"):
        load_run(tmp_path, prepared)
    assert not (tmp_path / "was_here").exists()
    with pytest.raises(ValueError, match=r"module stranger has no '(Net|frame)'"):
        load_run(tmp_path, prepared, trusted=["stranger:Net", "stranger:frame"])
    assert (tmp_path / "was_here").exists()


def test_what_is_not_finite_is_named(
    prepared: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    run = load_run(folders["irevnet"], prepared)
    model = run.model
    assert isinstance(model, IRevNet)
    with torch.no_grad():
        model.get_parameter("features.2.residual.conv3.weight")[0] = torch.nan
    names, chosen = depth_names(model), run.choose("test", 4)
    with pytest.raises(ValueError, match=r"features of features\.2 hold NaN"):
        collect_features(model, names, run.batches("test", chosen, 4), 4, tmp_path)
    with pytest.raises(FloatingPointError, match="holds NaN or infinity"):
        model.inverse(torch.rand(1, 768, 2, 2))


def test_a_cropping_run_sees_crops(prepared: Path, folders: dict[str, Path]) -> None:
    run = load_run(folders["irevnet"], prepared)
    recipe = {**run.spec["recipe"], "crop": {"size": 24}, "mean_image": True}
    cropped = dataclasses.replace(run, spec={**run.spec, "recipe": recipe})
    assert (run.image_shape, cropped.image_shape) == ((3, 32, 32), (3, 24, 24))
    with pytest.raises(ValueError, match="sees images less the part of a mean image"):
        cropped.enter(torch.rand(1, 3, 24, 24))


def test_photographs_need_two_images_of_a_class(analyse: Analyse) -> None:
    with pytest.raises(ValueError, match=r"4 pairs of photographs need .*cifar10-n30 has 3"):
        analyse("interpolations", "irevnet", sources=["photographs"], pairs=4)
