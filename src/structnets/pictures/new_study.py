"""Writing the file of a study from the pictures that lie in a folder, or that a table names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structnets.data.sets.entries.pictures import SIDES
from structnets.pictures.found import Found
from structnets.pictures.gathering import Gathered, collect, gather
from structnets.specs.study import Study
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
        its folder.

    Raises
    ------
    OSError, ValueError
        As `structnets.pictures.gathering.gather` says, or if no picture can be read.
    """
    given = {"images": images, "table": table}
    places = {key: str(path.resolve()) for key, path in given.items() if path is not None}
    named = table.resolve().with_suffix("") if table is not None else Path(places["images"])
    study = Study.model_validate(
        {"study": study_name(named, "pictures"), **places, "rows": [{"model": "resnet20"}]}
    )
    here = Path.cwd() / "study.yaml"
    gathered = gather(study, here, memory, progress or (lambda done, total: None))
    names = [picture.name for picture in gathered.pictures.pictures]
    seen = look(Path(gathered.pictures.folder), names)
    if not seen.sizes:
        raise ValueError(
            f"none of the pictures below {gathered.pictures.folder} can be read: "
            f"{seen.unreadable[0]}"
        )
    return _text(study, places, gathered, seen, _split(study, collect(study, here).pictures))


def _split(study: Study, found: Sequence[Found]) -> str:
    """Return the lines of the study that say which pictures are for testing."""
    if all(picture.split for picture in found):
        what = "Folders train and test say" if study.table is None else "The table's split says"
        return f"# {what} which pictures are for what."
    if any(picture.group for picture in found):
        return (
            "# A quarter of every class is for testing; pictures of one group of the table stay "
            "on one side.\nsplit: {test: 0.25, seed: 0}"
        )
    return (
        "# A quarter of every class is for testing. Pictures that belong together (of one "
        "patient,\n# of one film) must stay on one side: say with groups which do, as folder, or "
        "a pattern of\n# their names, as 'patient(\\d+)'.\nsplit: {test: 0.25, seed: 0, groups: "
        "null}"
    )


def train_sizes(training: int, classes: int) -> list[int | str]:
    """Return numbers of training pictures to compare: about a tenth, a number between, and all.

    There are at least two of each class.
    """
    least = max(2 * classes, training // 10)
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


def _text(
    study: Study, places: Mapping[str, str], gathered: Gathered, seen: Seen, split: str
) -> str:
    counts = gathered.counts()
    training = sum(train for train, _ in counts.values())
    side, crop, fit = _sides(seen)
    sizes = json.dumps(train_sizes(training, len(counts))).replace('"', "")
    words = " ".join(f"--{key} {in_comment(path)}" for key, path in places.items())
    where = "\n".join(
        f"{key}: {json.dumps(path, ensure_ascii=False)}" for key, path in places.items()
    )
    return f"""\
# A study of one's own, written by: structnets new-study {words}
# Run it:  snakemake --profile profiles/local study --config study=THIS_FILE
#
{_comment(gathered, seen, counts)}
study: {study.study}
question: ""  # one sentence; the report begins with it
{where}
exclude: []  # names below that folder, or patterns as "blurred/*"
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

train_sizes: {sizes}  # how accuracy grows with the number of pictures
seeds: 3  # each draws other training pictures and first weights
recipe: {{steps: 200}}  # steps of at most 32 pictures, for every number of pictures
limit: {{hours: null, gigabytes: null}}  # refuse to start what would take more
names: pseudonyms  # what the report and MLflow call pictures; files: their names
"""


def _comment(gathered: Gathered, seen: Seen, counts: dict[str, tuple[int, int]]) -> str:
    widths, heights = zip(*seen.sizes, strict=True)
    lines = [
        f"{sum(map(sum, counts.values())):,} pictures of {len(counts)} classes "
        "(for training + for testing):",
        *(f"  {in_comment(name)}: {train} + {test}" for name, (train, test) in counts.items()),
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
