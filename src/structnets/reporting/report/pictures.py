"""Pictures of targets, as they stand in a page: in it, not beside it."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from structnets.figures.drawing import draw
from structnets.pages import data_uri
from structnets.reporting.rendering import Rendering
from structnets.reporting.searches import Search
from structnets.reporting.writing import write_rendering
from structnets.specs.analysis import Analysis
from structnets.specs.drawing import Drawing
from structnets.specs.sweep import Sweep
from structnets.specs.table import Table

_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
_LARGE = 400_000  # bytes of an SVG beyond which its PNG is taken


def picture_of(
    target: Table | Analysis | Drawing | Sweep,
    rendering: Rendering | None,
    results: Path,
    search: Search | None = None,
) -> str | None:
    """Return a target's picture as a ``data:`` address, or None where there is none.

    Parameters
    ----------
    target : Table, Analysis, Drawing or Sweep
        What it shows.
    rendering : Rendering or None
        Its cells, if it is a table. A curve of cells is drawn from them, so that picture and
        numbers agree; a drawing that is not there is drawn, too, if its packages are there.
    results : pathlib.Path
        Root of the results, where analyses have left their pictures.
    search : Search or None
        Its trials, if it is a sweep, whose map is drawn from them.
    """
    with tempfile.TemporaryDirectory(prefix="structnets-report-") as folder:
        if isinstance(target, Table):
            if target.plot is None:
                return None
            if rendering is None:
                # The demo's curve is of runs that no ledger has.
                own = target.result_in_smoke
                return _embedded(results / "figures" / target.target) if own else None
            write_rendering(rendering, Path(folder))
            return _embedded(Path(folder) / "figures" / target.target)
        if search is not None:
            search.draw(Path(folder) / target.target)
            return _embedded(Path(folder) / target.target)
        found = _embedded(results / "figures" / target.target)
        if found is None and isinstance(target, Drawing):
            stem = Path(folder) / target.target
            # A brain needs packages that tables and curves do without.
            with contextlib.suppress(ModuleNotFoundError):
                draw(target.drawing, stem, title=target.title)
            found = _embedded(stem)
        return found


def _embedded(stem: Path) -> str | None:
    files = [path for end in _KINDS if (path := stem.with_name(stem.name + end)).is_file()]
    small = [path for path in files if path.suffix != ".svg" or path.stat().st_size <= _LARGE]
    if not files:
        return None
    path = (small or files)[0]
    return data_uri(path.read_bytes(), _KINDS[path.suffix])
