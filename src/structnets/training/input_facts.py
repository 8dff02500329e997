"""How a picture or a scan becomes the input of a trained net, as its weights' file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from structnets.data.prepared.shard_answers import LABEL_SETS, SCORES
from structnets.forms.picture_scores.units import units
from structnets.specs.resolved import ResolvedSpec


def input_facts(spec: ResolvedSpec, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a net's user has to know to make its input, as plain JSON.

    Parameters
    ----------
    spec : dict
        Resolved spec of the training.
    manifest : mapping
        Of the prepared data.

    Returns
    -------
    dict
        ``classes``; ``image_shape`` as the data were stored, (C, H, W); ``geometry``, how pictures
        were resized to that, or None; ``crop``, the part the net sees, or None; ``statistics``,
        ``mean`` and ``std`` of each channel for values in [0, 1], or None where nothing is
        subtracted; ``mean_image``, whether a mean image is; ``grey``, whether all training
        pictures were without colour; ``sides``, the least and the most pixels of a side of the
        training pictures, or None where that was not kept; of brain scans ``registered_before``,
        how many came registered to MNI152, and of how many; of a score or of labels what
        `answer_facts` says.
    """
    recipe = spec["recipe"]
    counts = manifest.get("counts", {})
    total = sum(sum(split.values()) for split in counts.values() if isinstance(split, dict))
    shape = list(manifest["image_shape"])
    converted = manifest.get("converted", {})
    before = manifest.get("source", {}).get("registered_before")
    return {
        **({} if before is None else {"registered_before": [before, total]}),
        "classes": list(manifest.get("classes", ())),
        "image_shape": shape,
        "geometry": manifest.get("geometry"),
        "crop": recipe.get("crop"),
        "statistics": manifest.get("statistics") if recipe.get("standardize") else None,
        "mean_image": bool(recipe.get("mean_image")),
        "grey": shape[0] == 1 or (bool(total) and converted.get("grey", 0) == total),
        "sides": manifest.get("sides"),
        **answer_facts(spec, manifest),
    }


def answer_facts(spec: ResolvedSpec, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a net's answer is where it is no class; nothing of classes.

    Returns
    -------
    dict
        Of scores ``score``: the ``name`` of its column, ``mean`` and ``deviation`` of the people or
        pictures that this run trained on, by which it was standardised, and their ``least`` and
        ``most``. Of any number of labels ``several``, which is true.
    """
    if LABEL_SETS in manifest:
        return {"several": True}
    if "units" in manifest:
        found = manifest["units"][spec["seed"]]
    elif SCORES in manifest:
        found = units(spec, manifest)
    else:
        return {}
    keys = ("mean", "deviation", "least", "most")
    name = spec["data"]["prepare"]["label_column"]
    return {"score": {"name": name, **dict(zip(keys, found, strict=True))}}


def in_units(answer: Any, score: Mapping[str, Any]) -> Any:
    """Return a net's answer, a number or a tensor of them, as a score.

    Examples
    --------
    >>> in_units(-0.5, {"mean": 60.0, "deviation": 8.0})
    56.0
    """
    return score["mean"] + score["deviation"] * answer


def probabilities_of(answers: Tensor, facts: Mapping[str, Any]) -> Tensor:
    """Return a net's answers (B, classes) as probabilities: of classes, or of each label alone."""
    return answers.sigmoid() if facts.get("several") else answers.softmax(1)


def labels_above_half(probabilities: Mapping[str, float]) -> list[str]:
    """Return the labels that a net gives: those of more than one half, in their order."""
    return [name for name, probability in probabilities.items() if probability > 0.5]
