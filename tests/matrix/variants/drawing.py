"""What all layers' variants are drawn and compared with."""

from __future__ import annotations

import contextlib
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
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-4}
LOW = (torch.bfloat16, torch.float16)
DTYPES = st.sampled_from([torch.float64] * 2 + [torch.float32] * 2 + [*LOW])
AUTOCAST = st.sampled_from([None, None, *LOW])
# In half precision a layer may err by twice what PyTorch's plain layer of the same filters errs in
# it, and by a rounding or two where that happens to be exact.
TIMES_PLAIN, ROUNDINGS = 2, 4


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


def within(dtype: torch.dtype | None) -> contextlib.AbstractContextManager[Any]:
    """Return autocast to a precision, or nothing."""
    return contextlib.nullcontext() if dtype is None else torch.autocast("cpu", dtype)


def assert_as(
    found: Tensor,
    expected: Tensor,
    dtype: torch.dtype,
    what: str = "",
    plain: Tensor | None = None,
    rounded: torch.dtype | None = None,
) -> None:
    """Compare tensors in the tolerance of a precision, relative to their size.

    Parameters
    ----------
    found, expected, dtype, what
        What was computed, in double precision and which precision it must have.
    plain : Tensor, optional
        The same by PyTorch's own layer in the same precision: how far that is off is what half
        precision costs.
    rounded : torch.dtype, optional
        The precision computed in, if it is another.
    """
    assert found.shape == expected.shape, what
    assert found.dtype == dtype, what
    size = expected.double().norm()
    error = (found.double() - expected.double()).norm()
    precision = rounded or dtype
    if precision in LOW:
        assert plain is not None, what
        own = (plain.double() - expected.double()).norm()
        most = TIMES_PLAIN * own + ROUNDINGS * torch.finfo(precision).eps * size
    else:
        most = TOLERANCE[precision] * size + 1e-10
    assert error <= most, f"{what}: {float(error / (size + 1e-30))}, {float(most / (size + 1e-30))}"
