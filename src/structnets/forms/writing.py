"""Storing what a data set's function read, and comparing what is stored with its manifest.

What lies in the folder is decided by the module ``stored`` of the data set's form
(`structnets.forms.entries`), which this one calls.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from structnets.data.prepared.manifest import load_manifest, verify_files
from structnets.data.sets.entries.catalogue import DATASETS
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.entries import FORMS, find_form

logger = logging.getLogger(__name__)


def prepare(asked: Preparation, directory: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a data set by its entry's function and store it in its form.

    Parameters
    ----------
    asked : Preparation
        Which, how, and where its originals lie. Without a scratch folder, one is made.
    directory : path
        The folder to make.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    OSError, ValueError
        As the data set's function and `write` say, and for a cohort whose scans are registered
        one by one.
    """
    if asked.entry.by_subject:
        raise ValueError(
            f"the scans of {asked.name} are registered one by one: prepare it with "
            "python -m pipelines.prepare_mri"
        )
    with tempfile.TemporaryDirectory() as made:
        asked = replace(asked, scratch=asked.scratch or Path(made))
        content = DATASETS.load(asked.entry)(asked)
        for remark in content.remarks:
            logger.warning("%s", remark)
        return write(directory, asked, content)


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store a data set in its form; what is already there, whole and the same, is not touched.

    Parameters
    ----------
    directory : path
        The folder to make.
    asked : Preparation
        What was asked for.
    content : Content
        What was read.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ValueError
        If the content is not what the form stores, or `directory` holds files of another kind.
    OSError
        If writing fails; `directory` is then as it was.
    """
    form = find_form(asked.entry.form)
    return importlib.import_module(form.stored).write(directory, asked, content)


def verify(directory: str | os.PathLike[str]) -> list[str]:
    """Compare prepared data with its manifest, every byte, and its statements with the arrays.

    Returns
    -------
    list of str
        One line for each mismatch, naming the file; empty when all is as it was written.
    """
    if problems := verify_files(directory):
        return problems
    manifest = load_manifest(directory)
    name = manifest.get("form", "splits")
    if name not in FORMS:
        return [f"{Path(directory)} has the form {name!r}; known: {', '.join(FORMS)}"]
    stored = importlib.import_module(FORMS[name].stored)
    if not hasattr(stored, "content_problems"):
        return []
    return [f"{Path(directory)}: {line}" for line in stored.content_problems(directory, manifest)]
