"""Hostile files of every kind end in one line that names the file and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hostile.own_files import ALL_FILES
from tests.hostile.watched import read_all

pytestmark = pytest.mark.slow
REMEDY = re.compile(
    r"again|anew|instead|\bset\b|\brun\b|keep one|allowed|expected|needed|convert|remove|write|"
    r"repair|extract|save|make|left out|refused|must|lower|limit|give|line \d|jsonl:\d|No route|"
    r"set of|Errno|answer"
)
# Passed over with a word: neither believed nor followed.
QUIET = {"lock": "{'void': False}", "marker": "{'believed': None}"}
# Their errors list each offending key on a line of its own.
LISTS = ("spec", "yaml", "study")


def _is_wrong(reader: str, outcome: dict[str, str], folder: Path) -> bool:
    if reader in QUIET:
        return outcome.get("read") != QUIET[reader]
    said = outcome.get("error", "")
    lines = said.splitlines()
    most = 1 if reader not in LISTS else 22
    clean = all(line.isprintable() for line in lines)
    named = str(folder) in said or reader == "spec"
    remedy = REMEDY.search(said.replace(str(folder), ""))
    short = len(lines) <= most and all(len(line) < 1500 for line in lines)
    return not (named and remedy and clean and short)


@pytest.mark.parametrize("reader", ALL_FILES)
def test_each_ends_in_one_line(reader: str, tmp_path: Path) -> None:
    found = read_all(reader, tmp_path)
    assert list(found) == list(ALL_FILES[reader])
    wrong = {case: out for case, out in found.items() if _is_wrong(reader, out, tmp_path)}
    assert not wrong, "\n".join(f"{case}: {out}" for case, out in wrong.items())
