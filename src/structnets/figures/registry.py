"""The analyses there are, by name: what each draws, from how many trained networks.

Importing this imports no torch, since the workflow reads it at every parse.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structnets.figures import options
from structnets.specs.validation import Strict, checked


@dataclass(frozen=True)
class Kind:
    """One analysis.

    Attributes
    ----------
    function : str
        ``module:function`` of `structnets.figures`; takes a
        `structnets.figures.context.Context` and the checked options, draws the figure and
        returns the measured values.
    options : type
        What its options must look like.
    models : tuple of int
        Least and greatest number of trained networks.
    summary : str
        One line.
    """

    function: str
    options: type[Strict]
    models: tuple[int, int]
    summary: str


ANALYSES: dict[str, Kind] = {
    "learned_filters": Kind(
        "learned_filters:learned_filters",
        options.LearnedFilters,
        (1, 4),
        "filters of a structured layer, and the basis they are learned from",
    ),
    "atom_weights": Kind(
        "learned_filters:atom_weights",
        options.AtomWeights,
        (1, 4),
        "mean and deviation of the weights of every atom, by layer",
    ),
    "blob_pictures": Kind(
        "detections:blob_pictures",
        options.BlobPictures,
        (1, 8),
        "what small nets see, choose and answer on textured blobs",
    ),
    "detections": Kind(
        "detections:detections",
        options.Detections,
        (1, 4),
        "precision and recall of boundary detectors, their answers beside what people drew",
    ),
    "translated_arrays": Kind(
        "class_kept:translated_arrays",
        options.TranslatedArrays,
        (1, 1),
        "images whose attribute arrays are nearest to translated ones, in the last layer",
    ),
    "translation_by_depth": Kind(
        "class_kept:translation_by_depth",
        options.TranslationByDepth,
        (1, 1),
        "the same at every depth",
    ),
    "class_kept": Kind(
        "class_kept:class_kept",
        options.ClassKept,
        (1, 1),
        "how often the neighbour keeps the class, and how far the net is from covariance",
    ),
    "training_loss": Kind(
        "training_loss:training_loss", options.TrainingLoss, (1, 6), "training losses by iteration"
    ),
    "singular_values": Kind(
        "singular_values:singular_values",
        options.SingularValues,
        (1, 4),
        "singular values of the differential and their cumulated energy",
    ),
    "inversion_errors": Kind(
        "inversion_errors:inversion_errors",
        options.InversionErrors,
        (1, 4),
        "relative errors of inverted noise and images",
    ),
    "stability": Kind(
        "stability:stability",
        options.Stability,
        (1, 1),
        "whether a net can be inverted in float32 and bfloat16, block by block",
    ),
    "interpolations": Kind(
        "inversion_errors:interpolations",
        options.Interpolations,
        (1, 1),
        "images decoded between the features of two",
    ),
    "separability_by_depth": Kind(
        "separability_by_depth:separability_by_depth",
        options.SeparabilityByDepth,
        (1, 3),
        "accuracy of a linear SVM and a nearest neighbour by depth",
    ),
    "separability_by_components": Kind(
        "separability_by_depth:separability_by_components",
        options.SeparabilityByComponents,
        (1, 3),
        "the same against the number of principal components",
    ),
    "training_memory": Kind(
        "training_memory:training_memory",
        options.TrainingMemory,
        (0, 0),
        "memory and time of a training step by depth: stored, checkpointed, reversible",
    ),
}


def find_analysis(name: str) -> Kind:
    """Return the analysis called `name`.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are.
    """
    if name not in ANALYSES:
        raise ValueError(f"unknown analysis {name!r}; allowed: {', '.join(ANALYSES)}")
    return ANALYSES[name]


def check_options(name: str, given: dict[str, Any], place: str) -> dict[str, Any]:
    """Check the options of an analysis; return them as plain JSON with every default filled in.

    Raises
    ------
    ValueError
        Naming `place`, the offending keys and what is allowed.
    """
    return checked(find_analysis(name).options, given, place).model_dump(mode="json")


def check_models(name: str, count: int, place: str) -> None:
    """Refuse a number of networks that an analysis does not take."""
    least, most = find_analysis(name).models
    if not least <= count <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise ValueError(f"{place}: {name} takes {wanted} models, got {count}")


def load_function(name: str) -> Callable[..., Any]:
    """Import and return the function of an analysis."""
    module, _, function = find_analysis(name).function.partition(":")
    return getattr(importlib.import_module(f"structnets.figures.{module}.make"), function)
