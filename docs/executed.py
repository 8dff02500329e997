"""Run the code of a page, and keep in the page what it prints.

Command: ``python docs/executed.py docs/tutorials/chapter3.md …`` (``make tutorials``). The `python`
blocks of a page are one program. A `text` block right after one of them is what it prints, and the
pictures that it saves lie in ``figures/`` beside the page. Tests run the same code and compare.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\(figures/([\w.-]+)\)")


def outputs(text: str, folder: Path) -> list[str]:
    """Run the program of a page with `folder` as working folder; return what each block prints."""
    import matplotlib as mpl

    mpl.use("agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = []
    with contextlib.chdir(folder):
        for number, block in enumerate(BLOCK.finditer(text), start=1):
            stream = io.StringIO()
            with contextlib.redirect_stdout(stream):
                exec(compile(block["code"], f"<block {number}>", "exec"), names)
            printed.append(stream.getvalue())
    return printed


def stored(text: str) -> list[str]:
    """Return what the page says that each block prints."""
    return [block["output"] or "" for block in BLOCK.finditer(text)]


def with_outputs(text: str, printed: list[str]) -> str:
    """Return the page with these outputs in place of those it has."""
    waiting = iter(printed)

    def written(block: re.Match[str]) -> str:
        output = next(waiting)
        shown = f"\n```text\n{output}```\n" if output else ""
        return f"```python\n{block['code']}```\n{shown}"

    return BLOCK.sub(written, text)


def main(pages: list[str]) -> None:
    """Run pages and store what they print and draw."""
    for page in map(Path, pages):
        text = page.read_text()
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(with_outputs(text, outputs(text, Path(folder))))
            for picture in PICTURE.findall(text):
                kept = page.resolve().parent / "figures" / picture
                kept.parent.mkdir(exist_ok=True)
                shutil.copyfile(Path(folder) / picture, kept)
        print(f"ran {page}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1:])
