"""What a run lacks of the full protocol, in words, and what guessing would score.

The full protocol of a cell is its resolved spec in the preset ``paper``. A run is comparable with
the thesis if its spec is that one in all but seed and preset, whichever preset trained it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from structnets import identity
from structnets.cohorts.request import CohortRequest
from structnets.data.sets.entries.catalogue import class_count, find_dataset, most_training_images
from structnets.entries import load_path
from structnets.models.entries.arguments import MODELS
from structnets.reporting.ledger import Line

FULL = "paper"
"""The preset that is the thesis' protocol."""

_MOST_OF_CHANCE = 1.5  # a net that learned anything scores more
_NEAR = 0.99  # a loss at ln C or above, as far as rounding and a few images let it be seen
_OFF = (None, False, [], {})
# How a difference is called; what is not named here is called by its place in the spec.
_NAMES = {
    "model.options.values": "K",
    "model.options.terms": "Q",
    "model.options.momentum": "momentum of the batch statistics",
    "model.options.blocks": "blocks a stage",
    "model.options.voxel_mm": "mm a voxel of the net",
    "data.prepare.grid_mm": "mm a voxel",
    "data.prepare.field_of_view": "field of view",
    "data.prepare.textures": "textures",
    "data.prepare.merge": "labels",
    "data.prepare.held_out": "textures held out by",
    "recipe.boundaries.sparsity": "sparsity",
    "recipe.standardize": "standardised images",
    "data.prepare.classes": "classes",
    "data.prepare.geometry": "stored images",
    "data.prepare.difficulty": "blobs",
    "recipe.batch_size": "images a batch",
    "recipe.optimizer.lr": "rate",
    "recipe.optimizer.weight_decay": "weight decay",
    "recipe.optimizer.momentum": "momentum",
    "recipe.crop.size": "pixels a crop",
    "recipe.boundaries.crop": "crop",
    "recipe.boundaries.thresholds": "thresholds",
    "recipe.augmentation": "augmentation",
}


def science_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be equal for two runs to fill one cell: all but seed and preset."""
    return identity.science({k: v for k, v in spec.items() if k not in ("seed", "preset")})


def differences(spec: Mapping[str, Any], full: Mapping[str, Any]) -> list[str]:
    """Say in words how a spec differs from the full protocol's.

    Parameters
    ----------
    spec, full : mapping
        Resolved specs.

    Returns
    -------
    list of str
        ``2,000 of 50,000 images``, ``15 of 240 epochs``, ``K 8 of 16``; empty if and only if
        their science is equal.
    """
    own, other = science_of(spec), science_of(full)
    if own == other:
        return []
    said = _images(spec["data"], full["data"])
    places = _different(own, other)
    # What has another name has other options, which say nothing by themselves.
    renamed = {place.rpartition(".")[0] for place in places if place.endswith((".name", ".kind"))}
    for place in places:
        part = next((one for one in renamed if place.startswith(f"{one}.")), None)
        if part is not None:
            phrase = _whole(part, own, other)
            if place.startswith("model.options."):
                values = _value(place, spec, own), _value(place, full, other)
                if None not in values and values[0] != values[1]:
                    said.append(_phrase(place, *values))
        elif place == "data.train_size":
            continue
        elif place == "data.prepare.partial":
            phrase = "a partial copy of the data" if _at(own, place) else "a whole copy of the data"
        elif place.startswith("recipe.schedule"):
            phrase = _schedule(_at(own, "recipe.schedule"), _at(other, "recipe.schedule"))
        else:
            phrase = _phrase(place, _value(place, spec, own), _value(place, full, other))
        if phrase not in said:
            said.append(phrase)
    return said or ["another number of training images"]


def _different(own: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> list[str]:
    """List the places of the spec where two of them differ."""
    found = []
    for key in sorted({*own, *other}, key=lambda key: (key != "epochs", key)):
        mine, others = own.get(key), other.get(key)
        if mine == others:
            continue
        place = f"{at}{key}"
        both = isinstance(mine, Mapping) and isinstance(others, Mapping)
        if both or place in ("model.options", "data.prepare"):
            found += _different(mine or {}, others or {}, f"{place}.")
        else:
            found.append(place)
    return found


def _at(content: Any, place: str) -> Any:
    for key in place.split("."):
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _images(own: Mapping[str, Any], full: Mapping[str, Any]) -> list[str]:
    """Say how many images are trained on, if fewer or more."""
    mine, all_of_them = (
        data.get("train_size") or most_training_images(data["name"], data["prepare"])
        for data in (own, full)
    )
    if mine == all_of_them or not (mine and all_of_them):
        return []
    between = "of" if mine < all_of_them else "in place of"
    return [f"{mine:,} {between} {all_of_them:,} images"]


def _whole(part: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say that another net, data set or optimiser was taken, with its rate if it has one."""
    names = []
    for content in (own, other):
        given = _at(content, part) or {}
        name = given.get("name") or given.get("kind") or "none"
        names.append(f"{name} (rate {given['lr']:g})" if "lr" in given else name)
    called = {"model": "net ", "data": "data "}.get(part, f"{part.rpartition('.')[2]} ")
    return f"{called}{names[0]} in place of {names[1]}"


def _schedule(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say when the rate drops, and in the same way or in another."""
    after = [" and ".join(map(str, one.get("milestones", []))) for one in (own, other)]
    alike = {k: v for k, v in own.items() if k != "milestones"} == {
        k: v for k, v in other.items() if k != "milestones"
    }
    if alike and all(after):
        return f"rate dropping after {after[0]} epochs in place of {after[1]}"
    return f"schedule {_shown(dict(own))} in place of {_shown(dict(other))}"


def _value(place: str, spec: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """Return what stands at a place, or what a part that is left out there means."""
    value = _at(content, place)
    if value is not None:
        return value
    key = place.rpartition(".")[2]
    if place.startswith("model.options."):
        return _default(spec["model"]["name"], key)
    if place.startswith("data.prepare."):
        return _usual(spec["data"], key)
    return None


def _usual(data: Mapping[str, Any], key: str) -> Any:
    """Return what a prepare parameter is where it is left out."""
    facts = find_dataset(data["name"])
    if facts.cohort:
        return getattr(CohortRequest(data["name"], data["prepare"]), key, "its default")
    # Of images in shards the first of the allowed values is the default.
    return facts.parameters[key][0] if key in ("geometry", "storage", "classes") else "its default"


def _default(model: str, option: str) -> Any:
    """Return the default of a model's option; None where its constructor does not say it."""
    try:
        parameters = inspect.signature(load_path(MODELS.find(model).constructor)).parameters
    except (TypeError, ValueError):
        return None
    default = parameters[option].default if option in parameters else inspect.Parameter.empty
    return None if default is inspect.Parameter.empty else default


def _phrase(place: str, own: Any, other: Any) -> str:
    if place == "recipe.epochs":
        return f"{own:,} {'of' if own < other else 'in place of'} {other:,} epochs"
    return phrase_of(_NAMES.get(place) or place.removeprefix("model.options."), own, other)


def phrase_of(name: str, own: Any, other: Any) -> str:
    """Say that something has one value where the full protocol has another.

    Examples
    --------
    >>> phrase_of("K", 8, 16)
    'K 8 of 16'
    >>> phrase_of("pairs", [{"key": "a", "net": "x"}], [{"key": "a", "net": "y"}])
    'net x in place of y'
    """
    if _are_rows(own) and _are_rows(other) and len(own) == len(other):
        return _phrase_of_rows(own, other)
    counts = type(own) is int and type(other) is int and own < other
    return f"{name} {_shown(own)} {'of' if counts else 'in place of'} {_shown(other)}"


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _phrase_of_rows(own: Sequence[Mapping], other: Sequence[Mapping]) -> str:
    """Say what differs between rows in the same places, and of which where it is not of all."""
    rows: dict[str, list[str]] = {}
    for number, (mine, others) in enumerate(zip(own, other, strict=True), start=1):
        for key in sorted({*mine, *others}):
            if mine.get(key) != others.get(key):
                phrase = phrase_of(key, mine.get(key), others.get(key))
                rows.setdefault(phrase, []).append(str(mine.get("key", number)))
    return ", ".join(
        phrase if len(named) == len(own) else f"{phrase} ({', '.join(named)})"
        for phrase, named in rows.items()
    )


def _shown(value: Any) -> str:
    if value in _OFF:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(_named(key, one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return " × ".join(map(_shown, value)) if len(value) == 2 else "/".join(map(_shown, value))
    if value is True:
        return "yes"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _named(key: str, value: Any) -> str:
    return _shown(value) if key in ("name", "kind") else f"{key} {_shown(value)}"


def chance_level(spec: Mapping[str, Any], metric: str, lines: Sequence[Line] = ()) -> float | None:
    """Return what guessing scores: among C classes 100 / C percent.

    Of a cohort it is what naming the most frequent label always scores, which needs the labels of
    the predictions in `lines`. None of what has no such level, F-scores of outlines for example.

    Examples
    --------
    >>> chance_level({"data": {"name": "mnist", "prepare": {}}}, "error")
    90.0
    """
    classes = classes_of(spec)
    of_classes: dict[str, Callable[[int], float]] = {
        "accuracy": lambda c: 100 / c,
        "error": lambda c: 100 - 100 / c,
    }
    if classes is not None and metric in of_classes:
        return of_classes[metric](classes)
    if find_dataset(spec["data"]["name"]).form != "cohort":
        return None
    if metric in ("balanced_accuracy", "auc"):
        return 50.0
    labels = [label for line in lines for label, _ in line.get("predictions", [])]
    if not labels or metric not in of_classes:
        return None
    most = 100 * max(labels.count(label) for label in set(labels)) / len(labels)
    return most if metric == "accuracy" else 100 - most


def classes_of(spec: Mapping[str, Any]) -> int | None:
    """Return among how many equally frequent classes a spec's images are; None if they are not."""
    facts = find_dataset(spec["data"]["name"])
    if facts.form not in ("splits", "shards"):
        return None
    prepare = spec["data"]["prepare"]
    if not facts.classes and "classes" not in {**facts.parameters, **prepare}:
        return None
    count = class_count(spec["data"]["name"], prepare)
    return count if isinstance(count, int) else None


def did_not_train(line: Line) -> bool:
    """Say whether a run ended where guessing does: its loss at ln C, its accuracy at chance.

    Outlines of blobs have no accuracy; their balanced loss is ln 2 for a net that knows nothing.
    """
    classes, metrics = classes_of(line["spec"]), line["metrics"]
    if "loss" not in metrics:
        return False
    if "ods" in metrics and find_dataset(line["spec"]["data"]["name"]).form == "blobs":
        return _at_guessing(metrics["loss"], 2)
    if classes is None or "accuracy" not in metrics:
        return False
    at_chance = metrics["accuracy"] <= _MOST_OF_CHANCE * 100 / classes
    return at_chance and _at_guessing(metrics["loss"], classes)


def _at_guessing(loss: float, classes: int) -> bool:
    return math.isnan(loss) or loss >= _NEAR * math.log(classes)
