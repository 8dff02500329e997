"""What a result was computed by: a digest of the definitions it depends on, wherever they lie.

From the definitions that a resolved spec names (its model's constructor, its loop, the source and
the task of its form of data) every name is followed to its definition in the library, and of those
the normal form is digested (`structnets.training.code_digest.normal_form`). Names of modules, files
and definitions do not enter, nor do annotations, docstrings, comments, formatting, and checks that
only raise: a definition can be moved or renamed. One changed constant enters.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import structnets
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.entries import foreign_paths
from structnets.forms.tasks import form_of
from structnets.identity import digest
from structnets.models.registry import constructor_of
from structnets.specs.resolved import ResolvedSpec
from structnets.training.code_digest.digests import Digests
from structnets.training.code_digest.modules import Library

VERSION = "2"
"""Edition of the digest, written before it. Digests of the first edition, over files, have none."""

# What a run's loop consists of, of each kind of recipe.
ROOTS = {
    "gradient": (
        "structnets.data.batches.seeding:seed_initialisation",
        "structnets.training.loop:GradientTraining",
    ),
    "closed_form": (
        "structnets.data.batches.seeding:seed_initialisation",
        "structnets.training.closed_form:extract",
        "structnets.training.closed_form:fit",
    ),
    "ridge": (
        "structnets.data.batches.seeding:seed_initialisation",
        "structnets.training.closed_form:extract",
        "structnets.training.ridge:fit",
    ),
}
# Of models with a method of that name alone: nothing else reads it.
FIXED_STAGE = ("fixed_stage", "structnets.training.fixed_stage:past_fixed_stage")
# Definitions that store, find, report or schedule, or that choose among equal ways: they do not
# decide what a run computes. By name or ``Class.method``, wherever they lie; a name here is given
# once in the library.
PLUMBING = frozenset(
    {
        "BLOB_FILES",
        "BOUNDARY_KINDS",
        "COHORT_FILES",
        "GradientTraining._resume",
        "GradientTraining._save",
        "LossRecord",
        "MANIFEST",
        "MEAN_IMAGE",
        "Measurement",
        "StoppedError",
        "DiscretisedWork",
        "Work",
        "cheapest",
        "cheapest_discretised",
        "count_taps",
        "file_problem",
        "find_dataset",
        "load_checkpoint",
        "load_manifest",
        "load_split",
        "open_arrays",
        "row_of",
        "save_checkpoint",
        "shape_problem",
    }
)


def code_digest(spec: ResolvedSpec, library: Digests | None = None) -> str:
    """Digest the code that a spec's result depends on.

    Parameters
    ----------
    spec : dict
        Resolved spec. Objects of other packages that it names (``package.module:object``) are
        followed through those packages too; what else is foreign enters by name.
    library : Digests, optional
        By default of the library that runs, as it was when it was first asked.

    Returns
    -------
    str
        ``2:`` and 64 hexadecimal digits.

    Raises
    ------
    KeyError
        If the spec's kind of recipe is unknown.
    ValueError
        If its data set or its model is unknown.
    ModuleNotFoundError, AttributeError
        If a definition it names has no source.
    """
    form, (constructor, options) = form_of(spec), constructor_of(spec["model"]["name"])
    foreign = [path for path in foreign_paths(spec) if path != constructor]
    packages = {_package(place) for place in (constructor, *foreign)}
    digests = library or digests_of(frozenset({"structnets", *packages}))
    method, past_it = FIXED_STAGE
    places = (
        constructor,
        *ROOTS[spec["recipe"]["kind"]],
        f"{form.source}:open_examples",
        f"{form.task}:make_task",
        *([past_it] if digests.has_method(constructor, method) else []),
        *foreign,
    )
    facts = {"options": options, "train_count": find_dataset(spec["data"]["name"]).train_count}
    return f"{VERSION}:{digest([*map(digests.of, places), facts])}"


@functools.cache
def digests_of(packages: frozenset[str]) -> Digests:
    """Return the digests of the definitions of top-level packages, which are not imported."""
    return Digests(Library({name: _locations(name) for name in packages}, {"structnets": PLUMBING}))


def _package(place: str) -> str:
    return place.partition(":")[0].partition(".")[0]


def _locations(package: str) -> list[Path]:
    if package == "structnets":
        return [Path(structnets.__file__).parent]
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"there is no package {package!r}", name=package)
    if spec.submodule_search_locations is not None:
        return [Path(place) for place in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
