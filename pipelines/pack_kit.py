"""Pack a kit: library, specs and data for a machine that is lent for minutes.

``python -m pipelines.pack_kit --list workflow/config/gpu_kit.yaml --data-root DIR --out kit``
packs; ``python kit/run.py --seconds 540 --out $OUT`` trains there; then
``python -m pipelines.pack_kit --unpack $OUT --out results`` puts finished runs among the results,
from where `pipelines.ledger_add` takes them.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.files import atomic_path, write_json
from structnets.identity import prepared_name
from structnets.reporting.ledger import read_ledger
from structnets.reporting.plan import make_plan
from structnets.reporting.requests import cell_key
from structnets.specs.configuration import load_configuration
from structnets.specs.kit import KitList, WantedCells
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.validation import checked, load_yaml
from structnets.training.kit_archives import unpack

log = logging.getLogger("pack_kit")

MOST_BYTES = 50_000_000
_RUN = """\
\"\"\"Train the runs of this kit: ``python run.py --help``.\"\"\"

import sys
import time
from pathlib import Path

BEGUN = time.monotonic()
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "src"))
from structnets.training.kit_command import main  # noqa: E402

sys.exit(main(HERE, BEGUN))
"""


def load_list(path: Path) -> KitList:
    """Read the list of a kit's runs.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    return checked(KitList, load_yaml(path), str(path))


def wanted(cells: Iterable[WantedCells], ledger: Path) -> dict[str, ResolvedSpec]:
    """Return the resolved specs of cells, in their order, without what the ledger holds.

    A run of another preset that fills the same cell with the same seed counts as held.

    Parameters
    ----------
    cells : iterable of WantedCells
        The most wanted first.
    ledger : Path
        Folder of the ledger.

    Raises
    ------
    ValueError
        If a target, row or column is not there.
    """
    held = {_cell_and_seed(line["spec"]) for line in read_ledger(ledger).values()}
    found: dict[str, ResolvedSpec] = {}
    for entry in cells:
        target, asked = entry.target, entry.model_dump(exclude={"target"}, exclude_none=True)
        plan = make_plan(load_configuration({"ledger": "ignore", **asked}))
        if target not in plan.requested:
            raise ValueError(
                f"{target!r} of the list is no table or figure; there are: "
                f"{', '.join(sorted(plan.requested))}"
            )
        specs = {run: plan.specs[run] for run in plan.requested[target]}
        found |= {run: spec for run, spec in specs.items() if _cell_and_seed(spec) not in held}
        held |= {_cell_and_seed(spec) for spec in specs.values()}
    return found


def _cell_and_seed(spec: ResolvedSpec) -> tuple[str, int]:
    """Return the cell that a run fills, and its seed there."""
    return cell_key(spec), spec["seed"]


def pack_kit(
    specs: dict[str, ResolvedSpec], data_root: Path, prepared: Path, out: Path
) -> dict[str, int]:
    """Write a kit.

    Data that are published as files are packed as these and prepared over there; a prepared
    cohort is packed as it is. Runs whose data do not fit any more are left out, with a word.

    Returns
    -------
    dict of str to int
        Bytes of each part.

    Raises
    ------
    FileNotFoundError
        If data are neither below `data_root` nor prepared.
    FileExistsError
        If `out` is there: a kit is never mixed with an older one.
    """
    if out.exists():
        raise FileExistsError(f"{out} is already there; name another folder, or remove it")
    library = Path(__file__).resolve().parents[1] / "src" / "structnets"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(library, out / "src" / "structnets", ignore=ignored)
    (out / "run.py").write_text(_RUN)
    parts = {"library": _bytes(out / "src")}
    runs = []
    for run, spec in specs.items():
        name = prepared_name(spec["data"])
        if name not in parts:
            parts[name] = _add_data(spec["data"], data_root, prepared, out, sum(parts.values()))
        if parts[name]:
            runs.append(run)
            write_json(out / "specs" / f"{run}.json", spec)
        else:
            log.warning(
                "%s is left out: with %s the kit is over %d MB", run, name, MOST_BYTES // 10**6
            )
    write_json(out / "kit.json", {"runs": runs})
    return {"runs": len(runs), **parts}


def _add_data(
    data: Mapping[str, Any], data_root: Path, prepared: Path, out: Path, used: int
) -> int:
    """Pack a data set; returns its bytes, or 0 if it does not fit."""
    entry, name = find_dataset(data["name"]), prepared_name(data)
    if entry.built_in:
        return 1  # comes with packages
    places = [_place(original.places, data_root) for original in entry.originals]
    if places and all(places):
        size = sum(_bytes(data_root / str(place)) for place in places)
        if used + size > MOST_BYTES:
            return 0
        for place in map(str, places):
            _copy(data_root / place, out / "originals" / place)
        return size
    folder = prepared / name
    if not (folder / "manifest.json").is_file():
        raise FileNotFoundError(
            f"{name} is neither published below {data_root} nor prepared in {folder}: "
            f"snakemake prepare_{name.replace('-', '_')}"
        )
    path = out / "packed" / f"{name}.tar.gz"
    with atomic_path(path) as temporary, tarfile.open(temporary, "w:gz") as archive:
        archive.add(folder, folder.name)
    if used + path.stat().st_size > MOST_BYTES:
        path.unlink()
        return 0
    return path.stat().st_size


def _place(places: Sequence[str], root: Path) -> str | None:
    return next((place for place in places if (root / place).exists()), None)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--list", type=Path, metavar="FILE", help="the cells, most wanted first")
    parser.add_argument("--ledger", type=Path, default=Path("workflow/ledger"), help="its folder")
    parser.add_argument("--data-root", type=absolute, help="original data")
    parser.add_argument("--prepared", type=absolute, default=Path("data/prepared"), help="its root")
    parser.add_argument("--unpack", type=absolute, metavar="DIR", help="archives that came back")
    parser.add_argument("--out", type=absolute, required=True, help="the kit, or the results' root")
    options = parser.parse_args(arguments)

    def action() -> None:
        if options.unpack is not None:
            for run in unpack(options.unpack, options.out, finished_only=True):
                log.info("%s is in %s", run, options.out / "runs")
            return
        if options.list is None or options.data_root is None:
            raise ValueError("a kit is packed from --list and --data-root")
        specs = wanted(load_list(options.list).wanted, options.ledger)
        for part, size in pack_kit(specs, options.data_root, options.prepared, options.out).items():
            log.info("%s: %s", part, size if part == "runs" else f"{size / 1e6:.1f} MB")

    return run_stage("pack_kit", action)


if __name__ == "__main__":
    sys.exit(main())
