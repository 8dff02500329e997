"""A trained net with its transform, from the folder of its run alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from structnets.entries import did_you_mean, refuse_foreign
from structnets.identity import run_id
from structnets.models.registry import create_for_spec
from structnets.prediction.mlflow_addresses import fetch_weights, is_mlflow_address
from structnets.prediction.transforms import Transform
from structnets.prediction.volumes import VolumeTransform
from structnets.specs.resolved import ResolvedSpec
from structnets.training.input_facts import in_units, probabilities_of
from structnets.training.raw_files import RawFiles
from structnets.training.tensor_files import model_content
from structnets.training.trained_net import with_weights

FILE = "model.pt"


@dataclass(frozen=True)
class Loaded:
    """A trained net and how a picture becomes its input.

    Unpacks as ``model, transform``.

    Attributes
    ----------
    model : nn.Module
        In evaluation mode; takes a batch of what the transform gives, returns logits. One that
        estimates a score returns (B, 1), standardised: `estimates` gives the score. Logits of
        any number of labels are of each label alone: `probabilities` takes their sigmoid.
    transform : Transform or VolumeTransform
        From a file, its bytes, or a PIL image to (C, H, W); from a NIfTI file to (1, X, Y, Z).
    classes : tuple of str
        Names of the outputs.
    spec : dict
        Resolved spec of the training.
    facts : dict
        What `structnets.training.input_facts` kept.
    """

    model: nn.Module
    transform: Transform | VolumeTransform
    classes: tuple[str, ...]
    spec: ResolvedSpec
    facts: dict[str, Any]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.model, self.transform))

    @property
    def score(self) -> dict[str, Any] | None:
        """Of a net that estimates a score, what `structnets.training.input_facts` says of it."""
        return self.facts.get("score")

    @property
    def several(self) -> bool:
        """Whether a picture has any number of the labels `classes`, not one."""
        return bool(self.facts.get("several"))

    @property
    def run_id(self) -> str:
        """The run it comes from."""
        return run_id(self.spec)

    @torch.inference_mode()
    def probabilities(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the probabilities of the classes, (B, classes), of transformed pictures.

        Of any number of labels each has one of its own, and they add up to no 1.

        Raises
        ------
        ValueError
            If the net estimates a score, which has no classes.
        """
        if self.score is not None:
            raise ValueError(
                f"{self.run_id} estimates {self.score['name']}, and tells no classes apart: use "
                "estimates"
            )
        return probabilities_of(self._answers(inputs), self.facts)

    @torch.inference_mode()
    def estimates(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the estimated scores, (B,) float64 in their units, of transformed scans.

        Raises
        ------
        ValueError
            If the net tells classes apart.
        """
        if self.score is None:
            raise ValueError(f"{self.run_id} tells classes apart: use probabilities")
        return in_units(self._answers(inputs)[:, 0].double(), self.score)

    def _answers(self, inputs: Sequence[Tensor]) -> Tensor:
        device = next((p.device for p in self.model.parameters()), torch.device("cpu"))
        return self.model(torch.stack(list(inputs)).to(device)).float().cpu()


def load(
    run: str | Path,
    device: torch.device | str = "cpu",
    *,
    results: str | Path = "results",
    trusted: Iterable[str] = (),
) -> Loaded:
    """Load the net of a run with its transform; neither data nor results are needed.

    Parameters
    ----------
    run : str or Path
        Folder of the run, its ``model.pt``, a run id below ``<results>/runs``, or what MLflow has:
        ``runs:/ID`` or ``models:/m-ID``, in the store of ``MLFLOW_TRACKING_URI``, else that of the
        results.
    device : torch.device or str
        Where the net goes.
    results : str or Path
        Root of the results, for run ids and their MLflow store.
    trusted : iterable of str
        Objects outside this library (``package.module:object``) that the run may be built with.
        Without, a file of somebody else's can run no code.

    Returns
    -------
    Loaded
        Unpacks as ``model, transform``.

    Raises
    ------
    FileNotFoundError
        If there is no such run.
    ValueError
        If the file is damaged, names an object that is not trusted, does not say how its input is
        made, or is of data that are neither pictures nor brain scans.

    Examples
    --------
    >>> model, transform = load("results/runs/resnet20-…")  # doctest: +SKIP
    >>> model(transform("picture.jpg")[None]).argmax()  # doctest: +SKIP
    """
    _check_device(device)
    with tempfile.TemporaryDirectory() as fetched:
        if is_mlflow_address(run):
            path = fetch_weights(str(run), Path(fetched), Path(results))
        else:
            path = find_weights(run, Path(results))
        content = model_content(path)
    spec, facts = content["spec"], content.get("input")
    refuse_foreign(spec, trusted, path)
    if facts is None:
        raise ValueError(
            f"{path} does not say how a picture becomes its input, since it was trained by an "
            "earlier version: train the run again"
        )
    try:
        files = RawFiles(spec, facts)
        transform = (VolumeTransform if files.of_scans else Transform)(files, facts)
        model = create_for_spec(spec, len(facts["classes"]), facts["image_shape"])
        model = with_weights(model, spec, content["state_dict"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit the model of today's code: {error}") from error
    return Loaded(model.to(device).eval(), transform, tuple(facts["classes"]), spec, facts)


def _check_device(device: torch.device | str) -> None:
    """Refuse a device that is not here, or that computes nothing.

    Raises
    ------
    ValueError
        If so.
    """
    if str(device).startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device {device}: torch finds no GPU here; leave it out, or say cpu")
    try:
        usable = not torch.zeros(1, device=device).is_meta
    except (AssertionError, ImportError, NotImplementedError, RuntimeError):
        usable = False
    if not usable:
        raise ValueError(f"device {device}: torch cannot compute on it here; say cpu or cuda")


def find_weights(run: str | Path, results: Path) -> Path:
    """Return the file of a run's weights.

    Raises
    ------
    FileNotFoundError
        Naming the places that were looked at.
    """
    given = Path(run)
    places = [given, given / FILE, results / "runs" / given / FILE]
    for place in places:
        if place.is_file():
            return place
    looked = " nor ".join(str(place) for place in places[1:])
    there = [folder.name for folder in (results / "runs").glob("*") if (folder / FILE).is_file()]
    near = did_you_mean(given.name, there)
    raise FileNotFoundError(
        f"no run {str(run)!r}{near}: neither {looked} is there; give the folder of a run, or "
        "its id and --results"
    )
