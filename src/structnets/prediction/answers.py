"""Answers of a trained net for files and folders of pictures, or of brain scans."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from structnets.content import visible_files
from structnets.pictures.tables import written_labels
from structnets.prediction.file_transform import FileTransform
from structnets.prediction.loading import Loaded
from structnets.training.input_facts import labels_above_half


@dataclass(frozen=True)
class Answer:
    """What a net says of a file.

    Attributes
    ----------
    file : str
        As it was given.
    label : str or None
        The most probable class; None where the file could not be read, or a file may have any
        number of labels.
    probabilities : dict of str to float
        Of every class.
    labels : list of str or None
        Of a net that tells any number of labels: those of more than one half; None where the file
        could not be read.
    estimate : float or None
        Of a net that estimates a score: the score.
    score : str or None
        The name of that score.
    several : bool
        Whether the net tells any number of labels.
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
    labels: list[str] | None = None
    several: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON; warnings and an error only where there are any."""
        said: dict[str, Any] = {"file": self.file}
        if self.score is not None:
            said |= {"score": self.score, "estimate": self.estimate}
        else:
            told = {"labels": self.labels} if self.several else {"label": self.label}
            said |= {**told, "probabilities": self.probabilities}
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
                yield replace(said, several=loaded.several)
            else:
                yield _labelled(said, next(rows), loaded)


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


def _labelled(said: Answer, row: list[float], loaded: Loaded) -> Answer:
    probabilities = dict(zip(loaded.classes, row, strict=True))
    said = replace(said, probabilities=probabilities, several=loaded.several)
    if loaded.several:
        return replace(said, labels=labels_above_half(probabilities))
    return replace(said, label=max(probabilities, key=probabilities.__getitem__))


def as_csv(answers: Sequence[Answer], loaded: Loaded) -> str:
    """Write answers as CSV: file, label, error, warnings, and a column for each class.

    Of any number of labels it has ``labels`` with ``;`` between them, or ``none``; of a score
    ``estimate``, and no more columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = () if loaded.score is not None else loaded.classes
    what = "labels" if loaded.several else "label" if names else "estimate"
    writer.writerow(["file", what, "error", "warnings", *(f"p({name})" for name in names)])
    for said in answers:
        values = [f"{said.probabilities[name]:.6f}" if said.probabilities else "" for name in names]
        line = [said.file, _told(said), said.error or "", "; ".join(said.warnings)]
        writer.writerow([*line, *values])
    return text.getvalue()


def _told(said: Answer) -> str:
    """Write what is said of a file in one cell, which is empty where it could not be read."""
    if said.estimate is not None:
        return f"{said.estimate:.6g}"
    if said.labels is not None:
        return written_labels(said.labels)
    return said.label or ""
