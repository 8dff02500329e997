"""Cross-validation by subject: stratified folds, seeded, and the audit of what they keep apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Two different people at 8 mm correlate less; a scan and its re-registration more.
NEAR_DUPLICATE = 0.995
_SEED = 126


def stratified_folds(
    labels: np.ndarray, groups: Sequence[object], folds: int, repetition: int = 0
) -> np.ndarray:
    """Deal groups (subjects) into folds, class by class.

    Order comes from raw PCG64 words, so that a repetition means the same folds for good.

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) int64, class of each volume.
    groups : sequence
        N names; volumes of the same group come into the same fold.
    folds : int
        Number of folds, at least 2.
    repetition : int
        Another repetition deals anew.

    Returns
    -------
    numpy.ndarray
        (N,) int64 in 0..folds-1. Numbers of groups per fold differ by at most one, and so do
        those of each class.

    Raises
    ------
    ValueError
        If there are fewer folds than 2, or a class has fewer groups than folds.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    first = {group: row for row, group in reversed(list(enumerate(groups)))}
    members = sorted(first, key=lambda group: first[group])
    classes = np.array([labels[first[group]] for group in members])
    stream = np.random.SeedSequence(_SEED, spawn_key=(repetition,))
    order = np.argsort(np.random.PCG64(stream).random_raw(len(members)), kind="stable")
    fold_of: dict[object, int] = {}
    for label in np.unique(classes):
        chosen = [members[index] for index in order if classes[index] == label]
        if len(chosen) < folds:
            raise ValueError(f"class {label} has {len(chosen)} subjects, too few for {folds} folds")
        for group in chosen:
            # Dealing goes on where the last class ended, so that folds stay of one size.
            fold_of[group] = len(fold_of) % folds
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def scored_folds(
    scores: np.ndarray, groups: Sequence[object], folds: int, repetition: int = 0
) -> np.ndarray:
    """Deal groups (subjects) into folds so that low, middle and high scores are in each.

    Subjects in the order of their scores are cut into blocks of as many as there are folds, and
    those of a block are dealt as those of a class are (`stratified_folds`).

    Parameters
    ----------
    scores : numpy.ndarray
        (N,); of a subject with several, the first counts.
    groups, folds, repetition
        As for `stratified_folds`.

    Raises
    ------
    ValueError
        If there are fewer folds than 2, or fewer groups than folds.
    """
    first: dict[object, int] = {}
    for row, group in enumerate(groups):
        first.setdefault(group, row)
    ordered = sorted(first, key=lambda group: (scores[first[group]], first[group]))
    last = max(len(ordered) // max(folds, 1) - 1, 0)
    block = {group: min(place // folds, last) for place, group in enumerate(ordered)}
    blocks = np.array([block[group] for group in groups], dtype=np.int64)
    return stratified_folds(blocks, groups, folds, repetition)


def left_out_folds(groups: Sequence[str]) -> np.ndarray:
    """Give each group, a subject or a site, a fold of its own, in the order of their names.

    Returns
    -------
    numpy.ndarray
        (N,) int64.
    """
    number = {group: index for index, group in enumerate(sorted(set(groups)))}
    return np.array([number[group] for group in groups], dtype=np.int64)


def near_duplicates(
    volumes: np.ndarray, threshold: float = NEAR_DUPLICATE
) -> list[tuple[int, int, float]]:
    """Find pairs of volumes that are too alike to stand on both sides of a split.

    Parameters
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z); they are averaged to a coarse grid and standardised.
    threshold : float
        Least correlation of a pair.

    Returns
    -------
    list of (int, int, float)
        Rows i < j and their correlation, the most alike first.
    """
    coarse = np.stack([_coarse(volume[0]) for volume in volumes])
    correlation = coarse @ coarse.T
    rows, columns = np.nonzero(np.triu(correlation >= threshold, k=1))
    pairs = [(int(i), int(j), float(correlation[i, j])) for i, j in zip(rows, columns, strict=True)]
    return sorted(pairs, key=lambda pair: -pair[2])


def group_duplicates(subjects: Sequence[str], pairs: Sequence[tuple[int, int, float]]) -> list[str]:
    """Join subjects whose volumes are near-duplicates into groups named after the first.

    Returns
    -------
    list of str
        A group for each volume, in order; without pairs, the subjects themselves.
    """
    group = {subject: subject for subject in subjects}
    for i, j, _ in pairs:
        first, second = sorted((group[subjects[i]], group[subjects[j]]))
        group = {name: first if of == second else of for name, of in group.items()}
    return [group[subject] for subject in subjects]


def audit_folds(
    folds: np.ndarray, subjects: Sequence[str], pairs: Sequence[tuple[int, int, float]]
) -> list[str]:
    """Say what stands on both sides of a split; empty if nothing does.

    Parameters
    ----------
    folds : numpy.ndarray
        (N,) fold of each volume, of one repetition.
    subjects : sequence of str
        N subjects.
    pairs : sequence
        Near-duplicates, as `near_duplicates` finds them.
    """
    found = []
    for subject in sorted(set(subjects)):
        sides = {int(fold) for fold, name in zip(folds, subjects, strict=True) if name == subject}
        if len(sides) > 1:
            found.append(f"subject {subject} is in folds {sorted(sides)}")
    for i, j, alike in pairs:
        if folds[i] != folds[j]:
            found.append(
                f"{subjects[i]} and {subjects[j]} (correlation {alike:.4f}) are in folds "
                f"{int(folds[i])} and {int(folds[j])}"
            )
    return found


def _coarse(volume: np.ndarray) -> np.ndarray:
    """Average to about 24 cells along each axis, standardise to unit length."""
    factor = max(1, round(max(volume.shape) / 28))
    inner = tuple(slice(0, size // factor * factor) for size in volume.shape)
    x, y, z = (size // factor for size in volume.shape)
    cells = volume[inner].reshape(x, factor, y, factor, z, factor)
    flat = cells.mean(axis=(1, 3, 5), dtype=np.float64).ravel()
    centred = flat - flat.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-12)
