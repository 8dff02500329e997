"""What a ``result.json`` or a line of the ledger states, checked before anything believes it.

Standard library only, as all that decides whether a training is already done.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from structnets.files import read_json
from structnets.foreign.shown import shown
from structnets.identity import run_id, spec_digest

RUN_ID = re.compile(r"[a-z0-9_]+-[A-Za-z0-9_-]+-s[0-9]+-[0-9a-f]{8}", re.ASCII)
_WORD = re.compile(r"[\w .,:;/+()@-]{1,200}", re.ASCII)
_DIGEST = re.compile(r"(?:\d+:)?[0-9a-f]{64}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_metrics(value: Any) -> bool:
    # Null is what was not a number.
    return isinstance(value, dict) and all(
        _is_word(name) and (number is None or _is_number(number)) for name, number in value.items()
    )


def _is_hardware(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_word(value.get("class")):
        return False
    counts = [value[key] for key in ("threads", "world_size", "cores") if key in value]
    return all(type(count) is int and count > 0 for count in counts)


def _is_losses(value: Any) -> bool:
    return isinstance(value, list) and all(number is None or _is_number(number) for number in value)


# Keys that may be missing are asked for by those who need them.
_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "metrics": (_is_metrics, "names and numbers"),
    "parameters": (_is_metrics, "names and numbers"),
    "data_counts": (lambda value: not value or _is_metrics(value), "names and numbers"),
    "hardware": (_is_hardware, "an object with a class, and counts"),
    "data_digest": (_is_digest, "64 hexadecimal digits"),
    "code_digest": (_is_digest, "64 hexadecimal digits"),
    "weights_digest": (_is_digest, "64 hexadecimal digits"),
    "first_losses": (_is_losses, "a list of numbers"),
    "commit": (lambda value: value is None or _is_word(value), "a commit"),
    "wall_s": (_is_number, "a number"),
    "train_s": (_is_number, "a number"),
}


def problem(stated: Any) -> str | None:
    """Say what is wrong with what is stated of a run, or return None.

    Parameters
    ----------
    stated : object
        Content of a ``result.json``, or a line of the ledger.
    """
    if not isinstance(stated, dict):
        return f"is {shown(stated)}, not an object"
    if "spec" not in stated or "run_id" not in stated:
        return "lacks the run_id or the spec of a run"
    try:
        expected = run_id(stated["spec"])
    # A spec is known to be one when it was validated.
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError):
        return "has a spec that is none"
    if not RUN_ID.fullmatch(expected):
        return f"has a spec whose run id would be {shown(expected)}"
    if stated["run_id"] != expected:
        return f"has the run_id {shown(stated['run_id'])}, its spec gives {expected!r}"
    for key, (fits, form) in _FORMS.items():
        if key in stated and not fits(stated[key]):
            return f"has {key} {shown(stated[key])}, expected {form}"
    return None


def read_result(path: Path) -> dict[str, Any]:
    """Read a ``result.json`` and check what it states against its form, its folder and its spec.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        Naming the file, if it is damaged or not of a run, or of another than its folder says.
    """
    try:
        result = read_json(path)
    except ValueError as error:
        raise ValueError(f"{error}; {_remedy(path)}") from None
    found = problem(result)
    if found is None and result["run_id"] != path.parent.name:
        found = f"is of the run {result['run_id']}, not of the one its folder is called after"
    if found is None and result.get("spec_digest") != spec_digest(result["spec"]):
        found = "states another digest than its spec has"
    if found is not None:
        raise ValueError(f"{path} {found}; {_remedy(path)}")
    return result


def metric(stated: Mapping[str, Any], name: str) -> float:
    """Return a metric that is stated of a run.

    Raises
    ------
    ValueError
        Naming the run, if it has none of that name, or if it was not a number.
    """
    if name not in stated["metrics"]:
        found = ", ".join(stated["metrics"])
        raise ValueError(f"run {stated['run_id']} has no metric {name!r}; it has: {found}")
    value = stated["metrics"][name]
    if value is None:
        raise ValueError(
            f"the {name} of run {stated['run_id']} was not a number; {_remedy(Path('result.json'))}"
        )
    return float(value)


def _remedy(path: Path) -> str:
    return f"remove the folder of that {path.name} and train the run anew"
