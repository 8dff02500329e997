"""The experiments that MLflow's first page lists: what they are called, hold and open as."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.tracking import store, views
from structnets.foreign.address import Address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

CHAPTERS = ("chapter3", "chapter4", "chapter5", "chapter6", "own")
TARGETS = "targets"

# What MLflow's pages call trainings; an experiment without a kind opens in the view of assistants.
_KIND = {"mlflow.experimentKind": "custom_model_development"}
_NOTE = "mlflow.note.content"

_TRAININGS = (
    "One run is one training: its curve, its scores on the test set, its data, and its net as a "
    "logged model that predicts from raw files. Folds of a cross-validation and trials of a sweep "
    "are listed below the run that sums them up."
)
DESCRIPTIONS = {
    "chapter3": "Structured receptive fields. Nets whose filters are sums of Gaussian "
    f"derivatives, beside nets of free pixel filters: MNIST, CIFAR-10, ImageNet, brains.\n\n"
    f"{_TRAININGS}",
    "chapter4": "Frames and dynamic steerable blocks. Filters in frames other than pixels, "
    "steered by the image itself: CIFAR-10, outlines (BSDS500), textured blobs.\n\n"
    f"{_TRAININGS}",
    "chapter5": "Hierarchical attribute networks. Channels ordered along learned attributes: "
    f"CIFAR-10 and CIFAR-100.\n\n{_TRAININGS}",
    "chapter6": "Invertible networks. i-RevNets, which lose nothing of their input, beside "
    f"residual nets: CIFAR-10, ImageNet.\n\n{_TRAININGS}",
    "own": f"Studies of one's own, on one's own pictures or brains.\n\n{_TRAININGS}",
    TARGETS: "Tables, figures and analyses. One run is one target of the thesis, or of a "
    "study, in one preset: its cells as metrics (`row/column`), its files, and links to the "
    "trainings it was made of.",
}


def experiment_id(
    client: MlflowClient, address: Address, results: str | os.PathLike[str], name: str
) -> str:
    """Find the experiment, creating it, or bringing it back if it was deleted."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            location = store.artifact_location(address, results, name)
            return client.create_experiment(name, location, _tags(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(name)
    if found is None:
        raise RuntimeError(f"MLflow says that experiment {name!r} exists, and does not show it")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    _describe(client, found)
    return found.experiment_id


def drop_unused(client: MlflowClient) -> None:
    """Take the experiment that MLflow makes by itself off its first page, if it is empty."""
    found = client.get_experiment("0")
    empty = not client.search_runs(["0"], max_results=1)
    if found.name == "Default" and found.lifecycle_stage == "active" and empty:
        client.delete_experiment("0")


def _tags(name: str) -> dict[str, str]:
    described = {_NOTE: DESCRIPTIONS[name]} if name in DESCRIPTIONS else {}
    return {**_KIND, **described, **(views.of_trainings() if name in CHAPTERS else {})}


def _describe(client: MlflowClient, found: Experiment) -> None:
    """Give an experiment of an earlier version what it lacks; what somebody wrote stays."""
    for key, value in _tags(found.name).items():
        if key not in found.tags:
            client.set_experiment_tag(found.experiment_id, key, value)
