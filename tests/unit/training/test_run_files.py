"""What counts as published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from structnets.files import write_json
from structnets.training.run_files import ARTIFACTS, is_published
from structnets.training.weights_digest import weights_digest
from tests.made_results import make_result

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def published(tmp_path: Path, make_spec: MakeSpec) -> Path:
    """Return the folder of a published run."""
    result = make_result(make_spec())
    folder = tmp_path / result["run_id"]
    write_json(folder / "result.json", result)
    for name in ARTIFACTS:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("missing", ARTIFACTS)
def test_run_that_lacks_a_file_is_not_published(
    missing: str, published: Path, make_spec: MakeSpec
) -> None:
    assert is_published(published, make_spec())
    (published / missing).unlink()
    assert not is_published(published, make_spec())


def test_run_of_another_spec_is_not_this_one(published: Path, make_spec: MakeSpec) -> None:
    assert not is_published(published, make_spec(seed=1))


def test_result_that_says_something_else_than_its_folder_is_refused(
    published: Path, make_spec: MakeSpec
) -> None:
    moved = published.rename(published.parent / "another")
    with pytest.raises(ValueError, match="not of the one its folder is called after"):
        is_published(moved, make_spec())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int64])
def test_weights_digest_sees_every_bit(dtype):
    state = {"b": torch.arange(6).reshape(2, 3).to(dtype), "a": torch.ones((), dtype=dtype)}
    first = weights_digest(state)
    turned = dict(reversed(state.items()))
    strided = {**state, "b": state["b"].T.contiguous().T}
    assert weights_digest(turned) == weights_digest(strided) == first
    others = [
        {**state, "a": state["a"] + 1},
        {**state, "b": state["b"].reshape(3, 2)},
        {**state, "b": state["b"].to(torch.float16)},
        {"b": state["b"], "c": state["a"]},
        {**state, "c": torch.empty(0)},
    ]
    assert len({first, *map(weights_digest, others)}) == 6


def test_weights_digest_by_hand():
    """Name, type and shape as text, then the bytes, little-endian."""
    text = b"w torch.int16 (2,)\n" + b"\x01\x00\x02\x00"
    state = {"w": torch.tensor([1, 2], dtype=torch.int16), "note": "no weight"}
    assert weights_digest(state) == hashlib.sha256(text).hexdigest()


def test_weights_digest_tells_signed_zeros_and_nans_apart():
    zeros = [torch.tensor([0.0]), torch.tensor([-0.0])]
    assert len({weights_digest({"w": zero}) for zero in zeros}) == 2
    nan = {"w": torch.tensor([float("nan")])}
    assert weights_digest(nan) == weights_digest(nan)
