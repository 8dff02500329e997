"""A published net with all that predicting from raw files takes, in one small folder.

The folder holds the run's ``model.pt`` (spec and weights) and ``net.json`` (class names, shape of
an input, statistics). Nothing in it is code: weights are read with ``weights_only``, and the net is
built by this library. MLflow loads it by the name of this module (`_load_pyfunc`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from structnets.data.prepared.manifest import load_manifest
from structnets.entries import refuse_foreign
from structnets.files import read_json, write_json
from structnets.identity import run_id
from structnets.models.registry import create_for_spec
from structnets.specs.resolved import ClosedFormSpec, ResolvedSpec
from structnets.training import closed_form, ridge
from structnets.training.input_facts import (
    answer_facts,
    in_units,
    labels_above_half,
    probabilities_of,
)
from structnets.training.raw_files import RawFiles
from structnets.training.tensor_files import read_model

WEIGHTS, FACTS = "model.pt", "net.json"
_KEPT = ("dataset", "image_shape", "classes", "statistics", "geometry")


class TrainedNet:
    """A net in evaluation mode that predicts from the bytes of files.

    Parameters
    ----------
    model : nn.Module
        From inputs to scores of the classes.
    spec : dict
        Resolved spec of its training.
    facts : mapping
        ``classes``, ``image_shape`` and, where the training standardised, ``statistics``.
    """

    def __init__(self, model: nn.Module, spec: ResolvedSpec, facts: Mapping[str, Any]) -> None:
        self.model, self.spec, self.facts = model.eval(), spec, facts
        self.classes = tuple(facts["classes"])
        self.raw_files = RawFiles(spec, facts)

    @torch.no_grad()
    def predict_file(self, content: bytes) -> dict[str, Any]:
        """Predict from the bytes of one file.

        Returns
        -------
        dict
            ``label``, the most probable class, and ``probabilities`` by class. Of scores that are
            no log-probabilities (scattering with a PCA or SVM) the softmax only keeps the order.
            A net that estimates a score has ``estimate`` alone; one that tells any number of labels
            ``labels``, those of more than one half, and ``probabilities`` of each.

        Raises
        ------
        ValueError
            If the file cannot be read.
        """
        answers = self.model(self.raw_files(content)).double()
        if score := self.facts.get("score"):
            return {"estimate": in_units(float(answers[0, 0]), score)}
        probabilities = probabilities_of(answers, self.facts)[0].tolist()
        named = dict(zip(self.classes, probabilities, strict=True))
        if self.facts.get("several"):
            return {"labels": labels_above_half(named), "probabilities": named}
        return {"label": max(named, key=lambda name: named[name]), "probabilities": named}

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Predict from the column ``file`` of a table, each entry the bytes of one file."""
        return [self.predict_file(bytes(content)) for content in data["file"]]


def save_net(run: Path, prepared: Path, folder: Path) -> None:
    """Write the folder of a published run, from which `load_net` loads it.

    Parameters
    ----------
    run : Path
        Folder of ``model.pt`` and ``spec.json``.
    prepared : Path
        Of the data it was trained on; only their manifest is read.
    folder : Path
        Made if it is missing.

    Raises
    ------
    ValueError
        If the net does not predict from raw files; its message says why.
    OSError
        If a file is missing.
    """
    manifest = load_manifest(prepared)
    spec = read_json(run / "spec.json")
    facts = {key: manifest[key] for key in _KEPT if manifest.get(key) is not None}
    facts |= answer_facts(spec, manifest)
    RawFiles(spec, facts)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / "model.pt", folder / WEIGHTS)
    write_json(folder / FACTS, facts)


def load_net(folder: str | os.PathLike[str], trusted: Iterable[str] = ()) -> TrainedNet:
    """Load a net from the folder that `save_net` wrote.

    Parameters
    ----------
    folder : path
        With ``model.pt`` and ``net.json``.
    trusted : iterable of str
        Objects outside this library (``package.module:object``) that the net may be built with.

    Raises
    ------
    ValueError
        If a file is damaged, or names an object that is not trusted.
    """
    place = Path(folder)
    facts = read_json(place / FACTS)
    read, weights = read_model(place / WEIGHTS)
    spec = cast("ResolvedSpec", read)
    refuse_foreign(spec, trusted, place / WEIGHTS)
    RawFiles(spec, facts)  # says what is wrong before a net is built
    model = create_for_spec(spec, len(facts["classes"]), facts["image_shape"])
    try:
        return TrainedNet(with_weights(model, spec, weights), spec, facts)
    except RuntimeError as error:
        raise ValueError(f"the weights of {run_id(spec)} do not fit its model: {error}") from error


def with_weights(
    model: nn.Module, spec: ResolvedSpec, weights: Mapping[str, torch.Tensor]
) -> nn.Module:
    """Give a model the weights that a training of it published.

    What was fitted on fixed features has two parts: the features and the classifier.

    Raises
    ------
    RuntimeError
        If they do not fit.
    """
    if spec["recipe"]["kind"] == "gradient":
        model.load_state_dict(weights)
        return model
    parts = {
        part: {
            k.removeprefix(f"{part}."): v for k, v in weights.items() if k.startswith(f"{part}.")
        }
        for part in ("0", "1")
    }
    model.load_state_dict(parts["0"])
    if spec["recipe"]["kind"] == "ridge":
        return nn.Sequential(model, ridge.restored(parts["1"]))
    recipe = cast("ClosedFormSpec", spec)["recipe"]
    return nn.Sequential(model, closed_form.restored(recipe, parts["1"]))


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> TrainedNet:
    """Load a net for ``mlflow.pyfunc.load_model``; its `model_config` may have ``trust``."""
    return load_net(path, (model_config or {}).get("trust", ()))
