"""Answers of a trained net for files and folders of pictures, or of brain scans."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    estimate : float or None
        Of a net that estimates a score: the score.
    score : str or None
        The name of that score.
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
    estimate: float | None = None
    score: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON; warnings and an error only where there are any."""
        said: dict[str, Any] = {"file": self.file}
        if self.score is None:
            said |= {"label": self.label, "probabilities": self.probabilities}
        else:
            said |= {"score": self.score, "estimate": self.estimate}
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
        asked = loaded.probabilities if loaded.score is None else loaded.estimates
        rows = iter(asked(inputs).tolist() if inputs else [])
        for said in answers:
            if loaded.score is not None:
                yield _estimated(said, rows, loaded.score)
            elif said.error is not None:
                yield said
            else:
                yield _labelled(said, next(rows), loaded.classes)


def _estimated(said: Answer, estimates: Iterator[float], score: Mapping[str, Any]) -> Answer:
    """Add the next estimate, and a warning where the training had no such score."""
    if said.error is not None:
        return replace(said, score=score["name"])
    value = next(estimates)
    warnings = list(said.warnings)
    if not score["least"] <= value <= score["most"]:
        warnings.append(
            f"the estimate {value:.4g} lies outside the training's scores, {score['least']:.4g} to "
            f"{score['most']:.4g}"
        )
    return replace(said, estimate=value, score=score["name"], warnings=warnings)


def _labelled(said: Answer, row: list[float], classes: Sequence[str]) -> Answer:
    probabilities = dict(zip(classes, row, strict=True))
    best = max(probabilities, key=probabilities.__getitem__)
    return Answer(said.file, best, probabilities, said.warnings)


def as_csv(answers: Iterable[Answer], classes: Sequence[str]) -> str:
    """Write answers as CSV: file, label, error, warnings, and a column for each class.

    Of a net that estimates a score, of which `classes` are none: file, estimate, error, warnings.
    """
    text = io.StringIO()
    if not classes:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["file", "estimate", "error", "warnings"])
        for said in answers:
            value = "" if said.estimate is None else f"{said.estimate:.6g}"
            lines.writerow([said.file, value, said.error or "", "; ".join(said.warnings)])
        return text.getvalue()
    columns = [f"p({name})" for name in classes]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "label", "error", "warnings", *columns])
    for said in answers:
        values = [f"{said.probabilities[name]:.6f}" for name in classes] if said.label else []
        values = values or [""] * len(classes)
        label, error = said.label or "", said.error or ""
        writer.writerow([said.file, label, error, "; ".join(said.warnings), *values])
    return text.getvalue()
