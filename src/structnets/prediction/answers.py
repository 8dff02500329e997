"""Answers of a trained net for files and folders of pictures, or of brain scans."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets.content import visible_files
from structnets.prediction.file_transform import FileTransform
from structnets.prediction.loading import Loaded


@dataclass(frozen=True)
class Answer:
    """What a net says of a file.

    Attributes
    ----------
    file : str
        As it was given.
    label : str or None
        The most probable class; None where the file could not be read.
    probabilities : dict of str to float
        Of every class.
    warnings : list of str
        In what it is unlike the training, and what quality control flags.
    error : str or None
        Why it could not be read.
    """

    file: str
    label: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON; warnings and an error only where there are any."""
        said: dict[str, Any] = {"file": self.file, "label": self.label}
        said["probabilities"] = self.probabilities
        if self.warnings:
            said["warnings"] = self.warnings
        if self.error is not None:
            said["error"] = self.error
        return said


def files_of(given: Iterable[Path], transform: FileTransform[Any]) -> list[Path]:
    """Return files as they are given, and the pictures or scans in folders, however deep.

    Raises
    ------
    FileNotFoundError
        If one is not there.
    ValueError
        If a folder holds none.
    """
    found = []
    for path in given:
        if not path.is_dir():
            if not path.exists():
                raise FileNotFoundError(
                    f"{path} is not there: give {transform.takes}s, or a folder of them"
                )
            found.append(path)
            continue
        names = [n for n in visible_files(path) if n.lower().endswith(transform.endings)]
        if not names:
            raise ValueError(f"{path} holds no {transform.takes} ({', '.join(transform.endings)})")
        found += [path / name for name in names]
    return found


def answer(loaded: Loaded, files: Sequence[Path]) -> Iterator[Answer]:
    """Answer for files in their order; what cannot be read has an error and no label."""
    size = loaded.transform.batch
    for start in range(0, len(files), size):
        answers, inputs = [], []
        for path in files[start : start + size]:
            try:
                made, remarks = loaded.transform.examine(path)
                inputs.append(made)
                answers.append(Answer(str(path), warnings=remarks))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                answers.append(Answer(str(path), error=reason))
        rows = iter(loaded.probabilities(inputs).tolist() if inputs else [])
        for said in answers:
            yield said if said.error is not None else _labelled(said, next(rows), loaded.classes)


def _labelled(said: Answer, row: list[float], classes: Sequence[str]) -> Answer:
    probabilities = dict(zip(classes, row, strict=True))
    best = max(probabilities, key=probabilities.__getitem__)
    return Answer(said.file, best, probabilities, said.warnings)


def as_csv(answers: Iterable[Answer], classes: Sequence[str]) -> str:
    """Write answers as CSV: file, label, error, warnings, and a column for each class."""
    text = io.StringIO()
    columns = [f"p({name})" for name in classes]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "label", "error", "warnings", *columns])
    for said in answers:
        values = [f"{said.probabilities[name]:.6f}" for name in classes] if said.label else []
        values = values or [""] * len(classes)
        label, error = said.label or "", said.error or ""
        writer.writerow([said.file, label, error, "; ".join(said.warnings), *values])
    return text.getvalue()
