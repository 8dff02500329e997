"""Reads every hostile file of one reader, a JSON line before and after each.

Command: ``python -m tests.hostile.reading READER FOLDER``
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from tests.hostile.own_files import ALL_FILES
from tests.hostile.readers import READERS


def _outcome(reader: str, path: Path) -> dict[str, Any]:
    try:
        found = READERS[reader](path)
    # As a stage ends with: one line. Anything else is a traceback.
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        return {"error": str(error), "path": str(path)}
    except BaseException:
        return {"traceback": traceback.format_exc()[-2000:]}
    return {"read": str(found)[:200]}


def _say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    """Read them."""
    reader, folder = sys.argv[1], Path(sys.argv[2])
    for number, (case, make) in enumerate(ALL_FILES[reader].items()):
        place = folder / str(number)
        if place.exists():
            continue  # of a process before, which it ended
        place.mkdir()
        _say(case=case, made=str(make(place)))
        _say(case=case, **_outcome(reader, place if not any(place.iterdir()) else _file(place)))


def _file(place: Path) -> Path:
    return next(path for path in place.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
