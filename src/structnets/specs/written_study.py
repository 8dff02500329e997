"""What the files of studies that are written for a user share: a name, and words in comments."""

from __future__ import annotations

import json
import re
from pathlib import Path


def study_name(folder: Path, otherwise: str) -> str:
    """Return the name of a study of what lies in a folder: the folder's, in a-z, 0-9 and _.

    Examples
    --------
    >>> study_name(Path("My Leaves (2)"), "pictures")
    'my_leaves_2'
    >>> study_name(Path("~"), "pictures")
    'pictures'
    """
    return re.sub(r"[^a-z0-9]+", "_", folder.name.lower()).strip("_") or otherwise


def in_comment(text: str) -> str:
    r"""Return a text as it may stand in a comment: on one line.

    Examples
    --------
    >>> in_comment("a name\nof two lines")
    'a name\\nof two lines'
    """
    return json.dumps(text, ensure_ascii=False)[1:-1]
