"""The readings of the thesis that targets rest on: below each target, and on a page of all.

Command: ``python -m structnets.reporting.interpretations [docs/interpretations.md]``
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from structnets.files import write_atomic
from structnets.reporting.markdown import escaped
from structnets.specs.interpretation import WORDS, Interpretation
from structnets.specs.target import Targets, load_targets

PAGE = "docs/interpretations.md"
_HEADER = """# Readings of the thesis

Where the text is silent, garbled or contradicts itself, where the released code differs from it, or
where its way costs too much, something had to be chosen. Each choice is a field of the file of the
target that rests on it (`interpretations` in `workflow/targets/<target>.yaml`); this page is
generated from them by `python -m structnets.reporting.interpretations`; do not edit it."""


def listed(interpretations: Iterable[Interpretation]) -> list[str]:
    """Write each reading as one item of a Markdown list."""
    return [
        f"- **{escaped(one.subject)}** ({WORDS[one.kind]}). The thesis: {escaped(one.text)} "
        f"Here: {escaped(one.done)} Why: {escaped(one.why)}"
        for one in interpretations
    ]


def section(interpretations: Iterable[Interpretation]) -> str:
    """Write the readings as they stand below a target; empty if there are none."""
    items = listed(interpretations)
    return "\n".join(["Readings of the thesis:", "", *items]) if items else ""


def page(targets: Targets) -> str:
    """Write the page of all readings, target by target; one that several share stands once."""
    parts, seen = [_HEADER], dict[Interpretation, str]()
    for name, target in sorted(targets.all.items(), key=lambda item: _place(item[0])):
        shared = [f"{escaped(one.subject)} ({seen[one]})" for one in target.interpretations
                  if one in seen]  # fmt: skip
        own = [one for one in target.interpretations if one not in seen]
        seen.update((one, f"see {name}") for one in own)
        items = listed(own)
        if shared:
            items.append(f"- As elsewhere: {'; '.join(shared)}.")
        if items:
            parts += [f"## {escaped(target.title)} (`{name}`)", "\n".join(items)]
    return "\n\n".join(parts) + "\n"


def _place(name: str) -> tuple[str, int, str]:
    """Sort ``table10`` behind ``table9``."""
    stem = name.rstrip("0123456789")
    return (stem, int(name[len(stem) :] or 0), name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the page of all readings of the thesis.")
    parser.add_argument("file", type=Path, nargs="?", default=PAGE)
    parser.add_argument("--targets", type=Path, default=Path("workflow/targets"))
    given = parser.parse_args()
    write_atomic(given.file, page(load_targets(given.targets)))
