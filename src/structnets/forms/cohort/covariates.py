"""Covariates regressed out of every voxel, by a fit to the training part alone.

What is left of a voxel is what a straight line through the covariates does not say of it. The line
is fitted to the people that are trained on and applied to those that are held out, so that nothing
of these enters it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from structnets.forms.cohort.covariate_columns import numbers_of


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
        given = numbers_of(values)
        if given is not None:
            numbers = np.array(given)
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
