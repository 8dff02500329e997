"""Pictures as folders and tables name them, before any is read."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from structnets.content import refuse_line_breaks, refuse_other_encodings, visible_files
from structnets.data.originals.picture import SUFFIXES
from structnets.foreign.missing import is_missing
from structnets.foreign.shown import shortened, shown
from structnets.pictures.tables import Reader, class_reader, read_lines

TRAIN, TEST, HELD = ("train", "training"), ("test", "testing"), ("val", "valid", "validation")


@dataclass(frozen=True)
class Found:
    """A picture that was found.

    Attributes
    ----------
    name : str
        Its path below the folder of the pictures.
    label : str
        Its class, or its score as text.
    group : str or None
        Pictures of one group stay together when they are split.
    split : str or None
        ``train`` or ``test`` where folders or a table say so.
    """

    name: str
    label: str
    group: str | None = None
    split: str | None = None


@dataclass
class Collection:
    """What was found, and what was not taken.

    Attributes
    ----------
    folder : Path
        Names are relative to it.
    pictures : list of Found
    left_out : list of (str, str)
        Names, with the reason.
    """

    folder: Path
    pictures: list[Found] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def without(self, excluded: Sequence[str]) -> Collection:
        """Leave out the pictures that are named, or whose names match a pattern.

        Raises
        ------
        ValueError
            If an entry matches none: it may be mistyped.
        """
        kept, out, unused = [], list(self.left_out), set(excluded)
        for picture in self.pictures:
            name = picture.name
            hits = [entry for entry in excluded if entry == name or fnmatchcase(name, entry)]
            unused -= set(hits)
            if hits:
                out.append((picture.name, "excluded by the study"))
            else:
                kept.append(picture)
        if unused:
            raise ValueError(
                f"exclude: no picture is called {', '.join(sorted(unused))} below {self.folder}"
            )
        return Collection(self.folder, kept, out)


def in_folder(folder: Path, groups: str | None = None) -> Collection:
    """Find the pictures of a folder that has a folder for each class.

    Parameters
    ----------
    folder : Path
        Of the folders of the classes, or of ``train`` and ``test`` (or ``val`` in its place), each
        with folders of the classes.
    groups : str, optional
        As `structnets.specs.study.Split` takes it.

    Returns
    -------
    Collection
        What is no picture, lies in no class, or is for validation, is among what is left out.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If folders with pictures stand beside ``train`` and ``test``, or a name is not in UTF-8 or
        has a line break.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; give the one that has a folder a class")
    names = list(visible_files(folder))
    splits = _split_folders(folder, names)
    found = Collection(folder)
    for name in names:
        refuse_other_encodings(folder / name)
        parts = name.split("/")
        split = splits.get(parts[0]) if splits else None
        inner = parts[1:] if split else parts
        if not _is_picture(name):
            suffix = Path(name).suffix.lower()
            found.left_out.append((name, f"no picture by its ending ({suffix or 'none'})"))
            continue
        refuse_line_breaks(name)
        if split == "held":
            found.left_out.append((name, "for validation: neither trained nor tested on"))
        elif len(inner) < 2:
            found.left_out.append((name, "lies in no folder of a class"))
        else:
            group = _group("/".join(inner[1:-1]), name, groups)
            found.pictures.append(Found(name, inner[0], group, split))
    return found


def _split_folders(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Return what each folder that holds pictures is for, if all are train, test or validation.

    Raises
    ------
    ValueError
        If others stand beside those for training and for testing.
    """
    meant = {TRAIN: "train", TEST: "test", HELD: "held"}
    folders = sorted({name.partition("/")[0] for name in filter(_is_picture, names) if "/" in name})
    found = {
        name: split for name in folders for words, split in meant.items() if name.lower() in words
    }
    if "train" not in found.values():
        return {}
    if "test" not in found.values():  # as ImageNet has it
        found = {name: "test" if split == "held" else split for name, split in found.items()}
    if "test" not in found.values():
        return {}
    if others := [name for name in folders if name not in found]:
        sides = " and ".join(sorted(found, key=lambda name: (found[name] != "train", name)))
        raise ValueError(
            f"{folder} has the folders {sides}, and beside them {shortened(', '.join(others))}, "
            "whose pictures are for neither: move them elsewhere; if all of these are classes, "
            f"rename {sides}"
        )
    return found


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def _group(inner: str, name: str, groups: str | None) -> str | None:
    if groups is None:
        return None
    if groups == "folder":
        if not inner:
            raise ValueError(
                f"{name} lies in no folder within its class, which split.groups: folder needs"
            )
        return inner
    match = re.search(groups, name)
    if match is None or match[1] is None:
        raise ValueError(f"split.groups {groups!r} does not match the name {name!r}")
    if not match[1].strip():
        raise ValueError(
            f"split.groups {groups!r} finds an empty group in the name {name!r}: write a pattern "
            "that takes at least one character, as + in place of *"
        )
    return match[1]


def in_table(
    table: Path,
    folder: Path | None = None,
    groups: str | None = None,
    *,
    label: str = "label",
    reader: Reader = class_reader,
) -> Collection:
    """Find the pictures that a table names.

    Parameters
    ----------
    table : Path
        CSV (commas, semicolons or tabs) or parquet, with the columns ``path`` and `label`, and
        perhaps ``group`` and ``split``.
    folder : Path, optional
        Paths are relative to it; by default to the folder of the table.
    groups : str, optional
        As `structnets.specs.study.Split` takes it, where the table has no column ``group``.
    label : str
        The column of the labels.
    reader : callable
        Of that name: what reads it in a line. Pictures of which it returns None are left out.

    Raises
    ------
    FileNotFoundError
        If the table or a picture is not there; line and name are told.
    ValueError
        If a column lacks or is doubled, or a line has no label, a score that is no number, a path
        of before or with a line break, a split that is neither train nor test, or a group that says
        there is none.
    """
    folder = table.parent if folder is None else folder
    found, lines = Collection(folder), dict[str, int]()
    splits, read_label = set(), reader(label)
    for number, line in read_lines(table, label):
        place = f"{table}, line {number}"
        name = line["path"]
        if not name:
            raise ValueError(f"{place}: path is empty; fill it in, or remove the line")
        try:
            value = read_label(line)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        name = os.path.relpath(folder / name, folder)
        refuse_other_encodings(folder / name)
        refuse_line_breaks(name)
        if name in lines:
            raise ValueError(
                f"{place}: {shortened(name)} is also in line {lines[name]}; remove one of the lines"
            )
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{place}: {shortened(name)} is no file below {folder}; paths are relative to the "
                "folder of images, or without it to the table's; mend the line, or remove it"
            )
        split = line.get("split") or None
        if split not in (None, "train", "test"):
            raise ValueError(
                f"{place}: split is {shown(split)}; allowed: train, test, or empty in all"
            )
        if line.get("group") and is_missing(line["group"]):
            raise ValueError(
                f"{place}: group is {shown(line['group'])}, which tables write where they have "
                "none; leave it empty if the picture belongs to no other (a group of that name "
                "needs another)"
            )
        lines[name] = number
        if value is None:
            found.left_out.append((name, f"has no score: {label} is empty or n/a"))
            continue
        splits.add(split)
        group = line.get("group") or _group("", name, groups)
        found.pictures.append(Found(name, value, group, split))
    if len(splits) > 1 and None in splits:
        raise ValueError(f"{table}: some lines have a split and some have none; give all or none")
    return found
