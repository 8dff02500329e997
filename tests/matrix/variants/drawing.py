"""What all layers' variants are drawn and compared with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from torch import Tensor

# More of them: STRUCTNETS_VARIANTS=10 draws ten times as many, others than CI's.
TIMES = int(os.environ.get("STRUCTNETS_VARIANTS", "1"))
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-4, torch.bfloat16: 0.08}
DTYPES = st.sampled_from([torch.float64] * 2 + [torch.float32] * 2 + [torch.bfloat16])


def examples(count: int) -> Callable[[Any], Any]:
    """Decorate a test that draws `count` variants from a seed, and shrinks what fails."""
    bounded = settings(
        max_examples=count * TIMES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    return lambda test: seed(TIMES)(bounded(test))


def tensor(shape: Sequence[int], number: int = 0) -> Tensor:
    """Return numbers that are equal for equal shapes, in double precision."""
    generator = torch.Generator().manual_seed(number)
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float64)


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the error that it ends with."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about 'same' beside even kernels
            return call()
    except (ValueError, RuntimeError) as error:
        return error


def gradients_of(out: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of one loss of an output, whatever its precision."""
    weights = tensor(out.shape, 7)
    loss = (out.double() * weights + 0.1 * out.double().square()).sum()
    return list(torch.autograd.grad(loss, wanted))


def assert_as(found: Any, expected: Any, dtype: torch.dtype, what: str = "") -> None:
    """Compare tensors in the tolerance of a precision, relative to their size."""
    assert found.shape == expected.shape, what
    assert found.dtype == dtype, what
    scale = expected.double().norm()
    error = (found.double() - expected.double()).norm()
    # A few numbers that are sums of many in half precision keep a digit where these cancel.
    sums = dtype == torch.bfloat16 and "gradient" in what and found.numel() < 8
    most = (0.3 if sums else TOLERANCE[dtype]) * scale + 1e-10
    assert error <= most, f"{what}: {float(error / (scale + 1e-30))}"
