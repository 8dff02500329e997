"""Which pictures are for testing: a part of every class, seeded, groups kept whole."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from structnets.data.sets.pictures import labels_of
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
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for picture in pictures:
        members[groups[picture.name]][picture.label] += 1
    counts = {group: members[group] for group in sorted(members, key=lambda g: _place(seed, g))}
    totals = Counter(picture.label for picture in pictures)
    wanted = {label: max(1, round(part * count)) for label, count in totals.items()}
    have: Counter[str] = Counter()
    tested = set[str]()

    def test(group: str) -> None:
        tested.add(group)
        have.update(counts[group])

    for group, labels in counts.items():
        if all(
            have[label] + count <= wanted[label] and have[label] + count < totals[label]
            for label, count in labels.items()
        ):
            test(group)
    for label in sorted(totals):
        if have[label]:
            continue
        # All groups of the class are larger than the part: the one that exceeds it least.
        over = {
            group: sum(max(0, have[of] + n - wanted[of]) for of, n in labels.items())
            for group, labels in counts.items()
            if labels[label] and all(have[of] + n < totals[of] for of, n in labels.items())
        }
        if not over:
            raise ValueError(
                f"class {label!r} cannot be split: it has {totals[label]} pictures, of which no "
                "group can be for testing; it needs pictures of at least two groups (identical "
                "pictures are one group)"
            )
        test(min(over, key=over.__getitem__))
    return {p.name: "test" if groups[p.name] in tested else "train" for p in pictures}


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


def split_labelled(
    pictures: Sequence[Found], groups: Mapping[str, str], part: float, seed: int
) -> dict[str, str]:
    """Choose as `split_pictures`, so that both sides have pictures with and without each label.

    What is rarest comes first: a label, or to lack one, as in Sechidis, Tsoumakas and Vlahavas, "On
    the stratification of multi-label data" (2011). Of each one group is taken, then as many as make
    the part, as far as can be without more of another.

    Raises
    ------
    ValueError
        If a label cannot have both on both sides without a group that is torn apart.
    """
    names = sorted({label for picture in pictures for label in labels_of(picture.label)})
    marks: dict[str, Counter[tuple[str, bool]]] = defaultdict(Counter)
    for picture in pictures:
        has = set(labels_of(picture.label))
        marks[groups[picture.name]].update((name, name in has) for name in names)
    totals = sum(marks.values(), Counter[tuple[str, bool]]())
    order = sorted(marks, key=lambda name: _place(seed, name))
    rarest = sorted(totals, key=lambda mark: (totals[mark], mark))
    wanted = {mark: max(1, round(part * count)) for mark, count in totals.items()}
    have: Counter[tuple[str, bool]] = Counter()
    tested = set[str]()

    def fill(mark: tuple[str, bool], most: int, *, strict: bool) -> None:
        for group in order:
            if have[mark] >= most:
                return
            count = marks[group]
            if group in tested or not count[mark] or have[mark] + count[mark] > most > 1:
                continue
            left = all(have[other] + count[other] < totals[other] for other in count)
            if left and (not strict or all(have[o] + count[o] <= wanted[o] for o in count)):
                tested.add(group)
                have.update(count)

    for mark in rarest:
        fill(mark, 1, strict=False)
    for strict in (True, False):
        for mark in rarest:
            fill(mark, wanted[mark], strict=strict)
    if bare := [mark for mark in rarest if not have[mark]]:
        label, has = bare[0]
        raise ValueError(
            f"label {label!r} cannot be split: {totals[bare[0]]} pictures are "
            f"{'with' if has else 'without'} it, of which no group can be for testing; there must "
            "be some in at least two groups (identical pictures are one group)"
        )
    return {p.name: "test" if groups[p.name] in tested else "train" for p in pictures}


def _place(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}/{group}".encode()).hexdigest()
