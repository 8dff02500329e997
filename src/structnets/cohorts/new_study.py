"""Writing the file of a study from the cohort that lies in a folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from structnets.cohorts.listing import Listing
from structnets.cohorts.naming import shown
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.sheet import read_rows
from structnets.forms.cohort.covariate_columns import MISSING
from structnets.specs.cohort_study import FEWEST
from structnets.specs.written_study import in_comment, study_name

_USUAL_FOLDS = 10
_COVARIATES = ("age", "sex", "gender", "site", "scanner", "center", "centre", "education", "hand")
# The one that is looked for comes second.
_NEGATIVE = re.compile(r"0|no|false|neg.*|normal.*|control.*|healthy.*|hc|cn|nc|ctrl|td", re.I)


def write_cohort_study(cohort: Path, label: str) -> str:
    """Return a commented study of the cohort in a folder, as YAML.

    Raises
    ------
    OSError, ValueError
        If there is no table, or it lacks the column; the message lists those it has. If the column
        has not two values with scans.
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
    values = Counter(row[label] for row in rows if row[label] not in MISSING)
    if len(values) < 2:
        raise ValueError(f"{table}: column {label!r} has the values {dict(values)}; needed are two")
    if len(values) > 20:
        raise ValueError(
            f"{table}: column {label!r} has {len(values)} different values "
            f"({shown([*values])}): is it a score? A study needs classes; add a column of them"
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
    columns = [name for name in rows[0] if name.lower() in _COVARIATES]
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
    folds = max(2, min(_USUAL_FOLDS, least))
    name = study_name(folder, "cohort")
    comment = [
        f"{len(listing.scans)} scans are used, the first of every person; people by {label}:",
        *(f"  {name}: {people[name]} with a scan, {values[name]} in the table" for name in chosen),
        *(f"  {value}: {count} in the table, not used; add it to classes to use it too"
          for value, count in values.items() if value not in chosen),
        *(f"Left out: {count} {why}" for why, count in _reasons(listing).items()),
        *(f"Taken of {what}: {how}" for what, how in listing.taken[:5]),
    ]  # fmt: skip
    if least < FEWEST:
        comment.append(
            f"WARNING: a class has {least} people. The study stops before anything is trained, "
            "unless few: run is written below: a number from so few says next to nothing."
        )
    if max(people.values()) > 0.6 * sum(people.values()):
        comment.append("WARNING: classes are of unequal size; look at balanced accuracy.")
    shown_comment = "\n".join(f"# {in_comment(line)}" for line in comment)
    quoted = [json.dumps(value, ensure_ascii=False) for value in chosen]
    return f"""\
# A study of one's own cohort, written by:
#   structnets new-study --cohort {in_comment(str(folder))} --label {in_comment(label)}
# Run it:  snakemake --profile profiles/local study --config study=THIS_FILE
#
{shown_comment}
study: {name}
question: ""  # one sentence; the report begins with it
cohort: {json.dumps(str(folder), ensure_ascii=False)}
layout: {layout}
label: {json.dumps(label, ensure_ascii=False)}
classes: [{", ".join(quoted)}]  # or more; of two the negative first, the second is looked for
covariates: {json.dumps(columns, ensure_ascii=False)}  # columns that are told of each class
regress_out: []  # of those, what is taken out of every voxel, fitted to the training part alone
sessions: first  # or all; those of one person are held out together

# Every scan is registered and looked at. Of those that are flagged, each is to be named here; or
# all of them are left out by exclude_failed: true.
exclude: []  # subjects, scans or patterns of file names, as "*acq-fast*"
keep: []
exclude_failed: false

grid_mm: 4  # edge of a voxel; 2 takes eight times as long
folds: {folds}  # or leave_out: subject, or leave_out: a column such as site, in place of folds
repeats: 1  # deal the folds anew so many times

# What is compared, beside the majority and a linear model of the voxels. `structnets models "*3d"`.
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
few: stop  # run: go on with fewer than {FEWEST} people of a class
names: pseudonyms  # what the report calls people; subjects: as their files do
"""


def _reasons(listing: Listing) -> Counter[str]:
    """Count what was left out by kind of reason, without names."""
    kinds = {
        "further session": "further sessions",
        "another scan": "further scans of a session",
        "has no label": "scans without a label",
        "but no scan": "people of the table without a scan",
        "is of no class": "scans of no class",
        "is excluded": "excluded",
        "was not fetched": "scans that were not fetched",
    }
    return Counter(
        next((kind for part, kind in kinds.items() if part in why), "others")
        for _, why in listing.left_out
    )
