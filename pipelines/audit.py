"""Compare every artifact on this disk with MLflow, byte for byte.

Command: ``python -m pipelines.audit --results DIR [--ledger DIR] [--uri URI] [--json]``, also
``structnets audit``. Exit code 1 if anything is missing or differs, 2 if MLflow cannot be asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines.tracking import store
from pipelines.tracking.audited_runs import StoredRun, side_by_side, stored_runs
from structnets.files import json_text, sha256_file
from structnets.reporting.ledger import ledger_files

# What the stages publish, relative to the results root.
_PUBLISHED = (
    "runs/*/result.json",
    "runs/*/model.pt",
    "runs/*/curves.csv",
    "runs/*/spec.json",
    "tables/*",
    "figures/*",
    "analyses/*",
    "sweeps/*/*",
    "studies/*/*",
)
_PRIVATE = "names.csv"  # of a study: who is who, which is not logged

EXAMPLES = (
    ("structnets audit", "compare the results of this checkout with its embedded MLflow"),
    ("structnets audit --results /data/results --json", "another results folder, as JSON"),
)
NOTES = """\
Exit status: 0 all agree, 1 something is missing or differs, 2 MLflow cannot be asked."""

Item = dict[str, Any]


def audit(uri: str | None, results: str | os.PathLike[str], ledger: Path | None) -> dict[str, Any]:
    """Compare the artifacts on this disk with MLflow.

    Parameters
    ----------
    uri : str or None
        Tracking URI; None takes the environment's, else the embedded store.
    results : path
        Root of the results.
    ledger : Path or None
        Folder of the ledger.

    Returns
    -------
    dict
        ``checked`` : int, number of artifacts compared.
        ``missing`` : list of {run, artifact, path, missing_from}, where `missing_from` is
        ``mlflow`` or ``disk``.
        ``differing`` : list of {run, artifact, path, changed, disk, mlflow, logged}, where
        `changed` is the side that departs from the checksum recorded when the artifact was
        logged (``disk``, ``mlflow`` or ``both``), and the last three are SHA-256.
        ``elsewhere`` : list of {run, known_from}: runs without files on this disk, known from
        the ``ledger`` or from another machine's entry in ``mlflow``.
    """
    root = Path(results).resolve()
    runs = sorted(stored_runs(uri, root), key=lambda run: run.end_time)
    # Two presets of a target render to the same file: the later one is what the disk holds.
    owner = {entry["path"]: run for run in runs for entry in run.artifacts.values()}
    report: dict[str, Any] = {"checked": 0, "missing": [], "differing": [], "elsewhere": []}
    for path in published(root):
        if path not in owner:
            report["checked"] += 1
            report["missing"].append(_missing(_run_of(path), Path(path).name, path, "mlflow"))
    here = [run for run in runs if run.here or _on_disk(run, root)]
    ids = [run.mlflow_run_id for run in here]
    stored = dict(zip(ids, side_by_side(StoredRun.checksums, here), strict=True))
    for run in runs:
        if run.mlflow_run_id in stored:
            _compare(run, stored[run.mlflow_run_id], root, owner, report)
        elif run.artifacts:
            report["elsewhere"].append({"run": run.name, "known_from": "mlflow"})
    known = {item["run"] for item in report["elsewhere"]} | {run.name for run in runs}
    for run_id in ledger_runs(ledger):
        if run_id not in known and not (root / "runs" / run_id).exists():
            report["elsewhere"].append({"run": run_id, "known_from": "ledger"})
    return report


def published(root: Path) -> Iterator[str]:
    """Yield the path, relative to `root`, of every artifact on this disk."""
    for pattern in _PUBLISHED:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.name != _PRIVATE and not path.name.startswith("."):
                yield path.relative_to(root).as_posix()


def ledger_runs(ledger: Path | None) -> Iterator[str]:
    """Yield the run ids of a ledger folder.

    Raises
    ------
    ValueError
        If a line is not a JSON object with a run id.
    """
    for file in ledger_files(ledger) if ledger else ():
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            try:
                yield json.loads(line)["run_id"]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{file}, line {number}: not a ledger line ({error})") from error


def _on_disk(run: StoredRun, root: Path) -> bool:
    return any((root / entry["path"]).exists() for entry in run.artifacts.values())


def _run_of(path: str) -> str:
    """Return what a published path belongs to: a run or sweep id, or a target."""
    folder, name = path.split("/", 1)
    return Path(name).stem if folder in ("tables", "figures", "analyses") else name.split("/")[0]


def _missing(run: str, artifact: str, path: str, side: str) -> Item:
    return {"run": run, "artifact": artifact, "path": path, "missing_from": side}


def _compare(
    run: StoredRun,
    checksums: dict[str, str | None],
    root: Path,
    owner: dict[str, StoredRun],
    report: Item,
) -> None:
    """Compare a run's artifacts in MLflow with what was logged and with the disk."""
    for name, entry in run.artifacts.items():
        report["checked"] += 1
        path, logged, stored = entry["path"], entry["sha256"], checksums[name]
        file = root / path
        mine = owner[path] is run
        on_disk = sha256_file(file) if mine and file.is_file() else None
        if stored is None:
            report["missing"].append(_missing(run.name, name, path, "mlflow"))
        if mine and on_disk is None:
            report["missing"].append(_missing(run.name, name, path, "disk"))
        changed = [
            side
            for side, found in (("disk", on_disk), ("mlflow", stored))
            if found not in (None, logged)
        ]
        if changed:
            report["differing"].append(
                {
                    "run": run.name,
                    "artifact": name,
                    "path": path,
                    "changed": "both" if len(changed) == 2 else changed[0],
                    "disk": on_disk,
                    "mlflow": stored,
                    "logged": logged,
                }
            )


def _print(report: dict[str, Any]) -> None:
    for item in report["missing"]:
        typer.echo(f"missing from {item['missing_from']}: {item['artifact']} of {item['run']}")
    for item in report["differing"]:
        typer.echo(f"differs (changed on {item['changed']}): {item['artifact']} of {item['run']}")
    for item in report["elsewhere"]:
        typer.echo(f"made elsewhere (from the {item['known_from']}): {item['run']}")
    counts = ", ".join(f"{len(report[key])} {key}" for key in ("missing", "differing"))
    typer.echo(f"{report['checked']} artifacts checked: {counts}")


def _refuse(reason: str, as_json: bool) -> NoReturn:
    typer.echo(f"error: {reason}", err=True)
    if as_json:
        typer.echo(json_text({"error": reason}), nl=False)
    raise typer.Exit(2)


def command(
    results: Annotated[Path, typer.Option(help="root of the results")] = Path("results"),
    ledger: Annotated[Path, typer.Option(help="folder of the ledger")] = Path("workflow/ledger"),
    uri: Annotated[
        str | None, typer.Option(help="tracking URI (default: MLFLOW_TRACKING_URI, else embedded)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Compare every artifact on this disk with MLflow and list what is missing or differs."""
    if not results.is_dir():
        _refuse(f"--results {results}: there is no such folder", as_json)
    try:
        report = audit(uri, results, ledger)
    except Exception as error:
        where = store.resolve_uri(uri, results)
        _refuse(store.reason(error, where), as_json)
    if as_json:
        typer.echo(json_text(report), nl=False)
    else:
        _print(report)
    if any(item["missing_from"] == "mlflow" for item in report["missing"]):
        typer.echo(
            "To log again what MLflow lacks: python -m pipelines.tracking flush --again "
            f"--results {results} --scratch <scratch>",
            err=True,
        )
    if report["missing"] or report["differing"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(command)
