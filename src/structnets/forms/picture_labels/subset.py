"""Which pictures a run with labels is trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from structnets.data.batches.subset import train_indices, validation_split
from structnets.forms.pictures.source import places_within
from structnets.specs.resolved import ResolvedSpec


def parts(
    spec: ResolvedSpec, sets: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a spec trains on, and those it holds out for validation.

    Parameters
    ----------
    spec : dict
        Resolved.
    sets : numpy.ndarray
        (N, labels), 1 where a picture for training has a label.
    names : sequence of str
        Of the labels.

    Returns
    -------
    train, validation : numpy.ndarray
        int64, disjoint. Those of one seed are nested in its larger ones, without validation.

    Raises
    ------
    ValueError
        If all, or none, of those to train on have a label: nothing could be learned of it. If all
        that are held out have the same.
    """
    size, seed = spec["data"]["train_size"], spec["seed"]
    train_indices(len(sets), size, seed)  # refuses a size that is too large
    chosen = stratified_order(sets, seed)[:size]
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    train, held = validation_split(chosen, fraction, seed)
    for name, count in zip(names, sets[train].sum(0).tolist(), strict=True):
        if count in (0, len(train)):
            have = "none" if not count else "all"
            raise ValueError(
                f"of the {len(train)} pictures of seed {seed} that are trained on {have} have the "
                f"label {name!r}, of which nothing can be learned so: train on more pictures "
                "(train_sizes)"
            )
    if len(held) and (sets[held].min(0) == sets[held].max(0)).all():
        raise ValueError(
            f"the {len(held)} pictures of seed {seed} that are held out for validation all have "
            "the same labels, of which nothing can be measured: raise "
            "recipe.evaluation.validation_fraction, or leave it out"
        )
    return train, held


def stratified_order(sets: np.ndarray, seed: int) -> np.ndarray:
    """Order pictures by `seed` so that the first of them have every label about in proportion.

    A picture stands where it does among those that share what is rarest about it: a label it has,
    or one it lacks. Before all come, for each label from the rarest on, the first with it and the
    first without, if no earlier one is: at most two a label.

    Parameters
    ----------
    sets : numpy.ndarray
        (N, labels), 1 where a picture has a label.
    seed : int
        Non-negative.

    Returns
    -------
    numpy.ndarray
        (N,) int64.

    Examples
    --------
    >>> sets = np.array([[1, 0]] * 30 + [[0, 1]] * 10)
    >>> sets[stratified_order(sets, seed=0)[:8]].sum(0).tolist()
    [6, 2]
    """
    shuffled = train_indices(len(sets), None, seed)
    marks = np.concatenate([sets > 0, sets == 0], axis=1)[shuffled]
    counts = marks.sum(0)
    rarest = np.where(marks, counts, len(sets) + 1).argmin(1)
    order = np.argsort(places_within(rarest), kind="stable")
    first = list[int]()
    for mark in np.argsort(counts, kind="stable"):
        if counts[mark] and not marks[first, mark].any():
            first.append(int(order[marks[order, mark].argmax()]))
    return shuffled[[*first, *order[~np.isin(order, first)]]]
