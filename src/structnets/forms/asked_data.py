"""Whether prepared data are those a spec asks for, and as many; a training on others is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from structnets.data.sets.entries.catalogue import class_count, find_dataset
from structnets.data.sets.entries.entry import DatasetEntry
from structnets.foreign.shown import shortened
from structnets.identity import science


def refuse_other_data(
    spec: Mapping[str, Any], manifest: Mapping[str, Any], folder: str | os.PathLike[str]
) -> None:
    """Refuse prepared data of another name, preparation or content than a spec's, or too few.

    A study counts the pictures that it lists; which of them are damaged is known only once they are
    prepared.

    Parameters
    ----------
    spec : mapping
        A resolved spec.
    manifest : mapping
        Of the prepared data.
    folder : path
        Where they lie, for the message.

    Raises
    ------
    ValueError
        Naming what the spec asks for and what lies there.
    """
    for what, asked, found in _named_otherwise(spec["data"], manifest):
        raise ValueError(_refusal(folder, what, asked, found))
    size, unread = spec["data"].get("train_size"), manifest.get("quarantined")
    if size is not None and unread and find_dataset(spec["data"]["name"]).listed:
        left = sum(manifest["counts"]["train"].values())
        if size > left:
            raise ValueError(
                f"train_sizes: {size} are more than the {left} pictures for training that can be "
                f"read: {len(unread)} of all listed pictures cannot, "
                f"{shortened(unread[0]['file'])} ({shortened(unread[0]['reason'])}) for one. Give "
                f"at most {left}, or all, in train_sizes, or replace these files, and call the "
                "study again"
            )


def refuse_other_images(
    spec: Mapping[str, Any], manifest: Mapping[str, Any], folder: str | os.PathLike[str]
) -> None:
    """Refuse as `refuse_other_data`, and other images or classes than the data set's entry has."""
    refuse_other_data(spec, manifest, folder)
    for what, asked, found in _made_otherwise(spec["data"], manifest):
        raise ValueError(_refusal(folder, what, asked, found))


def _named_otherwise(
    data: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    if data["name"] != manifest["dataset"]:
        yield "the data set", data["name"], manifest["dataset"]
        return
    asked, found = science(data.get("prepare") or {}), science(manifest["prepare"])
    for key in sorted({*asked, *found}):
        if asked.get(key) != found.get(key):
            words = [_words(of.get(key)) for of in (asked, found)]
            yield f"{data['name']} with the prepare parameter {key!r}", *words


def _made_otherwise(
    data: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    entry, prepare = find_dataset(data["name"]), data.get("prepare") or {}
    name, shape, classes = data["name"], manifest["image_shape"], manifest["classes"]
    if not _has_shape(entry, prepare, shape):
        yield f"{name} with images of the shape", list(entry.image_shape), shape
    if entry.classes and "classes" not in prepare and list(entry.classes) != list(classes):
        yield f"{name} with the classes", _listed(entry.classes), _listed(classes)
    elif not entry.classes and "classes" in prepare and class_count(name, prepare) != len(classes):
        yield f"{name} with so many classes:", class_count(name, prepare), len(classes)


def _has_shape(entry: DatasetEntry, prepare: Mapping[str, Any], shape: list[int]) -> bool:
    """Compare shapes, where parameters change sides in their channels and axes alone."""
    own = list(entry.image_shape)
    if (entry.form == "shards" or entry.cohort or entry.listed) and prepare:
        return (shape[:1], len(shape)) == (own[:1], len(own))
    return shape == own


def _words(value: Any) -> Any:
    return "left out" if value is None else value


def _listed(names: Any) -> str:
    shown = ", ".join(map(str, names[:5]))
    return f"{shown} … ({len(names)})" if len(names) > 5 else shown


def _refusal(folder: str | os.PathLike[str], what: str, asked: Any, found: Any) -> str:
    return (
        f"the spec asks for {what} {asked}, and the data in {folder} have {found}: give the folder "
        "that was prepared for this spec, or name in the spec what these data are"
    )
