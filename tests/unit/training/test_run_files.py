"""What counts as published."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from structnets.files import write_json
from structnets.identity import spec_digest
from structnets.training.run_files import ARTIFACTS, is_published, weights_digest


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
