"""Text of files and labels as it stands in Markdown."""

from __future__ import annotations

import re

_PLAIN_CODE = re.compile(r"[\w .,:;/+=()-]*", re.ASCII)
_SPECIAL = re.compile(r"[\\`*\[\]|#~]|(?<![^\W_])_|_(?![^\W_])")


def escaped(text: str) -> str:
    r"""Return `text` as one line that Markdown, in a cell of a table too, shows as it is.

    Examples
    --------
    >>> print(escaped("a|b <c>"))
    a\|b &lt;c&gt;
    """
    line = " ".join(str(text).split())
    line = without_html(line)
    return _SPECIAL.sub(r"\\\g<0>", line)


def without_html(text: str) -> str:
    """Return text that may hold Markdown, and shows tags instead of obeying them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    r"""Return `text` as Markdown's code; what could end the code is shown as plain text.

    Examples
    --------
    >>> print(code("hcnn-s0"), code("a`b"))
    `hcnn-s0` a\`b
    """
    return f"`{text}`" if _PLAIN_CODE.fullmatch(text) else escaped(text)
