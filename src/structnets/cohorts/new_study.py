"""Writing the file of a study from the cohort that lies in a folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from structnets.cohorts.listing import Listing
from structnets.cohorts.naming import shown
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.sheet import read_rows
from structnets.cohorts.unreadable import unreadable
from structnets.foreign.missing import is_missing
from structnets.forms.scores.cells import MOST_CLASSES, is_number, too_many_for_classes
from structnets.metrics.regression import far_values
from structnets.specs.cohort_study import FEWEST, FEWEST_SCORED
from structnets.specs.written_study import in_comment, study_name

USUAL_FOLDS = 10
_COVARIATES = ("age", "sex", "gender", "site", "scanner", "center", "centre", "education", "hand")
# The one that is looked for comes second.
_NEGATIVE = re.compile(r"0|no|false|neg.*|normal.*|control.*|healthy.*|hc|cn|nc|ctrl|td", re.I)


def write_cohort_study(cohort: Path, label: str) -> str:
    """Return a commented study of the cohort in a folder, as YAML.

    Raises
    ------
    OSError, ValueError
        If there is no table, or it lacks the column; the message lists those it has. If the column
        has neither two values with scans nor numbers.
    """
    folder = cohort.resolve()
    table = folder / "participants.tsv"
    layout = "bids"
    if not table.is_file():
        table, layout = folder / "labels.csv", "folder"
    if not table.is_file():
        raise FileNotFoundError(
            f"{cohort} has neither participants.tsv (BIDS) nor labels.csv (a plain folder with the "
            "columns subject, file and a label): write one"
        )
    rows = [row for _, row in read_rows(table, [label])]
    values = Counter(row[label] for row in rows if not is_missing(row[label]))
    if len(values) < 2:
        raise ValueError(f"{table}: column {label!r} has the values {dict(values)}; needed are two")
    columns = [name for name in rows[0] if name.lower() in _COVARIATES and name != label]
    names = [value for value in values if not is_number(value)]
    if not names and too_many_for_classes(values):
        return write_score_study(folder, label, layout, rows, columns)
    if len(values) > MOST_CLASSES:
        raise ValueError(
            f"{table}: column {label!r} has {len(values)} different values, too many for classes, "
            f"and {len(names)} of them are no numbers, so that it is no score either "
            f"({shown(names)}): write n/a where there is no number, or name another column"
        )
    chosen = sorted(values, key=lambda value: (not _NEGATIVE.fullmatch(value), value))
    if len(chosen) > 2:
        common = {value for value, _ in values.most_common(2)}
        chosen = [value for value in chosen if value in common]
    prepare = {"label_column": label, "classes": ",".join(chosen)}
    if layout == "folder":
        prepare["layout"] = "folder"
    request = CohortRequest("cohort", {**prepare, "leave_out": "subject"}, folder)
    listing = request.list_scans(folder)
    return _text(folder, label, layout, chosen, values, listing, columns)


def _text(
    folder: Path,
    label: str,
    layout: str,
    chosen: Sequence[str],
    values: Counter[str],
    listing: Listing,
    columns: list[str],
) -> str:
    people = Counter(name for _, name in {(scan.subject, scan.label) for scan in listing.scans})
    least = min(people[name] for name in chosen)
    folds = max(2, min(USUAL_FOLDS, least))
    comment = [
        f"{len(listing.scans)} scans are used, the first of every person; people by {label}:",
        *(f"  {name}: {people[name]} with a scan, {values[name]} in the table" for name in chosen),
        *(f"  {value}: {count} in the table, not used; add it to classes to use it too"
          for value, count in values.items() if value not in chosen),
        *(f"Left out: {count} {why}" for why, count in reasons(listing).items()),
        *(f"Taken of {what}: {how}" for what, how in listing.taken[:5]),
        *_unread(listing),
    ]  # fmt: skip
    if least < FEWEST:
        comment.append(
            f"WARNING: a class has {least} people. The study stops before anything is trained, "
            "unless few: run is written below: a number from so few says next to nothing."
        )
    if max(people.values()) > 0.6 * sum(people.values()):
        comment.append("WARNING: classes are of unequal size; look at balanced accuracy.")
    if all(map(is_number, values)):
        comment.append(
            f"{label} holds {len(values)} different numbers, taken for classes. If they are a "
            "score, write kind: regression in place of the line of classes."
        )
    quoted = [json.dumps(value, ensure_ascii=False) for value in chosen]
    kind = (
        f"classes: [{', '.join(quoted)}]  # or more; of two the negative first, the second is "
        "looked for"
    )
    return study_text(
        folder, label, layout, comment, kind, columns, folds, f"{FEWEST} people of a class"
    )


def study_text(
    folder: Path,
    label: str,
    layout: str,
    comment: Sequence[str],
    kind: str,
    columns: Sequence[str],
    folds: int,
    fewest: str,
) -> str:
    """Return the file of a study; `kind` is its line about classes or a score."""
    shown_comment = "\n".join(f"# {in_comment(line)}" for line in comment)
    return f"""\
# A study of one's own cohort, written by:
#   structnets new-study --cohort {in_comment(str(folder))} --label {in_comment(label)}
# Run it:  snakemake --profile profiles/local study --config study=THIS_FILE
#
{shown_comment}
study: {study_name(folder, "cohort")}
question: ""  # one sentence; the report begins with it
cohort: {json.dumps(str(folder), ensure_ascii=False)}
layout: {layout}
label: {json.dumps(label, ensure_ascii=False)}
{kind}
covariates: {json.dumps(list(columns), ensure_ascii=False)}  # columns that are told beside it
regress_out: []  # of those, what is taken out of every voxel, fitted to the training part alone
sessions: first  # or all; those of one person are held out together

# Every scan is registered and looked at. Of those that are flagged, each is to be named here; or
# all of them are left out by exclude_failed: true.
exclude: []  # subjects, scans or patterns of file names, as "*acq-fast*"
keep: []
exclude_failed: false

grid_mm: 4  # edge of a voxel; 2 takes eight times as long
field_of_view: brain  # the box around the template's brain; whole: twice as many voxels
folds: {folds}  # or leave_out: subject, or leave_out: a column such as site, in place of folds
repeats: 1  # deal the folds anew so many times

# What is compared, beside the majority and a linear model of voxels: `structnets models "*_3d*"`
rows:
- model: rfnin_3d
  label: structured
  options: {{width: 0.25, voxel_mm: 4.0}}  # voxel_mm: as grid_mm; 8 is too coarse for its scales
  recipe: {{optimizer: {{lr: 0.003}}}}
- model: nin_3d
  label: plain
  options: {{width: 0.25}}
  recipe: {{optimizer: {{lr: 0.0003}}}}
recipe: {{epochs: 20, batch_size: 4}}
maps: true  # a map of each net in the report: where its answers are sensitive
limit: {{hours: null, gigabytes: null}}  # refuse to start what would take more
few: stop  # run: go on with fewer than {fewest}
names: pseudonyms  # what the report calls people; subjects: as their files do
"""


def write_score_study(
    folder: Path, label: str, layout: str, rows: Sequence[Mapping[str, str]], columns: Sequence[str]
) -> str:
    """Return the study of a column of numbers, with many values, as YAML."""
    prepare = {"label_column": label, **({"layout": "folder"} if layout == "folder" else {})}
    request = CohortRequest("cohort_scores", {**prepare, "leave_out": "subject"}, folder)
    listing = request.list_scans(folder)
    of = {scan.subject: float(scan.label) for scan in listing.scans}
    scores = sorted(of.values())
    comment = [
        f"{label} holds numbers, {len(set(scores))} different ones: it is taken for a score that "
        "is estimated (kind: regression). If they are names of classes, write kind: classes, and "
        "which.",
        f"{len(listing.scans)} scans are used, the first of every person; {len(of)} people have a "
        f"score, {scores[0]:g} to {scores[-1]:g}, the middle one {scores[len(scores) // 2]:g}.",
        *(f"Left out: {count} {why}" for why, count in reasons(listing).items()),
        *(f"Taken of {what}: {how}" for what, how in listing.taken[:5]),
        *_unread(listing),
    ]
    if len(of) < FEWEST_SCORED:
        comment.append(
            f"WARNING: only {len(of)} people. The study stops before anything is trained, unless "
            "few: run is written below: a number from so few says next to nothing."
        )
    if far := far_values(scores):
        comment.append(
            f"WARNING: {', '.join(f'{value:g}' for value in far[:5])} lie far from all other "
            "scores: if one is a code for a missing value, write n/a into the table in its place."
        )
    folds = max(2, min(USUAL_FOLDS, len(of) // 2))
    kind = "kind: regression  # the score is estimated; no classes"
    fewest = f"{FEWEST_SCORED} people"
    return study_text(folder, label, layout, comment, kind, columns, folds, fewest)


def _unread(listing: Listing) -> list[str]:
    """Warn of scans that cannot be read."""
    found = unreadable(listing)
    said = (
        f"WARNING: {len(found)} scans cannot be read, and the study does not start with them "
        f"(copy or convert them anew, or name them in exclude): {shown(found, '; ')}"
    )
    return [said] if found else []


def reasons(listing: Listing) -> Counter[str]:
    """Count what was left out by kind of reason, without names."""
    kinds = {
        "further session": "further sessions",
        "another scan": "further scans of a session",
        "has no label": "scans without a label",
        "but no scan": "people of the table without a scan",
        "is of no class": "scans of no class",
        "has no score": "people without a score",
        "is excluded": "excluded",
        "was not fetched": "scans that were not fetched",
    }
    return Counter(
        next((kind for part, kind in kinds.items() if part in why), "others")
        for _, why in listing.left_out
    )
