"""Writes the report from its template; what is put into it is escaped."""

from __future__ import annotations

from pathlib import Path

from structnets import __version__
from structnets.files import write_atomic
from structnets.reporting.formats import gap, notes, number, pooled, spread
from structnets.reporting.report.contents import chapters, counts
from structnets.specs.interpretation import WORDS


def write_report(out: Path, results: Path, ledger: Path, targets: Path) -> dict[str, int]:
    """Write one HTML file that tells what was measured, and needs nothing else.

    Parameters
    ----------
    out : pathlib.Path
        The file.
    results : pathlib.Path
        Root of the results, for pictures of trained nets; it need not exist.
    ledger, targets : pathlib.Path
        Folders of the ledger and of target files.

    Returns
    -------
    dict
        How many ``targets`` there are, how many are ``measured``, by how many ``runs``, in how
        many ``cells``, and how many of those are ``stale``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(gap=gap, number=number, pooled=pooled, spread=spread)
    environment.globals.update(notes=notes, words=WORDS)
    found = chapters(results, ledger, targets)
    counted = dict(counts(found))
    page = environment.get_template("report.html.j2").render(
        chapters=found, counts=counted, version=__version__
    )
    write_atomic(out, page)
    return counted
