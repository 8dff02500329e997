"""The report of a study of a cohort: one HTML page that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.cohorts.decisions import COUNTED
from structnets.files import read_json
from structnets.pages import data_uri, page
from structnets.reporting.cohort_results import CohortResults
from structnets.reporting.held_out_results import HeldOutResults
from structnets.reporting.pseudonyms import People
from structnets.reporting.study_findings import Findings

if TYPE_CHECKING:
    from structnets.analysis.input_gradients import Agreement

_SHOWN = 12
_TITLE_PIXELS = 24  # of a picture, with the scan's name


def cohort_page(
    results: CohortResults,
    findings: Findings,
    subjects: Path,
    curves: Sequence[bytes],
    named: People,
    again: Sequence[str],
    maps: bytes | None = None,
    agreements: Mapping[str, Agreement] | None = None,
) -> str:
    """Write the report.

    Parameters
    ----------
    results : CohortResults
        What was measured.
    findings : Findings
        What that says.
    subjects : Path
        Folder of the registered scans, with their pictures.
    curves : sequence of bytes
        ROC and calibration, an SVG file; of more than two classes one for each.
    named : People
        What people are called.
    again : sequence of str
        Commands that make it once more.
    maps : bytes, optional
        Where nets are sensitive, a PNG file.
    agreements : mapping, optional
        How well the maps of each net's runs agree, by row.

    Returns
    -------
    str
        HTML; whatever comes from the user's data is escaped.
    """
    return page(
        "structnets.reporting",
        "cohort_study.html",
        **of_any_cohort(results, findings, subjects, named, again, maps, agreements),
        scored=False,
        columns=_columns(results.classes),
        number=lambda key, value: f"{value:.3f}" if key == "brier" else f"{value:.1f}",
        curves=[data_uri(drawn, "image/svg+xml") for drawn in curves],
        people=_people(results),
    )


def of_any_cohort(
    results: HeldOutResults,
    findings: Findings,
    subjects: Path,
    named: People,
    again: Sequence[str],
    maps: bytes | None,
    agreements: Mapping[str, Agreement] | None,
) -> dict[str, Any]:
    """Return what the template of every cohort's report is given; parameters as `cohort_page`."""
    study, source = results.planned.study, results.source
    return dict(
        title=study.study.replace("_", " "),
        question=study.question,
        findings=findings,
        results=results,
        scores=results.scores_by_row,
        maps=maps and data_uri(maps, "image/png"),
        agreements=agreements or {},
        counts=", ".join(f"{source['counts'][k]} {k}" for k in COUNTED if k in source["counts"]),
        left_out=[
            *((named.left_out(what), named(why)) for what, why in _left_out(source, named)),
            *((named(name), _problems(source, name, named)) for name in source["excluded"]),
        ],
        shown=min(_SHOWN, len(results.subjects)),
        scans=len(results.subjects),
        pictures=list(_quality(results, subjects, named)),
        again=again,
    )


def _columns(classes: Sequence[str]) -> dict[str, str]:
    """Return the heads of the table's columns, by score."""
    if len(classes) == 2:
        found = {"tpr": f"{classes[1]} found", "spc": f"{classes[0]} found"}
    else:
        found = {f"found {name}": f"{name} found" for name in classes}
    scores = {"accuracy": "accuracy", "balanced_accuracy": "balanced", **found}
    return {**scores, "auc": "AUC", "brier": "Brier"}


def _left_out(source: Mapping[str, Any], named: People) -> Iterator[tuple[str, str]]:
    """Yield what was left out, and why; with names only where they are told.

    Cohorts that earlier versions prepared have the reason only together with names.
    """
    by, reasons = source.get("excluded_by", {}), source.get("reasons", {})
    for what, why in source["left_out"]:
        if named.pseudonyms and what in reasons:
            why = reasons[what]
        elif named.pseudonyms and why.startswith("is excluded by"):
            why = "is excluded by name"
        yield what, f"{why} ({by[what]!r})" if what in by and not named.pseudonyms else why


def _problems(source: Mapping[str, Any], name: str, named: People) -> str:
    """Say why a scan was left out after registration; a failure names files.

    What was measured names nobody, and its numbers may be those that people are called by. Cohorts
    that earlier versions prepared do not tell failures apart.
    """
    why, failures = "; ".join(source["excluded"][name]), source.get("unusable")
    if named.pseudonyms and failures and name in failures:
        return "cannot be read, or registered"
    return named(why) if failures is None else why


def _people(results: CohortResults) -> dict[str, Mapping[str, Any]]:
    """Return what there is to tell of the people of each class."""
    of = [entry["label"] for entry in results.subjects]
    count = {
        name: len({e["subject"] for e in results.subjects if e["label"] == name})
        for name in results.classes
    }
    scans = {name: of.count(name) for name in results.classes}
    return {"people": count, "scans": scans, **results.traits()}


def _quality(
    results: HeldOutResults, subjects: Path, named: People
) -> Iterator[tuple[str, list[str]]]:
    """Yield pictures of registered scans, worst first, and what is said of them."""
    facts = []
    for entry in results.subjects:
        name = f"{entry['subject']}_{entry['session']}" if entry["session"] else entry["subject"]
        facts.append((name, read_json(subjects / f"{name}.json")))
    facts.sort(key=lambda item: (-len(item[1]["problems"]), item[1]["quality"]["similarity"]))
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
        yield data_uri(_untitled(path), "image/png"), words


def _untitled(path: Path) -> bytes:
    """Return a picture without the line that names the scan."""
    from PIL import Image

    with Image.open(path) as image:
        cut = image.convert("RGB").crop((0, _TITLE_PIXELS, *image.size))
    stream = io.BytesIO()
    cut.save(stream, "PNG")
    return stream.getvalue()
