"""Text of files and labels as it stands in Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]|#~])")


def escaped(text: str) -> str:
    r"""Return `text` as one line that Markdown, in a cell of a table too, shows as it is.

    Examples
    --------
    >>> print(escaped("a|b <c>"))
    a\|b &lt;c&gt;
    """
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)
