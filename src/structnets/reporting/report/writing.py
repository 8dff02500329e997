"""Writes the report from its template."""

from __future__ import annotations

from pathlib import Path

from structnets import __version__, pages
from structnets.files import write_atomic
from structnets.reporting.claims import verdicts
from structnets.reporting.formats import beside, shown
from structnets.reporting.freshness import stale_note
from structnets.reporting.notes import notes
from structnets.reporting.numbers import number
from structnets.reporting.rendering import head
from structnets.reporting.report.contents import chapters, counts
from structnets.specs.interpretation import WORDS


def write_report(
    out: Path, results: Path, ledger: Path, targets: Path, claims: Path | None = None
) -> dict[str, int]:
    """Write one HTML file that tells what was measured, and needs nothing else.

    Parameters
    ----------
    out : pathlib.Path
        The file.
    results : pathlib.Path
        Root of the results, for pictures of trained nets; it need not exist.
    ledger, targets : pathlib.Path
        Folders of the ledger and of target files.
    claims : pathlib.Path, optional
        Folder of the thesis' claims, with whose verdicts the page then begins.

    Returns
    -------
    dict
        How many ``targets`` there are, how many are ``measured``, by how many ``runs``, in how
        many ``cells``, and how many of those are ``stale``.
    """
    found = chapters(results, ledger, targets)
    counted = dict(counts(found))
    decided = verdicts(claims, ledger, targets, targets.parent / "experiments") if claims else []
    page = pages.page(
        "structnets.reporting",
        "report.html",
        chapters=found,
        verdicts=decided,
        counts=counted,
        version=__version__,
        notes=notes,
        words=WORDS,
        stale_note=stale_note,
        number=number,
        shown=shown,
        beside=beside,
        head=head,
    )
    write_atomic(out, page)
    return counted
