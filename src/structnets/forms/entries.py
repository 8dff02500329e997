"""The forms of data by name, as plain data: standard library only, no module of a form is imported.

A form is a folder of this room with a module ``stored`` (``write(directory, asked, content)``: what
lies in a prepared folder), a module ``source`` (``open_examples(spec, prepared, manifest)``: the
splits a spec uses, by name) and, unless its task is one that forms share, a module ``task``
(``make_task(spec, manifest)``: what is learned and measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class FormEntry:
    """One form of prepared data.

    Attributes
    ----------
    package : str
        Its folder, with the modules ``stored`` and ``source``.
    note : str
        What it is, in one line.
    files : tuple of str
        What lies in a prepared folder beside the manifest; empty where their number varies.
    task : str
        The module with ``make_task``.
    metrics : tuple of str
        What a spec may report; the first is the usual one.
    recipe : str
        The part of a gradient recipe that this form needs and no other has: ``crop`` or
        ``boundaries``; empty if there is none.
    readers : mapping
        Another module with ``open_examples``, by the parameter of a preparation that asks for it.
    reader : str
        The one that is asked for; empty for ``source``.
    task_of_several : str
        The module with ``make_task`` where a preparation names more than two classes; empty for
        `task`.
    fitted : str
        The kind of recipe that fits these data without gradients; empty if there is none.
    """

    package: str
    note: str
    files: tuple[str, ...] = ()
    task: str = "structnets.forms.classification"
    metrics: tuple[str, ...] = ("accuracy",)
    recipe: str = ""
    readers: Mapping[str, str] = field(default_factory=dict)
    reader: str = ""
    task_of_several: str = ""
    fitted: str = "closed_form"

    @property
    def stored(self) -> str:
        """The module with ``write``."""
        return f"{self.package}.stored"

    @property
    def source(self) -> str:
        """The module with ``open_examples``."""
        return self.reader or f"{self.package}.source"

    def for_prepared(self, prepare: Mapping[str, Any]) -> FormEntry:
        """Return the form of data that are prepared with some parameters."""
        asked = [module for name, module in self.readers.items() if prepare.get(name)]
        classes = prepare.get("classes")
        several = isinstance(classes, str) and classes.count(",") > 1
        return replace(
            self,
            reader=asked[0] if asked else self.reader,
            task=self.task_of_several if several and self.task_of_several else self.task,
        )


ARRAYS = tuple(f"{split}_{kind}" for split in ("train", "test") for kind in ("images", "labels"))
SCORED_FILES = ("volumes.npy", "scores.npy", "subjects.json", "folds.csv")
COHORT_FILES = ("volumes.npy", "labels.npy", "subjects.json", "folds.csv")
# Whole images with the outlines that annotators drew.
BOUNDARY_KINDS = ("images", "labels", "annotators")
BOUNDARY_FILES = tuple(
    f"{split}_{kind}.npy" for split in ("train", "val", "test") for kind in BOUNDARY_KINDS
)
# A fixed test set, and the textures that training images are made of.
BLOB_FILES = ("train_textures.npy", *(f"test_{kind}.npy" for kind in BOUNDARY_KINDS))
_RECORDED = "structnets.forms.recorded_classification"
_BOUNDARY_TASK = "structnets.forms.boundaries.task"
_OF_OUTLINES = ("ods", "ois", "ap")
SCORE_METRICS = ("mae", "rmse", "r2", "r")
LABEL_METRICS = ("map", "auc", "f1", "exact_match")

FORMS: Mapping[str, FormEntry] = {
    "splits": FormEntry(
        "structnets.forms.splits",
        "images with labels, in a training and a test split",
        tuple(f"{name}.npy" for name in ARRAYS),
    ),
    "cohort": FormEntry(
        "structnets.forms.cohort",
        "volumes of subjects, dealt into folds that are held out in turn",
        COHORT_FILES,
        readers={"regress_out": "structnets.forms.cohort.residual_source"},
        task_of_several=_RECORDED,
    ),
    "scores": FormEntry(
        "structnets.forms.scores",
        "volumes of subjects with a score each, dealt into folds that are held out in turn",
        SCORED_FILES,
        "structnets.forms.scores.task",
        SCORE_METRICS,
        readers={"regress_out": "structnets.forms.scores.residual_source"},
        fitted="ridge",
    ),
    "shards": FormEntry(
        "structnets.forms.shards",
        "images too many for one array, cropped in threads",
        recipe="crop",
    ),
    "pictures": FormEntry(
        "structnets.forms.pictures",
        "pictures of one's own in shards, with an answer kept for every one that is tested",
        task=_RECORDED,
        recipe="crop",
    ),
    "picture_scores": FormEntry(
        "structnets.forms.picture_scores",
        "pictures of one's own in shards, with a score each",
        task="structnets.forms.picture_scores.task",
        metrics=SCORE_METRICS,
        recipe="crop",
        fitted="ridge",
    ),
    "picture_labels": FormEntry(
        "structnets.forms.picture_labels",
        "pictures of one's own in shards, with any number of labels each",
        task="structnets.forms.picture_labels.task",
        metrics=LABEL_METRICS,
        recipe="crop",
        fitted="",
    ),
    "boundaries": FormEntry(
        "structnets.forms.boundaries",
        "whole images and the outlines that annotators drew",
        BOUNDARY_FILES,
        _BOUNDARY_TASK,
        _OF_OUTLINES,
        "boundaries",
    ),
    "blobs": FormEntry(
        "structnets.forms.blobs",
        "textured blobs, drawn anew at every step",
        BLOB_FILES,
        _BOUNDARY_TASK,
        _OF_OUTLINES,
        "boundaries",
    ),
}


def find_form(name: str) -> FormEntry:
    """Return the entry of a form.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists those there are.
    """
    if name not in FORMS:
        raise ValueError(f"unknown form of data {name!r}; allowed: {', '.join(FORMS)}")
    return FORMS[name]
