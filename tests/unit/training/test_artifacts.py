"""What counts as published."""

from __future__ import annotations

from pathlib import Path

import pytest

from structnets.files import write_json
from structnets.identity import spec_digest
from structnets.training.artifacts import ARTIFACTS, is_published


@pytest.mark.parametrize("missing", ARTIFACTS)
def test_run_that_lacks_a_file_is_not_published(missing: str, tmp_path: Path) -> None:
    spec = {"seed": 0}
    for name in ARTIFACTS:
        (tmp_path / name).touch()
    write_json(tmp_path / "result.json", {"spec_digest": spec_digest(spec)})
    assert is_published(tmp_path, spec)
    (tmp_path / missing).unlink()
    assert not is_published(tmp_path, spec)


def test_run_of_another_spec_is_not_this_one(tmp_path: Path) -> None:
    for name in ARTIFACTS:
        (tmp_path / name).touch()
    write_json(tmp_path / "result.json", {"spec_digest": spec_digest({"seed": 1})})
    assert not is_published(tmp_path, {"seed": 0})
