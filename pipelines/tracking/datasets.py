"""The data of a training as MLflow's dataset inputs: digest, shapes and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from structnets.data.prepared.shard_answers import LABEL_SETS, members
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.identity import data_variant, prepared_name
from structnets.specs.resolved import ResolvedSpec

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

# MLflow keeps so many characters of a digest.
_DIGEST = 36


def inputs_of(spec: ResolvedSpec, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describe what a training reads, one entry for each use, plain JSON.

    Parameters
    ----------
    spec : dict
        Resolved spec.
    manifest : mapping
        Of its prepared data.
    """
    name, counts = prepared_name(spec["data"]), dict(manifest["counts"])
    trained_on = f"{name}-{data_variant(spec)}"
    size = spec["data"].get("train_size")
    entry = find_dataset(spec["data"]["name"])
    shared = {"shape": list(manifest["image_shape"]), "classes": list(manifest["classes"])}
    if entry.cohort:
        fold = {"held_out_by_seed": spec["seed"]}
        of_all = {**shared, **_counts(counts.get("cohort", {})), **fold}
        return [
            _input(name, name, manifest, context, of_all) for context in ("training", "evaluation")
        ]
    inputs = []
    for split, context in (("train", "training"), ("test", "evaluation")):
        held = counts.get(split, {})
        profile = {**shared, **_counts(held), **_of_each_label(manifest, split)}
        if split == "train" and size is not None:
            # The first of a seeded shuffle: how many of each class is not known before.
            profile = {**shared, "number": size, "of": profile.get("number")}
        shown = trained_on if split == "train" else name
        inputs.append(_input(shown, name, manifest, context, profile))
    return inputs


def _counts(held: Any) -> dict[str, Any]:
    if not isinstance(held, Mapping):
        return {"number": held}
    return {"number": sum(held.values()), "of_each_class": dict(held)}


def _of_each_label(manifest: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Return how many images have each label, where they may have several."""
    if LABEL_SETS not in manifest:
        return {}
    names = manifest["classes"]
    counts = members(manifest[LABEL_SETS][split], len(names)).sum(0).tolist()
    return {"of_each_class": dict(zip(names, counts, strict=True))}


def _input(
    name: str, prepared: str, manifest: Mapping[str, Any], context: str, profile: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "digest": str(manifest["digest"])[:_DIGEST],
        "context": context,
        "profile": dict(profile),
        "prepared": prepared,
    }


def as_mlflow(described: Mapping[str, Any]) -> DatasetInput:
    """Return a described input as MLflow takes it; nothing in it names a place on this disk."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    shape = described["profile"].get("shape", [])
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, *shape]}}
    dataset = Dataset(
        name=described["name"],
        digest=described["digest"],
        source_type="local",
        source=json.dumps({"uri": f"prepared/{described['prepared']}"}),
        schema=json.dumps({"mlflow_tensorspec": {"features": json.dumps([tensor])}}),
        profile=json.dumps(described["profile"]),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", described["context"])])
