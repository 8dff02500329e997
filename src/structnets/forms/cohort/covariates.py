"""Covariates regressed out of every voxel, by a fit to the training part alone.

What is left of a voxel is what a straight line through the covariates does not say of it. The line
is fitted to the people that are trained on and applied to those that are held out, so that nothing
of these enters it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MISSING = ("", "n/a", "N/A", "NA", "nan", "NaN")
"""What a table writes where it has no value."""


def named_columns(prepare: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that a preparation asks to regress out."""
    return tuple(filter(None, (part.strip() for part in prepare.get("regress_out", "").split(","))))


def numbers_of(values: Sequence[str]) -> np.ndarray | None:
    """Return the values of a column as numbers, (N,); None if they are names.

    Raises
    ------
    ValueError
        If one is infinite.
    """
    try:
        found = np.array([float(value) for value in values])
    except ValueError:
        return None
    if not np.isfinite(found).all():
        raise ValueError(f"{values[int(np.argmin(np.isfinite(found)))]!r} is no finite number")
    return found


def refuse_unusable(columns: Sequence[str], people: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse covariates that cannot be regressed out of everybody.

    Parameters
    ----------
    columns : sequence of str
        The covariates.
    people : mapping
        What the table says of each person, by column.

    Raises
    ------
    ValueError
        If somebody lacks one, all have the same, or a name in it is of one person alone.
    """
    for column in columns:
        values = [traits[column] for traits in people.values()]
        lacking = [name for name, traits in people.items() if traits[column] in MISSING]
        if lacking:
            raise ValueError(
                f"regress_out: {len(lacking)} of {len(people)} people have no {column!r} "
                f"({', '.join(lacking[:5])}): fill it in, or exclude them"
            )
        if len(set(values)) < 2:
            raise ValueError(f"regress_out: everybody has the {column} {values[0]!r}: leave it out")
        if numbers_of(values) is None:
            alone = sorted({value for value in values if values.count(value) == 1})
            if alone:
                raise ValueError(
                    f"regress_out: {column} {alone[0]!r} is of one person alone, of whom nothing "
                    "can be learned while they are held out: exclude them, or join values"
                )


def design_matrix(
    columns: Sequence[str], traits: Sequence[Mapping[str, str]], train: np.ndarray
) -> np.ndarray:
    """Return the covariates as numbers, centred on the training part.

    Parameters
    ----------
    columns : sequence of str
        The covariates. One that has names becomes a column of 0 and 1 for each but the first.
    traits : sequence of mapping
        What is known of each of N scans.
    train : numpy.ndarray
        Rows of the training part.

    Returns
    -------
    numpy.ndarray
        (N, K) float64.

    Raises
    ------
    ValueError
        If a held-out scan has a name that no trained one has.
    """
    found = []
    for column in columns:
        values = [of[column] for of in traits]
        numbers = numbers_of(values)
        if numbers is not None:
            spread = numbers[train].std()
            found.append((numbers - numbers[train].mean()) / (spread if spread > 0 else 1.0))
            continue
        names = sorted({values[row] for row in train})
        if unknown := sorted(set(values) - set(names)):
            raise ValueError(
                f"regress_out: {column} {unknown[0]!r} is of held-out people alone: ask for other "
                "folds, or join values"
            )
        for name in names[1:]:
            flags = np.array([float(value == name) for value in values])
            found.append(flags - flags[train].mean())
    return np.stack(found, 1)


def residuals(volumes: np.ndarray, design: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return volumes without what covariates say of each voxel.

    Parameters
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z).
    design : numpy.ndarray
        (N, K), centred on the training part (`design_matrix`).
    train : numpy.ndarray
        Rows that the least squares are of.

    Returns
    -------
    numpy.ndarray
        float32, of the volumes' shape; the mean of the training part is kept.

    Raises
    ------
    ValueError
        If there are fewer training scans than covariates by two or more.

    Examples
    --------
    >>> ages = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> volumes = (10 + 3 * ages).reshape(4, 1, 1, 1, 1)
    >>> residuals(volumes, ages, np.array([0, 1, 2])).ravel()
    array([10., 10., 10., 10.], dtype=float32)
    """
    if len(train) < design.shape[1] + 2:
        raise ValueError(
            f"regress_out: {design.shape[1]} covariates are too many for {len(train)} scans in "
            "training: name fewer"
        )
    flat = volumes.reshape(len(volumes), -1)
    slopes = np.linalg.pinv(design[train]).astype(np.float32) @ flat[train].astype(np.float32)
    left = flat - design.astype(np.float32) @ slopes
    return left.reshape(volumes.shape).astype(np.float32)
