"""A recorded call, replayed: same value, none of its side effects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from structnets.nn._replay import record

MODULES: dict[str, Callable[[], nn.Module]] = {
    "batch norm": lambda: nn.BatchNorm2d(3),
    "cumulative": lambda: nn.BatchNorm2d(3, momentum=None),
    "no affine": lambda: nn.BatchNorm2d(3, affine=False),
    "twice": lambda: nn.Sequential(*[nn.BatchNorm2d(3)] * 2),
    "frozen": lambda: nn.BatchNorm2d(3).eval(),
    "untracked": lambda: nn.BatchNorm2d(3, track_running_stats=False),
    "of any width": lambda: nn.BatchNorm2d(1, affine=False, track_running_stats=False),
    "instance norm": lambda: nn.InstanceNorm2d(3, track_running_stats=True),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 3, 3)),
    "dropout": lambda: nn.Dropout(0.5),
    "counter": lambda: Counter(),
    "all": lambda: nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3), Counter(), nn.Conv2d(3, 3, 1)),
}


class Counter(nn.Module):
    """Depends on a buffer that it replaces on every call."""

    calls: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls = self.calls + 1
        return x * self.calls


@pytest.mark.parametrize("name", MODULES)
def test_replay_repeats_the_value_without_side_effects(name: str) -> None:
    torch.manual_seed(0)
    module, x = MODULES[name](), torch.randn(4, 3, 5, 5)
    with torch.no_grad():
        first, recording = record(module, module, x)
    module(x)  # the module and the generator have moved on
    state = {key: value.clone() for key, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    assert torch.equal(recording.replay(module, x), first)
    for key, value in module.state_dict().items():
        assert torch.equal(value, state[key]), key
    assert torch.equal(torch.get_rng_state(), generator)


def test_nothing_is_kept_of_a_call_without_side_effects() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU())
    _, recording = record(module, module, torch.randn(2, 3, 4, 4))
    assert recording.randomness is None
    assert recording.buffers == ()


def test_precision_of_the_call_is_replayed() -> None:
    module, x = nn.Conv2d(3, 3, 1), torch.randn(2, 3, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        first, recording = record(module, module, x)
    again = recording.replay(module, x)
    assert again.dtype == torch.bfloat16
    assert torch.equal(again, first)
    assert again.requires_grad


def test_full_precision_is_replayed_inside_autocast() -> None:
    module, x = nn.Conv2d(3, 3, 1), torch.randn(2, 3, 4, 4)
    _, recording = record(module, module, x)
    with torch.autocast("cpu", torch.bfloat16):
        assert recording.replay(module, x).dtype == torch.float32
