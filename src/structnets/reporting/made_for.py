"""What a table or report was made for, so that it is made again when something else is asked for.

Snakemake compares times of files, and parameters where it is told to. Neither notices, with
``--rerun-triggers mtime`` alone, that the runs behind a table are others than before if those were
trained earlier than it: after a label is corrected and put back, after a row is taken out.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from structnets.files import write_atomic

_MADE = ".made"


def made_record(folder: Path, name: str) -> Path:
    """Return the file in which a job writes down what it made its files for."""
    return folder / f"{name}{_MADE}"


def mark_other(folder: Path, name: str, wanted: str) -> Path:
    """Return a file that is younger than what was made if that was made for something else.

    Else it is as old as files can be. What is asked for but not made leaves no trace.

    Parameters
    ----------
    folder : Path
        Of such files; made if it is missing.
    name : str
        Of the table or report.
    wanted : str
        A digest of what it is to be made for.
    """
    flag, record = folder / name, made_record(folder, name)
    same = record.is_file() and record.read_text().strip() == wanted
    # Snakemake takes a small file of the same content for unchanged, however young it is.
    if not flag.is_file() or flag.read_text() != wanted:
        write_atomic(flag, wanted)
    moment = 0.0 if same else time.time()
    os.utime(flag, (moment, moment))
    return flag
