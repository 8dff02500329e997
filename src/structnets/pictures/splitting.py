"""Which pictures are for testing: a part of every class, seeded, groups kept whole."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from structnets.pictures.found import Found


def split_pictures(
    pictures: Sequence[Found], groups: Mapping[str, str], part: float, seed: int
) -> dict[str, str]:
    """Choose ``train`` or ``test`` for every picture.

    Parameters
    ----------
    pictures : sequence of Found
        All of them.
    groups : mapping of str to str
        The group of each picture, by name; all of one group go to one side.
    part : float
        The part of every class that is for testing, at least one picture.
    seed : int
        Which ones. Groups are ordered by a digest of seed and group, so that what is added moves
        no other picture further than it has to.

    Returns
    -------
    dict of str to str
        By name.

    Raises
    ------
    ValueError
        If a class cannot have pictures on both sides without a group that is torn apart.
    """
    members: dict[str, list[Found]] = defaultdict(list)
    for picture in pictures:
        members[groups[picture.name]].append(picture)
    totals = Counter(picture.label for picture in pictures)
    wanted = {label: max(1, round(part * count)) for label, count in totals.items()}
    have: Counter[str] = Counter()
    split = {}
    for group in sorted(members, key=lambda name: _place(seed, name)):
        labels = Counter(picture.label for picture in members[group])
        room = all(
            have[label] + count <= max(wanted[label], 1 if have[label] else count)
            and have[label] < wanted[label]
            and have[label] + count < totals[label]
            for label, count in labels.items()
        )
        if room:
            have.update(labels)
        for picture in members[group]:
            split[picture.name] = "test" if room else "train"
    if bare := sorted(label for label in totals if not have[label]):
        raise ValueError(
            f"class {bare[0]!r} cannot be split: it has {totals[bare[0]]} pictures, of which no "
            "group can be for testing; it needs pictures of at least two groups (identical "
            "pictures are one group)"
        )
    return split


def split_scored(
    pictures: Sequence[Found], groups: Mapping[str, str], part: float, seed: int
) -> dict[str, str]:
    """Choose as `split_pictures`, so that low, middle and high scores are on both sides.

    Scores are cut into as many parts of equal numbers of groups, at most five, as groups allow; a
    group counts by its mean score.

    Raises
    ------
    ValueError
        If there are fewer than two groups (identical pictures are one).
    """
    of: dict[str, list[float]] = defaultdict(list)
    for picture in pictures:
        of[groups[picture.name]].append(float(picture.label))
    if len(of) < 2:
        raise ValueError(
            "all pictures are of one group, which cannot be split; name smaller groups (identical "
            "pictures are one group)"
        )
    ordered = sorted(of, key=lambda group: (sum(of[group]) / len(of[group]), group))
    for count in (5, 3, 1):
        stratum = {group: str(count * n // len(ordered)) for n, group in enumerate(ordered)}
        cut = [replace(picture, label=stratum[groups[picture.name]]) for picture in pictures]
        try:
            return split_pictures(cut, groups, part, seed)
        except ValueError:
            if count == 1:
                raise
    raise AssertionError("one part was tried")


def _place(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}/{group}".encode()).hexdigest()
