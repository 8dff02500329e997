"""The ledger: one committed line per measured run, ``workflow/ledger/chapter<N>.jsonl``.

Runs of no chapter stand in ``own.jsonl``.

A line holds what a table cell needs of a run made elsewhere or earlier. Of one fold of a
cross-validation it also holds the ``predictions``, a pair of label and log-odds per held-out
sample (`structnets.reporting.pooling`). Its ``code_digest`` is of the definitions that computed it
(`structnets.training.code_digest`). Its ``first_losses`` and ``weights_digest`` are what later code
is compared with; ``confirmed``, if any, says at which commit it was seen to compute the same
(`structnets.training.confirmation`).
Lines are sorted by run id, one per run; a new measurement of a run replaces its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets import files, identity
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.foreign.documents import parse_json, read_text
from structnets.foreign.shown import shown
from structnets.training.stated_result import problem

Line = dict[str, Any]
KEYS = (
    "run_id",
    "spec",
    "metrics",
    "parameters",
    "hardware",
    "data_digest",
    "code_digest",
    "commit",
    "wall_s",
    "train_s",
)
OPTIONAL = ("confirmed", "data_counts", "first_losses", "predictions", "weights_digest")
CHAPTERS = (3, 4, 5, 6, None)


def ledger_line(result: dict[str, Any]) -> Line:
    """Reduce the content of a ``result.json`` to a ledger line.

    The commit of a working tree with uncommitted changes ends in ``-dirty``.

    Raises
    ------
    ValueError
        If the result lacks something a line holds.
    """
    line = reduced(result, KEYS, f"result of {result.get('run_id')!r}")
    line |= {key: result[key] for key in ("first_losses", "weights_digest") if key in result}
    if result.get("data_counts"):
        line["data_counts"] = result["data_counts"]
    labels, log_odds = result.get("labels"), result.get("log_odds")
    if labels and log_odds and find_dataset(line["spec"]["data"]["name"]).form == "cohort":
        pairs = zip(labels, log_odds, strict=True)
        line["predictions"] = [[label, float(f"{odds:.5g}")] for label, odds in pairs]
    return line


def reduced(result: Mapping[str, Any], keys: Sequence[str], what: str) -> Line:
    """Keep what a line holds of a result, and name its commit.

    Parameters
    ----------
    result : mapping
        Plain JSON, with ``git`` as `structnets.training.provenance.git_state` returns it.
    keys : sequence of str
        What the line holds.
    what : str
        What the error calls the result.

    Raises
    ------
    ValueError
        Naming the keys that the result lacks.
    """
    git = result.get("git") or {}
    commit = git.get("sha")
    found = {**result, "commit": f"{commit}-dirty" if commit and git.get("dirty") else commit}
    missing = [key for key in keys if key not in found]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")
    return {key: found[key] for key in keys}


def ledger_path(directory: Path, chapter: int | None) -> Path:
    """Return the file that holds the runs of a chapter, or of none."""
    return directory / f"{identity.chapter_name(chapter)}.jsonl"


def ledger_files(directory: Path) -> list[Path]:
    """List the files of runs that there are, in the order of chapters."""
    paths = (ledger_path(directory, chapter) for chapter in CHAPTERS)
    return [path for path in paths if path.is_file()]


def read_ledger(directory: Path) -> dict[str, Line]:
    """Read the lines of all chapters, by run id.

    Raises
    ------
    ValueError
        Naming file and line, if a line is damaged, stands in the wrong file, repeats a run, or if
        its spec and its run id disagree.
    """
    lines: dict[str, Line] = {}
    for path in ledger_files(directory):
        for number, text in enumerate(read_text(path).splitlines(), start=1):
            place = f"{path}:{number}"
            line = _parsed(text, place)
            _check(line, path, place)
            if line["run_id"] in lines:
                raise ValueError(f"{place}: run {line['run_id']} has a line already")
            lines[line["run_id"]] = line
    return lines


def append(directory: Path, lines: Iterable[Line]) -> list[Path]:
    """Add lines to the ledger, replacing those of the same runs; each file atomically.

    Returns
    -------
    list of pathlib.Path
        The files that changed.

    Raises
    ------
    ValueError
        If a line or the present ledger is not valid; nothing is written then.
    """
    new = {line["run_id"]: line for line in lines}
    merged = {**read_ledger(directory), **new}
    changed = []
    for path in sorted({_path_of(line, directory) for line in new.values()}):
        chosen = [line for _, line in sorted(merged.items()) if _path_of(line, directory) == path]
        for line in chosen:
            _check(line, path, f"run {line['run_id']}")
        text = "".join(identity.canonical_json(line) + "\n" for line in chosen)
        if not path.exists() or path.read_text() != text:
            files.write_atomic(path, text)
            changed.append(path)
    return changed


def _path_of(line: Line, directory: Path) -> Path:
    return ledger_path(directory, line["spec"].get("chapter"))


def _parsed(text: str, place: str) -> Line:
    line = parse_json(text, place)
    if not isinstance(line, dict):
        raise ValueError(f"{place}: a JSON object is needed, not {type(line).__name__}")
    return line


def _check(line: Line, path: Path, place: str) -> None:
    if set(line) - set(OPTIONAL) != set(KEYS):
        raise ValueError(f"{place}: keys are {shown(sorted(line))}; needed: {sorted(KEYS)}")
    if found := problem(line):
        raise ValueError(f"{place}: the line {found}")
    belongs = _path_of(line, path.parent)
    if path != belongs:
        chapter = line["spec"].get("chapter")
        raise ValueError(f"{place}: a run of chapter {chapter} belongs in {belongs.name}")
