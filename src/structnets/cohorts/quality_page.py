"""The page of a cohort's quality control: flagged subjects first, each with its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from structnets.cohorts.listing import Listing
from structnets.cohorts.subject_files import SubjectFiles
from structnets.files import write_atomic
from structnets.imaging.quality import LARGEST_LOSS, LIMITS

_LEGEND = (
    "L, R, A and P are the subject's left, right, front and back, as the scan's header has them. A "
    "brain is so symmetric that a header which mistakes left for right shows in nothing but a mark "
    "at the scanner, such as a capsule at one side. Blue: outline of the MNI152 brain. Orange "
    "lines: its white matter. Orange areas: what lies outside the template's brain and was cut off "
    "of the subject's own, also as a share in the table."
)
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --soft: #6b6b6b; --line: #d9d9d9;
  --paper: #ffffff; --flag: #b3470b; --head: #f5f5f5; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #9d9d9d; --line: #444;
  --paper: #1c1c1c; --flag: #f2a65a; --head: #262626; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 2rem auto; padding: 0 1.5rem; max-width: 78rem; }
h1 { font-size: 1.35rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: right; }
th { background: var(--head); } td:first-child, td:last-child, th:last-child { text-align: left; }
section { border-top: 1px solid var(--line); padding: .6rem 0; }
img { max-width: 100%; background: #fff; }
.flag { color: var(--flag); font-weight: 600; } .soft, li { color: var(--soft); }
"""


def write_page(
    path: Path, title: str, listing: Listing, subjects: Sequence[SubjectFiles], *, excluded: bool
) -> None:
    """Write the page beside the subjects' pictures, atomically.

    Parameters
    ----------
    path : Path
        The HTML file, in the folder of the pictures.
    title : str
        What the page is of.
    listing : Listing
        The cohort's scans and what was left out.
    subjects : sequence of SubjectFiles
        The files of each scan.
    excluded : bool
        Whether flagged scans are excluded from the prepared cohort unless kept by name.
    """
    ordered = sorted(subjects, key=lambda files: (-len(files.problems), _similarity(files)))
    flagged = [files for files in ordered if files.problems]
    head = f"{len(subjects)} scans, {len(flagged)} flagged, {len(listing.left_out)} left out. " + (
        "Flagged scans are excluded from the prepared cohort, except those kept by name."
        if excluded
        else "A flagged scan is used or not as the prepare parameters 'keep' and 'exclude' say."
    )
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(head)}</p>",
        *_table(ordered),
        *_list("Chosen among several scans", listing.taken),
        *_list("Left out of the cohort", listing.left_out),
        f"<h2>Pictures</h2><p>{escape(_LEGEND)}</p>",
        *(_section(files) for files in ordered),
        "</body></html>",
        "",
    ]
    write_atomic(path, "\n".join(lines))


def _similarity(files: SubjectFiles) -> float:
    return files.facts.get("quality", {}).get("similarity", -1.0)


def _list(title: str, entries: Sequence[tuple[str, str]]) -> list[str]:
    items = [f"<li>{escape(what)}: {escape(why)}</li>" for what, why in entries]
    return [f"<h2>{escape(title)} ({len(entries)})</h2><ul>", *items, "</ul>"]


def _table(ordered: Sequence[SubjectFiles]) -> list[str]:
    names = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in LIMITS)
    limits = "".join(f'<th class="soft">{low:g} to {high:g}</th>' for low, high in LIMITS.values())
    limits += f'<th class="soft">0 to {LARGEST_LOSS:.0%}</th>'
    rows = [
        f'<tr><td><a href="#{escape(files.name)}">{escape(files.name)}</a></td>'
        f"{_numbers(files.facts.get('quality', {}))}<td>{_cut_off(files)}</td>"
        f'<td class="flag">{escape("; ".join(files.problems))}</td></tr>'
        for files in ordered
    ]
    return [
        f"<table><thead><tr><th>scan</th>{names}<th>cut off</th><th>flagged because</th></tr>",
        f"<tr><th></th>{limits}<th></th></tr></thead><tbody>",
        *rows,
        "</tbody></table>",
    ]


def _numbers(measured: Mapping[str, float]) -> str:
    return "".join(
        f"<td>{measured[name]:.3f}</td>" if name in measured else "<td>–</td>" for name in LIMITS
    )


def _cut_off(files: SubjectFiles) -> str:
    lost = files.facts.get("cut_off")
    return "–" if lost is None else f"{lost:.1%}"


def _section(files: SubjectFiles) -> str:
    verdict = "; ".join(files.problems) or "passed"
    mark = ' class="flag"' if files.problems else ""
    name = escape(files.name)
    picture = (
        ""
        if files.failure
        else f'<img loading="lazy" src="{name}.png" alt="{name} under the outline of MNI152">'
    )
    words = f"<p><b>{name}</b> <span{mark}>{escape(verdict)}</span></p>"
    return f'<section id="{name}">{words}{picture}</section>'
