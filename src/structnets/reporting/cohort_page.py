"""The report of a study of a cohort: one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from structnets.cohorts.decisions import COUNTED
from structnets.files import read_json
from structnets.reporting.cohort_results import MAJORITY, CohortResults, RowScore
from structnets.specs.cohort_study import LINEAR

_SHOWN = 12
_TITLE_PIXELS = 24  # of a picture, with the scan's name
_STYLE = """
:root { --ink: #1b1b1b; --soft: #5f5f5f; --line: #d9d9d9; --head: #f5f5f5; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff; margin: 2rem auto;
  padding: 0 1.5rem; max-width: 64rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem;
  border-bottom: 1px solid var(--line); } .soft { color: var(--soft); font-size: .88rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: right; }
thead th { background: var(--head); } tbody th, td.words { text-align: left; }
small { display: block; color: var(--soft); white-space: nowrap; }
.warn { background: #fff6e5; border-left: 4px solid #e69f00; color: #7a4200; padding: .5rem .9rem; }
.result { font-size: 1.1rem; border-left: 4px solid #0072b2; padding: .4rem .9rem; }
.scroll { overflow-x: auto; } img { max-width: 100%; } figure { margin: .8rem 0; }
pre { background: var(--head); padding: .7rem .9rem; white-space: pre-wrap; }
@media print { body { margin: 0; max-width: none; font-size: 12px; }
  figure, tr, .warn { break-inside: avoid; } }
"""


class People:
    """What the page calls people: ``person-01`` and so on, or as their files do."""

    def __init__(self, subjects: Iterable[str], *, pseudonyms: bool) -> None:
        ordered = sorted(set(subjects))
        digits = len(str(len(ordered)))
        self.names = {
            name: f"person-{number:0{digits}d}" if pseudonyms else name
            for number, name in enumerate(ordered, 1)
        }
        self.pseudonyms = pseudonyms
        known = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
        self._known = re.compile(rf"(?<![A-Za-z0-9])({known})(?![A-Za-z0-9])") if known else None

    def __call__(self, text: str) -> str:
        """Return a text with the names it holds replaced, and paths cut to their last part."""
        if not self.pseudonyms:
            return text
        short = re.sub(r"(/[^\s/]+)+/", "", text)
        return self._known.sub(lambda m: self.names[m[1]], short) if self._known else short

    def left_out(self, what: str) -> str:
        """Name what was left out: of somebody unknown, no more than that there was one."""
        if not self.pseudonyms:
            return what
        found = self._known.search(what) if self._known else None
        return self.names[found[1]] if found else "somebody"


def cohort_page(
    results: CohortResults,
    subjects: Path,
    curves: bytes,
    named: People,
    again: Sequence[str],
) -> str:
    """Write the report.

    Parameters
    ----------
    results : CohortResults
        What was measured.
    subjects : Path
        Folder of the registered scans, with their pictures.
    curves : bytes
        ROC and calibration, an SVG file.
    named : People
        What people are called.
    again : sequence of str
        Commands that make it once more.

    Returns
    -------
    str
        HTML; whatever comes from the user's data is escaped.
    """
    study = results.planned.study
    title = study.study.replace("_", " ")
    warnings, said = cohort_findings(results)
    image = base64.b64encode(curves).decode()
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(study.question)}</p>" if study.question else "",
        *(f'<p class="warn">{escape(text)}</p>' for text in warnings),
        f'<p class="result">{escape(" ".join(said))}</p>',
        "<h2>Result</h2>",
        _table(results),
        f'<figure><img alt="ROC and calibration" src="data:image/svg+xml;base64,{image}"></figure>',
        '<p class="soft">Numbers beside points of the calibration: how many scans. A model whose '
        "points lie on the dotted line is as often right as it says.</p>",
        _folds(results),
        "<h2>People</h2>",
        _people(results),
        _left_out(results, named),
        "<h2>Quality of registration, worst first</h2>",
        *_quality(results, subjects, named),
        "<h2>How to make it again</h2>",
        f"<pre>{escape(chr(10).join(again))}</pre>",
        '<p class="soft">predictions.csv beside this page holds what was said of everybody.</p>',
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def cohort_findings(results: CohortResults) -> tuple[list[str], list[str]]:
    """Return in whole sentences what to beware of, and what was found."""
    warnings, said = results.planned.warnings(), []
    for row in results.rows:
        score = results.score(row)
        low, high = score.intervals["balanced_accuracy"]
        said.append(
            f"{row}: {score.scores['accuracy']:.1f} % of held-out scans right, balanced "
            f"{score.scores['balanced_accuracy']:.1f} % (95 % interval {low:.1f} to {high:.1f})."
        )
        if low <= 50:
            warnings.append(f"{row} cannot be told from guessing: its interval holds 50 %.")
    common = results.majority().scores["accuracy"]
    said.append(f"Always saying the more frequent class would be right in {common:.1f} %.")
    if LINEAR in results.rows:
        line = results.score(LINEAR).scores["balanced_accuracy"]
        for row in (row for row in results.rows if row != LINEAR):
            if results.score(row).scores["balanced_accuracy"] <= line:
                warnings.append(f"{row} is no better than the linear row.")
    return warnings, said


def _table(results: CohortResults) -> str:
    keys = ("accuracy", "balanced_accuracy", "tpr", "spc", "auc", "brier")
    negative, positive = results.classes
    heads = ("accuracy", "balanced", f"{positive} found", f"{negative} found", "AUC", "Brier")
    scores = {**{row: results.score(row) for row in results.rows}, MAJORITY: results.majority()}
    lines = [
        f"<tr><th>{escape(row)}</th>{''.join(_cell(score, key, row) for key in keys)}</tr>"
        for row, score in scores.items()
    ]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    repeats = "" if results.repeats == 1 else f", the mean over {results.repeats} dealings of folds"
    return (
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
        f'<p class="soft">Percent of all {len(results.labels)} scans, each said of by a model that '
        f"had not seen its person{repeats}. Below: 95 % bootstrap interval over people, which does "
        "not hold how trainings on other people would differ (where a class is wholly right or "
        "wrong, which a bootstrap takes for certain: Jeffreys' interval); p of a permutation of "
        "the predictions (labels shuffled 10,000 times, nothing trained again). Choices of "
        "parameters of the linear row were made inside each training part. Intensities are "
        "standardised by one mean and one deviation of all scans.</p>"
    )


def _cell(score: RowScore, key: str, row: str) -> str:
    value = score.scores[key]
    if row == MAJORITY and key in ("auc", "brier"):
        return "<td>–</td>"
    text = f"{value:.3f}" if key == "brier" else f"{value:.1f}"
    more = []
    if key in score.intervals and row != MAJORITY:
        more.append("{:.1f} to {:.1f}".format(*score.intervals[key]))
    if key in score.p and row != MAJORITY:
        more.append(f"p = {score.p[key]:.4f}")
    return f"<td><b>{text}</b>{''.join(f'<small>{line}</small>' for line in more)}</td>"


def _folds(results: CohortResults) -> str:
    lines = "".join(
        f"<tr><th>{escape(row)}</th><td class=words>"
        f"{', '.join(f'{value:.0f}' for value in results.score(row).by_fold)}</td></tr>"
        for row in results.rows
    )
    left_out = results.planned.study.leave_out
    what = "folds" if left_out is None else f"parts, one for each {left_out}"
    return (
        f"<table><thead><tr><th></th><th>accuracy (%) of each of {results.planned.parts} "
        f"{escape(what)}</th></tr></thead><tbody>{lines}</tbody></table>"
    )


def _people(results: CohortResults) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in results.classes)
    of = [entry["label"] for entry in results.subjects]
    count = {
        name: len({e["subject"] for e in results.subjects if e["label"] == name})
        for name in results.classes
    }
    rows: dict[str, Mapping[str, Any]] = {
        "people": count,
        "scans": {name: of.count(name) for name in results.classes},
        **results.traits(),
    }
    lines = "".join(
        f"<tr><th>{escape(what)}</th>"
        + "".join(f"<td>{escape(str(values[name]))}</td>" for name in results.classes)
        + "</tr>"
        for what, values in rows.items()
    )
    note = (
        '<p class="soft">Covariates are told, not corrected for: where classes differ in one, a '
        "model may have learned it in place of the class.</p>"
        if results.traits()
        else ""
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{lines}</tbody></table>{note}"


def _left_out(results: CohortResults, named: People) -> str:
    source = results.manifest["source"]
    entries = [(named.left_out(what), named(why)) for what, why in source["left_out"]]
    entries += [(named(name), "; ".join(why)) for name, why in source["excluded"].items()]
    counts = ", ".join(f"{source['counts'][k]} {k}" for k in COUNTED if k in source["counts"])
    lines = "".join(
        f"<tr><th>{escape(what)}</th><td class=words>{escape(why)}</td></tr>"
        for what, why in entries
    )
    table = (
        "<table><thead><tr><th>left out</th><th>why</th></tr></thead>"
        f"<tbody>{lines}</tbody></table>"
        if lines
        else "<p>Nobody was left out.</p>"
    )
    return f"<p>Scans: {escape(counts)}.</p>{table}"


def _quality(results: CohortResults, subjects: Path, named: People) -> list[str]:
    facts = []
    for entry in results.subjects:
        name = f"{entry['subject']}_{entry['session']}" if entry["session"] else entry["subject"]
        facts.append((name, read_json(subjects / f"{name}.json")))
    facts.sort(key=lambda item: (-len(item[1]["problems"]), item[1]["quality"]["similarity"]))
    parts = [
        '<p class="soft">L, R, A and P: left, right, front and back as the scan\'s header has '
        "them. Blue: outline of the MNI152 brain; orange: its white matter, and areas that were "
        f"cut off. The {min(_SHOWN, len(facts))} worst of {len(facts)} are shown; a picture that "
        "does not fit its outline should be excluded.</p>"
    ]
    for name, found in facts[:_SHOWN]:
        path = subjects / f"{name}.png"
        if not path.is_file():
            continue
        lost = found.get("cut_off")
        words = [
            named(name),
            "; ".join(found["problems"]) or "passed",
            f"similarity {found['quality']['similarity']:.3f}",
            *([f"{lost:.1%} of the brain cut off"] if lost is not None else []),
        ]
        image = base64.b64encode(_untitled(path)).decode()
        parts.append(
            f'<figure><img alt="" src="data:image/png;base64,{image}"><figcaption class="soft">'
            f"{escape(', '.join(words))}</figcaption></figure>"
        )
    return parts


def _untitled(path: Path) -> bytes:
    """Return a picture without the line that names the scan."""
    from PIL import Image

    with Image.open(path) as image:
        cut = image.convert("RGB").crop((0, _TITLE_PIXELS, *image.size))
    stream = io.BytesIO()
    cut.save(stream, "PNG")
    return stream.getvalue()
