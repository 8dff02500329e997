"""The preset `paper` beside the thesis' protocol, typed anew from its text.

Every run that `paper` asks for, of every target, is resolved and compared with `PROTOCOL`. Where
the text is silent or another way was taken, the entry says which reading of the target it is
(`Reading`), and that reading must stand in the target's file. An entry is checked to be used, and
a target without one is an error: a new row needs its protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from structnets.data.sets.entries.catalogue import class_count, most_training_images
from structnets.reporting.requests import load_experiments, requested_specs
from structnets.specs.analysis import load_models_experiments, model_specs
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.table import Table
from structnets.specs.target import Targets, load_targets
from tests.made_results import WORKFLOW


@dataclass(frozen=True)
class Reading:
    """What the text does not say, or what is done otherwise: subject of an interpretation."""

    subject: str


FIELDS = ("data", "classes", "crop", "images", "batch", "rate", "drops", "decay", "runs")
Facts = Mapping[str, Any]
# Images are those that a training sees in all, drops in parts of it: independent of how the text
# counts (iterations or epochs). Both within 2 %, since epochs are whole.
MILLION = 1e6

# Section 3.4.1: 100 largest classes, SGD with momentum .9, weight decay .0005; the base rate "was
# decreased by a factor of 10" (the zoo's is .01); a tenth after 50,000 and 75,000 of 100,000
# iterations. Batch and crop are not stated.
EXPERIMENT1: Facts = {
    "data": "imagenet",
    "classes": 100,
    "crop": Reading("Batch and crops"),
    "images": 100_000 * 64,
    "batch": Reading("Batch and crops"),
    "rate": 0.001,
    "drops": (0.5, 0.75),
    "decay": 0.0005,
    "runs": 1,
}
# Section 3.4.2, CIFAR: no training parameters.
CIFAR3: Facts = {
    "classes": 10,
    "data": "cifar10",
    "crop": None,
    "images": Reading("Schedule"),
    "batch": Reading("Schedule"),
    "rate": Reading("Schedule"),
    "drops": Reading("Schedule"),
    "decay": Reading("Schedule"),
    "runs": 1,
}
# Section 3.4.2, MNIST: parameters of [45], averages of 3 runs.
MNIST: Facts = {
    "data": "mnist",
    "classes": 10,
    "crop": None,
    "images": Reading("Training"),
    "batch": Reading("Training"),
    "rate": Reading("Training"),
    "drops": Reading("Training"),
    "decay": Reading("Training"),
    "runs": 3,
}
# Section 3.4.4: Adam.
MRI: Facts = {
    "classes": 2,
    "crop": None,
    "images": Reading("Training"),
    "batch": Reading("Training"),
    "rate": Reading("Training"),
    "drops": Reading("Training"),
    "decay": Reading("Training"),
}
# Section 4.4.1: CIFAR-10 with crops and flips, batch 64, 164 epochs, ResNets as [60]; averages of
# 5 runs. DenseNets as [61]: 300 epochs, a tenth at half and three quarters.
RESNETS: Facts = {
    "data": "cifar10",
    "classes": 10,
    "crop": None,
    "images": 164 * 50_000,
    "batch": 64,
    "rate": 0.1,
    "drops": (0.5, 0.75),
    "decay": 0.0001,
    "runs": 5,
}
DENSENETS = {**RESNETS, "images": 300 * 50_000}
# Section 4.4.2: BSDS500, majority vote; no recipe.
BOUNDARIES: Facts = {
    "data": "bsds500 majority",
    "classes": None,
    "crop": None,
    "images": Reading("Recipe and dynamic blocks"),
    "batch": Reading("Recipe and dynamic blocks"),
    "rate": Reading("Recipe and dynamic blocks"),
    "drops": Reading("Recipe and dynamic blocks"),
    "decay": Reading("Recipe and dynamic blocks"),
    "runs": Reading("Recipe and dynamic blocks"),
}
# Section 5.4.2: SGD with momentum .9, 240 epochs, rate .25, a tenth every 40 epochs, batches of 50,
# weight decay .0002, translations of 6 pixels and flips.
HCNN: Facts = {
    "data": "cifar10",
    "classes": 10,
    "crop": None,
    "images": 240 * 50_000,
    "batch": 50,
    "rate": 0.25,
    "drops": (40 / 240, 80 / 240, 120 / 240, 160 / 240, 200 / 240),
    "decay": 0.0002,
    "runs": 1,
}
# Quoted by the thesis from their authors.
BASELINES5 = {**HCNN, **{key: Reading("Baselines") for key in ("rate", "drops", "decay")}}
RELEASED5 = {
    **HCNN,
    **{key: Reading("Released code") for key in ("images", "rate", "drops", "decay")},
}
# Section 6.3.2: 600,000 iterations of 256 images of 224 pixels, rate .1, a tenth every 160,000,
# momentum .9, weight decay .0001.
IMAGENET6: Facts = {
    "data": "imagenet",
    "classes": 1000,
    "crop": 224,
    "images": 600_000 * 256,
    "batch": 256,
    "rate": 0.1,
    "drops": (160 / 600, 320 / 600, 480 / 600),
    "decay": 0.0001,
    "runs": 1,
}
_OURS = Reading("Ours")

# By target, then row (of tables) or model (of analyses); "row/column" where columns differ.
PROTOCOL: dict[str, dict[str, Facts]] = {
    "table1": {
        "*": EXPERIMENT1,
        "nin_original_rate": {**EXPERIMENT1, "rate": 0.01},  # "the original learning rate"
    },
    "table2": {"*": EXPERIMENT1},
    "table3": {"*/cifar10": CIFAR3, "*/cifar100": {**CIFAR3, "data": "cifar100", "classes": 100}},
    "table4": {
        "*/c100": EXPERIMENT1,
        "*/c1000": {
            **EXPERIMENT1,
            "classes": 1000,
            **{
                key: Reading("Schedules for 1000 and 10 classes")
                for key in ("images", "rate", "drops", "decay")
            },
        },
        "*/c10": {
            **EXPERIMENT1,
            "classes": 10,
            **{
                key: Reading("Schedules for 1000 and 10 classes")
                for key in ("images", "rate", "drops", "decay")
            },
        },
    },
    "table5": {
        # "150 train and test 3D MRI images", one fixed subset.
        "rfnin_adni": {**MRI, "data": "adni table5", "runs": 1},
        "nin_adni": {**MRI, "data": "adni table5", "runs": 1},
        "rfnin_oasis": {**MRI, "data": "oasis_ad126", "runs": Reading("Folds of AD-126")},
        "nin_oasis": {**MRI, "data": "oasis_ad126", "runs": Reading("Folds of AD-126")},
        "linear_oasis": {},
    },
    "table6": {
        "*/resnet110": {**RESNETS, "rate": 0.1},
        "*/resnet164": RESNETS,
        "*/densenet40": DENSENETS,
        "*/densenet100": DENSENETS,
    },
    "figure6": {
        "*": MNIST,
        "scattering": {"data": "mnist", "classes": 10, "runs": 3},
        "scattering_svm": {"data": "mnist", "classes": 10, "runs": 3},
    },
    "figure11_scores": {"*": BOUNDARIES},
    "figure11": {"*": BOUNDARIES},
    "table7": {
        "*": HCNN,
        "hcnn_plus_released": RELEASED5,
        "all_cnn": BASELINES5,
        "resnet20": BASELINES5,
        "nin": BASELINES5,
    },
    "table8": {
        "*": {**HCNN, "data": "cifar100", "classes": 100},
        "hcnn_plus_released": {**RELEASED5, "data": "cifar100", "classes": 100},
        "all_cnn": {**BASELINES5, "data": "cifar100", "classes": 100},
        "nin": {**BASELINES5, "data": "cifar100", "classes": 100},
    },
    "table9": {
        "*": IMAGENET6,
        # Beside the thesis' rows: nets for CIFAR-10, as their authors released them.
        "cifar_resnet": {"data": "cifar10", "runs": 1},
        "cifar_injective": {"data": "cifar10", "runs": 1},
        "cifar_bijective": {"data": "cifar10", "runs": 1},
    },
    "figure2": {"*": EXPERIMENT1},
    "figure5": {"*": EXPERIMENT1},
    "figure14": {"*": HCNN},
    "figure15": {"*": HCNN},
    "class_kept": {"*": HCNN},
    "figure18": {"*": IMAGENET6},
    "figure19": {"*": IMAGENET6},
    "figure20": {"*": IMAGENET6},
    "figure21": {"*": IMAGENET6},
    "figure22": {"*": IMAGENET6},
    "inversion_error": {"*": IMAGENET6},
    # Blobs: "the dataset is infinite and created on the fly"; sizes and recipe are not stated.
    "figure10": {"*": {"data": "textured_blobs"}},
    "figure10_scores": {"*": {"data": "textured_blobs", "runs": Reading("Blobs and recipe")}},
    # Beyond the thesis.
    "stability": {"*": {}},
}
# Models, by target and row or model: what the thesis says is shown.
MODELS = {
    ("figure2", "rfnin"): "rfnin_scale3",  # 100 classes, orders to 3
    ("figure5", "rfnin"): "rfnin_order4",  # "RFNiN 4th-order", "15 basis filters with no scale"
    ("figure18", "irevnet"): "irevnet_b",
    ("figure18", "resnet"): "resnet50",
    ("figure19", "irevnet"): "irevnet_b",
    ("figure20", "irevnet"): "irevnet_b",
    ("figure21", "irevnet"): "irevnet_b",
    ("figure21", "resnet"): "resnet50",
    ("figure22", "irevnet"): "irevnet_b",
    ("inversion_error", "irevnet"): "irevnet_b",
    ("table7", "hcnn"): "hcnn_text",
    ("table7", "hcnn_plus"): "hcnn_text",
}
# Options of the analyses themselves.
OPTIONS = {
    # "100 randomly selected imagenet classes"; validation images of ImageNet: 50 a class.
    "figure21": {"classes": 100, "test": 5000},
    "figure22": {"classes": 100, "test": 5000},
    # "10^4 independent uniform noises and the validation set".
    "inversion_error": {"noise": 10_000, "images": 50_000},
    # One natural image; 10^3 and 10^4 values, of which the target's reading leaves out the latter.
    "figure19": {"images": 1, "leading": 1000},
}


@cache
def targets() -> Targets:
    return load_targets(WORKFLOW / "targets")


@cache
def paper_runs() -> tuple[tuple[str, str, str, ResolvedSpec, int], ...]:
    """List target, row, column (of tables), spec and number of runs of all that paper asks for."""
    return tuple([*_of_tables(), *_of_analyses()])


def _of_tables() -> Iterator[tuple[str, str, str, ResolvedSpec, int]]:
    tables = targets().tables
    experiments = load_experiments(WORKFLOW / "experiments", list(tables.values()))
    for name, table in tables.items():
        found: dict[tuple[str, str], list[ResolvedSpec]] = {}
        for request in requested_specs(table, experiments, "paper"):
            found.setdefault((request.row, request.column), []).append(request.spec)
        for (row, column), specs in found.items():
            yield name, row, column, specs[0], len(specs)


def _of_analyses() -> Iterator[tuple[str, str, str, ResolvedSpec, int]]:
    analyses = targets().analyses
    experiments = load_models_experiments(WORKFLOW / "experiments", analyses.values())
    for name, analysis in analyses.items():
        if name == "demo_outlines":
            continue  # the demo's own, which paper does not ask for
        for key, spec in model_specs(analysis, experiments, "paper").items():
            yield name, key, "", spec, 1


def protocol_of(target: str, row: str, column: str) -> Facts:
    rows = PROTOCOL[target]
    for key in (f"{row}/{column}", f"*/{column}", row, "*"):
        if key in rows:
            return rows[key]
    raise AssertionError(f"{target}: no protocol is typed for {row}, {column}")


def resolved_facts(spec: ResolvedSpec, runs: int) -> dict[str, Any]:
    """Return what `PROTOCOL` states, of a resolved spec."""
    data, recipe = spec["data"], spec["recipe"]
    variant = data["prepare"].get("merge", data["prepare"].get("split", ""))
    name = f"{data['name']} {variant}".strip()
    boundary = spec["metric"] == "ods"
    classes = None if boundary else class_count(data["name"], data["prepare"])
    facts = {"data": name, "classes": classes, "runs": runs}
    if recipe["kind"] == "closed_form":
        return facts
    count = data["train_size"] or most_training_images(data["name"], data["prepare"])
    crop, schedule = recipe["crop"], recipe["schedule"]
    milestones = schedule.get("milestones", [])
    return {
        **facts,
        "crop": crop and crop["size"],
        "images": recipe["epochs"] * count,
        "batch": recipe["batch_size"],
        "rate": recipe["optimizer"]["lr"],
        "drops": tuple(m / recipe["epochs"] for m in milestones),
        "decay": recipe["optimizer"]["weight_decay"],
    }


def fits(key: str, found: Any, stated: Any) -> bool:
    if key in ("images", "drops"):
        return found == pytest.approx(stated, rel=0.021)
    return found == stated


def test_every_run_of_paper_is_the_thesis_protocol_or_a_stated_reading() -> None:
    wrong = []
    for target, row, column, spec, runs in paper_runs():
        stated = protocol_of(target, row, column)
        found = resolved_facts(spec, runs)
        for key, value in stated.items():
            place = f"{target} {row} {column}: {key}"
            if isinstance(value, Reading):
                if value.subject not in subjects(target):
                    wrong.append(f"{place} rests on {value.subject!r}, which is not stated")
            elif not fits(key, found[key], value):
                wrong.append(f"{place} is {found[key]}, the thesis has {value}")
    assert not wrong, "\n".join(wrong)


def subjects(target: str) -> list[str]:
    found = targets().tables.get(target) or targets().analyses[target]
    return [reading.subject for reading in found.interpretations]


def test_every_protocol_is_of_a_run() -> None:
    asked = {target for target, *_ in paper_runs()}
    assert set(PROTOCOL) == asked
    full = [facts for rows in PROTOCOL.values() for facts in rows.values() if len(facts) > 4]
    assert all(set(facts) == set(FIELDS) for facts in full)


def test_paper_has_the_nets_that_the_thesis_names() -> None:
    found = {(target, row): spec["model"]["name"] for target, row, _, spec, _ in paper_runs()}
    assert {place: found[place] for place in MODELS} == MODELS


def test_analyses_look_at_what_the_thesis_looks_at() -> None:
    for target, stated in OPTIONS.items():
        analysis = targets().analyses[target]
        options = {**analysis.options, **analysis.presets["paper"].options}
        assert {key: options[key] for key in stated} == stated


def test_hcnn_s_augmentation_and_momentum_are_the_text_s() -> None:
    specs = [
        spec for target, row, _, spec, _ in paper_runs() if (target, row) == ("table7", "hcnn")
    ]
    recipe: Any = specs[0]["recipe"]
    assert recipe["augmentation"] == {"shift": 6, "flip": True}
    assert recipe["optimizer"]["momentum"] == 0.9
    assert recipe["standardize"]


def test_h_net_s_schedule_and_sparsity_are_those_of_its_code() -> None:
    """Adam at .03, a tenth every 40 of 250 epochs, batches of 10; a sparsity term of weight 1."""
    specs = {row: spec for target, row, _, spec, _ in paper_runs() if target == "figure11_scores"}
    for row, rate in (("hnet", 0.03), ("dynresnet", 0.003), ("static", 0.003)):
        recipe: Any = specs[row]["recipe"]
        assert (recipe["epochs"], recipe["batch_size"]) == (250, 10)
        assert recipe["schedule"]["gamma"] == 0.1
        assert recipe["schedule"]["milestones"] == [40, 80, 120, 160, 200, 240]
        assert recipe["optimizer"]["lr"] == rate
    hnet: Any = specs["hnet"]["recipe"]
    assert hnet["boundaries"]["sparsity"] == 1


def test_adni_is_registered_by_fsl() -> None:
    """Section 3.4.4: "normalization to MNI space with the FSL library"."""
    for target, row, _, spec, _ in paper_runs():
        if target == "table5" and row.endswith("adni"):
            assert spec["data"]["prepare"] == {"split": "table5", "registration": "flirt"}


def test_a_departure_would_be_found() -> None:
    """What was wrong once: nets for CIFAR-10 where the thesis has those for ImageNet."""
    cifar = {"data": "cifar10", "classes": 10, "crop": None, "images": 200 * 50_000}
    assert not any(fits(key, value, IMAGENET6[key]) for key, value in cifar.items())
    assert not fits("drops", (0.3,), (0.3, 0.5))
    assert isinstance(targets().tables["table1"], Table)
