"""From what a study says to the list of its pictures: found, read, checked, split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from structnets.content import ListedFile, list_files
from structnets.data.sets.pictures import ListedPicture, PictureList
from structnets.foreign.near_names import refuse_near_names
from structnets.identity import digest
from structnets.pictures.found import Collection, Found, in_folder, in_table
from structnets.pictures.kinds import KINDS
from structnets.pictures.tables import NONE
from structnets.specs.study import Study

# By so much of all pictures the part for testing may differ from what is asked without a word.
TOLERATED = 0.1


@dataclass(frozen=True)
class Gathered:
    """The pictures of a study.

    Attributes
    ----------
    pictures : PictureList
        What is trained and tested on.
    left_out : list of (str, str)
        What is not, and why.
    warnings : list of str
        What a reader should know of these data, in whole sentences.
    memory : Path, optional
        Where checksums are kept, with the names of files.
    """

    pictures: PictureList
    left_out: list[tuple[str, str]]
    warnings: list[str]
    memory: Path | None = None


def gather(
    study: Study,
    file: Path,
    memory: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Gathered:
    """Find, read and split the pictures of a study.

    Parameters
    ----------
    study : Study
        What is asked for.
    file : Path
        Where it is written; its paths are relative to it.
    memory : Path, optional
        Folder in which checksums are kept from call to call.
    progress : callable
        Told files read and their total.

    Raises
    ------
    OSError
        If a folder, table or picture is not there.
    ValueError
        If there are fewer than two classes, a class has no picture on one side, or identical
        pictures have two labels or are on both sides, or two groups have nearly one name; both
        names are told. If scores have fewer than three values.
    """
    found = collect(study, file).without(study.exclude)
    # What is drawn follows this order, and the digest of the list must not depend on a table's. It
    # is the one of `visible_files`.
    found.pictures.sort(key=lambda picture: picture.name.split("/"))
    known = None if memory is None else memory / f"{digest(str(found.folder))[:16]}.json"
    kind, names = KINDS[study.kind], [picture.name for picture in found.pictures]
    files = {f.name: f for f in list_files(found.folder, names, known, progress)}
    empty = {name for name, file in files.items() if not file.size}
    found.left_out += [(name, "is empty: it has no byte") for name in sorted(empty)]
    found.pictures = [picture for picture in found.pictures if picture.name not in empty]
    same = _identical(found.pictures, files)
    kind.check(found, study.label_column)
    _check_identical(same)
    refuse_near_names({p.group for p in found.pictures if p.group}, "groups")
    unlike: list[str] = []
    groups = _groups(found.pictures, same)
    if not all(picture.split for picture in found.pictures):
        chosen = kind.split(found.pictures, groups, study.split.test, study.split.seed)
        found.pictures = [replace(p, split=chosen[p.name]) for p in found.pictures]
        unlike = _unlike_asked(list(chosen.values()), study.split.test)
    else:
        _check_given(found.pictures)
        kind.check_sides(found.pictures)
    numbers = _numbered(groups)
    listed = PictureList(
        str(found.folder),
        tuple(kind.names([picture.label for picture in found.pictures])),
        tuple(_listed(picture, files[picture.name], numbers) for picture in found.pictures),
    )
    warnings = [*kind.warnings(listed, study.label_column), *unlike, *_doubled(same)]
    return Gathered(listed, found.left_out, warnings, known)


def _unlike_asked(sides: Sequence[str], part: float) -> list[str]:
    """Say so where the part for testing is clearly another one than the study asks for."""
    found = sides.count("test") / len(sides)
    if abs(found - part) <= TOLERATED:
        return []
    return [
        f"{found:.0%} of the pictures are for testing, where split.test asks for {part:.0%}: "
        "groups (and identical pictures) stay whole, and of each class at least one is tested"
    ]


def collect(study: Study, file: Path) -> Collection:
    """Find the pictures of a study, in its table or its folder."""
    folder = None if study.images is None else study.place(study.images, file)
    if study.table is not None:
        return in_table(
            study.place(study.table, file),
            folder,
            study.split.groups,
            label=study.label_column,
            reader=KINDS[study.kind].reader,
        )
    assert folder is not None
    return in_folder(folder, study.split.groups)


def _listed(picture: Found, file: ListedFile, groups: Mapping[str, int]) -> ListedPicture:
    name, split = picture.name, "test" if picture.split == "test" else "train"
    return ListedPicture(name, file.size, file.sha256, picture.label, split, groups.get(name))


def _identical(pictures: Sequence[Found], files: dict[str, ListedFile]) -> list[list[Found]]:
    """Return the pictures whose files are equal byte for byte, together."""
    by_content: dict[str, list[Found]] = defaultdict(list)
    for picture in pictures:
        by_content[files[picture.name].sha256].append(picture)
    return [equal for equal in by_content.values() if len(equal) > 1]


def _check_identical(same: Sequence[Sequence[Found]]) -> None:
    for equal in same:
        first = equal[0]
        for other in equal[1:]:
            if other.label != first.label:
                raise ValueError(
                    f"{first.name} and {other.name} are the same picture, but of the labels "
                    f"{first.label or NONE!r} and {other.label or NONE!r}: remove one, or name it "
                    "in exclude"
                )
            if other.split != first.split:
                raise ValueError(
                    f"{first.name} (for {first.split}) and {other.name} (for {other.split}) are "
                    "the same picture: what is tested must not be trained on; remove one, or name "
                    "it in exclude"
                )


def _groups(pictures: Sequence[Found], same: Sequence[Sequence[Found]]) -> dict[str, str]:
    """Return the group of each picture; those that share an identical picture are one."""
    groups = {picture.name: picture.group or f"\0{picture.name}" for picture in pictures}
    leader = {group: group for group in groups.values()}

    def find(group: str) -> str:
        while leader[group] != group:
            group = leader[group]
        return group

    for equal in same:
        for other in equal[1:]:
            leader[find(groups[other.name])] = find(groups[equal[0].name])
    return {name: find(group) for name, group in groups.items()}


def _numbered(groups: Mapping[str, str]) -> dict[str, int]:
    """Return a number for the group of each picture that is not alone in it, names being private.

    Examples
    --------
    >>> _numbered({"a.png": "ann", "b.png": "bob", "c.png": "ann"})
    {'a.png': 0, 'c.png': 0}
    """
    sizes = Counter(groups.values())
    number = {group: n for n, group in enumerate(of for of in sizes if sizes[of] > 1)}
    return {name: number[group] for name, group in groups.items() if group in number}


def _check_given(pictures: Sequence[Found]) -> None:
    """Check a split that folders or a table give."""
    sides: dict[str, Found] = {}
    for picture in pictures:
        other = sides.setdefault(picture.group, picture) if picture.group else picture
        if other.split != picture.split:
            raise ValueError(
                f"group {picture.group!r} is on both sides: {other.name} is for {other.split}, "
                f"{picture.name} for {picture.split}"
            )
    for split in ("train", "test"):
        if not any(picture.split == split for picture in pictures):
            raise ValueError(f"no picture is for {split}: say of some in the table that they are")


def _doubled(same: Sequence[Sequence[Found]]) -> list[str]:
    if not same:
        return []
    return [
        f"{sum(len(equal) - 1 for equal in same)} pictures are there more than once; they stay on "
        "one side of the split; means count each of them, intervals over groups count them as one."
    ]
