"""Writing the file of a study from the pictures that lie in a folder, or that a table names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.data.sets.entries.pictures import SIDES
from structnets.data.sets.pictures import SEPARATOR, SPLITS, labels_of
from structnets.forms.scores.cells import is_number, too_many_for_classes
from structnets.pictures.found import Found
from structnets.pictures.gathering import Gathered, collect, gather
from structnets.pictures.tables import labels_in
from structnets.specs.study import Study
from structnets.specs.study.resolution import FEWEST_SCORED
from structnets.specs.written_study import in_comment, study_name

_LOOKED_AT = 200  # pictures whose sizes are read
_LONGEST = 2.0  # from this aspect on, pictures are squashed rather than cut
_CROP = 7 / 8  # of the stored side


@dataclass(frozen=True)
class Seen:
    """What the headers of some pictures say.

    Attributes
    ----------
    sizes : list of (int, int)
        Width and height of each, in pixels.
    grey : int
        How many have no colour.
    unreadable : list of str
        Names of those that are no pictures.
    """

    sizes: list[tuple[int, int]]
    grey: int
    unreadable: list[str]


def look(folder: Path, names: Sequence[str]) -> Seen:
    """Read the headers of at most 200 pictures, spread over all."""
    from PIL import Image, UnidentifiedImageError

    sizes, grey, unreadable = [], 0, []
    for name in names[:: -(-len(names) // _LOOKED_AT)]:
        try:
            with Image.open(folder / name) as image:
                sizes.append(image.size)
                grey += image.mode in ("1", "L", "I", "LA") or image.mode.startswith("I;16")
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            unreadable.append(name)
    return Seen(sizes, grey, unreadable)


def write_study(
    images: Path | None,
    table: Path | None = None,
    label: str | None = None,
    memory: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Return a commented study of the pictures in a folder, or of those in a table, as YAML.

    Parameters
    ----------
    images : Path or None
        Folder of the pictures; with a table, what its paths are relative to.
    table : Path, optional
        CSV or parquet with the columns path and label. Without `images`, its paths are relative to
        its folder. A label that holds numbers of many values is taken for a score; where a cell
        holds several names, separated by ``;``, they are labels.
    label : str, optional
        The table's column of labels, if it is not ``label``.

    Raises
    ------
    OSError, ValueError
        As `structnets.pictures.gathering.gather` says, or if no picture can be read.
    """
    given = {"images": images, "table": table}
    places = {key: str(path.resolve()) for key, path in given.items() if path is not None}
    named = table.resolve().with_suffix("") if table is not None else Path(places["images"])
    asked: dict[str, Any] = {"study": study_name(named, "pictures"), **places}
    values = Counter[str]() if table is None else Counter(labels_in(table, label or "label"))
    numbers = bool(values) and all(map(is_number, values))
    if numbers and too_many_for_classes(values):
        asked["kind"] = "regression"
    elif any(SEPARATOR in value for value in values):
        asked["kind"] = "multilabel"
    if label not in (None, "label"):
        asked["label"] = label
    study = Study.model_validate({**asked, "rows": [{"model": "resnet20"}]})
    here = Path.cwd() / "study.yaml"
    gathered = gather(study, here, memory, progress or (lambda done, total: None))
    names = [picture.name for picture in gathered.pictures.pictures]
    seen = look(Path(gathered.pictures.folder), names)
    if not seen.sizes:
        raise ValueError(
            f"none of the pictures below {gathered.pictures.folder} can be read: "
            f"{seen.unreadable[0]}"
        )
    split = _split(study, collect(study, here).pictures)
    return _text(study, places, gathered, seen, split, numbers)


def _split(study: Study, found: Sequence[Found]) -> str:
    """Return the lines of the study that say which pictures are for testing."""
    if all(picture.split for picture in found):
        what = "Folders train and test say" if study.table is None else "The table's split says"
        return f"# {what} which pictures are for what."
    part = _PART[study.kind]
    if any(picture.group for picture in found):
        return (
            f"# A quarter {part} is for testing; pictures of one group of the table stay "
            "on one side.\nsplit: {test: 0.25, seed: 0}"
        )
    return (
        f"# A quarter {part} is for testing. Pictures that belong together (of one "
        "patient,\n# of one film) must stay on one side: say with groups which do, as folder, or "
        "a pattern of\n# their names, as 'patient(\\d+)'.\nsplit: {test: 0.25, seed: 0, groups: "
        "null}"
    )


_PART = {
    "classes": "of every class",
    "regression": "of low, middle and high scores",
    "multilabel": "of every label",
}


def _classes(study: Study, gathered: Gathered, numbers: bool) -> list[str]:
    """Return what there is to say of the classes."""
    counts = gathered.pictures.counts()
    lines = [
        f"{sum(map(sum, counts.values())):,} pictures of {len(counts)} classes "
        "(for training + for testing):",
        *(f"  {in_comment(name)}: {train} + {test}" for name, (train, test) in counts.items()),
    ]
    if numbers:
        lines.append(
            f"{in_comment(study.label_column)} holds {len(counts)} different numbers, taken for "
            "classes. If they are a score, add the line kind: regression."
        )
    return lines


def _labels(study: Study, gathered: Gathered) -> list[str]:
    """Return what there is to say of the labels."""
    listed, column = gathered.pictures, in_comment(study.label_column)
    of = [len(labels_of(picture.label)) for picture in listed.pictures]
    several = sum(count > 1 for count in of)
    return [
        f"{column} holds names separated by {SEPARATOR}: pictures have any number of these labels "
        "(kind: multilabel), none where it says none.",
        f"{several:,} of {len(of):,} pictures have several, {of.count(0):,} none. Of each label "
        "(for training + for testing):",
        *(
            f"  {in_comment(name)}: {train} + {test}"
            for name, (train, test) in listed.counts().items()
        ),
    ]


def _scores(study: Study, gathered: Gathered) -> list[str]:
    """Return what there is to say of the scores."""
    listed, label = gathered.pictures, in_comment(study.label_column)
    scores = sorted(float(picture.label) for picture in listed.pictures)
    train, test = (len(listed.of_split(split)) for split in SPLITS)
    return [
        f"{label} holds numbers, {len(set(scores))} different ones: it is taken for a score that "
        "is estimated (kind: regression). If they are names of classes, write kind: classes.",
        f"{len(scores):,} pictures ({train:,} for training + {test:,} for testing) have a score, "
        f"{scores[0]:g} to {scores[-1]:g}, the middle one {scores[len(scores) // 2]:g}.",
    ]


def train_sizes(training: int, fewest: int) -> list[int | str]:
    """Return numbers of training pictures to compare: about a tenth, a number between, and all.

    There are at least `fewest`: two of each class, say.
    """
    least = max(fewest, training // 10)
    parts = [size for size in (least, _rounded((least * training) ** 0.5)) if size <= training / 2]
    return [*dict.fromkeys(parts), "all"]


def _rounded(number: float) -> int:
    """Round to two digits."""
    return int(float(f"{number:.2g}"))


def _sides(seen: Seen) -> tuple[int, int, str]:
    """Return the stored side, the crop, and the fit that suit some pictures."""
    shortest = sorted(min(size) for size in seen.sizes)[len(seen.sizes) // 10]
    side = max((s for s in SIDES if s <= min(56, shortest)), default=SIDES[0])
    aspects = sorted(max(size) / min(size) for size in seen.sizes)
    fit = "squash" if aspects[int(0.9 * (len(aspects) - 1))] > _LONGEST else "short"
    return side, int(side * _CROP) // 8 * 8, fit


_KIND = {
    "regression": "kind: regression  # the score is estimated\n",
    "multilabel": "kind: multilabel  # a picture has any number of labels\n",
}
_GROWS = {
    "classes": "accuracy grows",
    "regression": "the error falls",
    "multilabel": "mean average precision grows",
}


def _text(
    study: Study,
    places: Mapping[str, str],
    gathered: Gathered,
    seen: Seen,
    split: str,
    numbers: bool,
) -> str:
    training = len(gathered.pictures.of_split("train"))
    least = FEWEST_SCORED if study.regression else 2 * len(gathered.pictures.classes)
    side, crop, fit = _sides(seen)
    sizes = json.dumps(train_sizes(training, least)).replace('"', "")
    label = json.dumps(study.label, ensure_ascii=False)
    kind = _KIND.get(study.kind, "") + (
        f"label: {label}  # the column of the table\n" if study.label else ""
    )
    measure = _GROWS[study.kind]
    given = {**places, **({"label": study.label} if study.label else {})}
    words = " ".join(f"--{key} {in_comment(value)}" for key, value in given.items())
    where = "\n".join(
        f"{key}: {json.dumps(path, ensure_ascii=False)}" for key, path in places.items()
    )
    return f"""\
# A study of one's own, written by: structnets new-study {words}
# Run it:  snakemake --profile profiles/local study --config study=THIS_FILE
#
{_comment(study, gathered, seen, numbers)}
study: {study.study}
question: ""  # one sentence; the report begins with it
{where}
{kind}exclude: []  # names below that folder, or patterns as "blurred/*"
{split}

# Pictures are stored with a short side of `side` pixels (fit: squash makes squares of them), and a
# net sees squares of `crop` pixels. Twice the side takes four times as long.
# flip: false where left and right differ.
pictures: {{side: {side}, fit: {fit}, crop: {crop}, flip: true}}

# What is compared: a structured net and its plain twin, alike in all but the filters.
# `structnets models` lists others; a row may have options and a recipe of its own.
rows:
- {{model: resnet20, label: structured, options: {{frame: gaussian}}}}
- {{model: resnet20, label: plain}}

train_sizes: {sizes}  # how {measure} with the number of pictures
seeds: 3  # each draws other training pictures and first weights
recipe: {{steps: 200}}  # steps of at most 32 pictures, for every number of pictures
limit: {{hours: null, gigabytes: null}}  # refuse to start what would take more
names: pseudonyms  # what the report and MLflow call pictures; files: their names
"""


def _comment(study: Study, gathered: Gathered, seen: Seen, numbers: bool) -> str:
    widths, heights = zip(*seen.sizes, strict=True)
    told = {"regression": _scores, "multilabel": _labels}.get(study.kind)
    lines = [
        *(told(study, gathered) if told else _classes(study, gathered, numbers)),
        f"Of {len(seen.sizes)} that were looked at, sizes are {min(widths)}x{min(heights)} to "
        f"{max(widths)}x{max(heights)}; {seen.grey} are grey.",
    ]
    lines += [f"WARNING: {in_comment(text)}" for text in gathered.warnings]
    if seen.unreadable:
        shown = ", ".join(map(in_comment, seen.unreadable[:3]))
        lines.append(
            f"WARNING: {len(seen.unreadable)} of them cannot be read and will be left out: {shown}"
        )
    for reason, count in Counter(reason for _, reason in gathered.left_out).items():
        first = next(name for name, why in gathered.left_out if why == reason)
        lines.append(f"Left out, {in_comment(reason)}: {count}, {in_comment(first)} for one")
    return "\n".join(f"# {line}" for line in lines)
