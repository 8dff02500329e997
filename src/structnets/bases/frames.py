r"""Frames: spanning sets of filters to learn from instead of pixels (thesis section 4.3, Eq. 24).

A frame of the K x L filters is a set of atoms :math:`\phi_m` with bounds
:math:`0 < A \le B`, :math:`A |f|^2 \le \sum_m \langle f, \phi_m\rangle^2 \le B |f|^2` for every
filter f. It need be neither orthogonal nor minimal. Every filter is :math:`\sum_m w_m \phi_m`,
the smallest such w being its inner products with the dual frame.

Five frames are known by name. Their rank and condition are properties of the arrays, not of the
names: nine Gaussian derivatives of lowest total order, for one, have at most rank 8 on 3 x 3
pixels (on three points the third derivative is parallel to the first), so the tensor products are
taken.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from structnets.bases.discretisation import sampled_derivative
from structnets.bases.entries import ENTRIES, FrameEntry
from structnets.bases.gaussian import atom_exponents
from structnets.entries import Registry

Float = NDArray[np.float64]
Size = tuple[int, ...]

GREATEST_CONDITION = 1e4
"""Beyond it single-precision coefficients keep fewer than three digits of a filter."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A set of filters, and what it can express.

    Parameters
    ----------
    name : str
        For messages.
    atoms : ndarray, shape (M, K, L), or (M, L) and (M, J, K, L) for lines and volumes
        The filters, float64.
    labels : sequence of str
        A short name of every atom.

    Raises
    ------
    ValueError
        If the atoms are not finite, one is zero, or the labels are not as many.
    """

    name: str
    atoms: Float
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check and freeze the atoms."""
        atoms = np.array(self.atoms, dtype=np.float64)
        if not 2 <= atoms.ndim <= 4 or 0 in atoms.shape:
            raise ValueError(
                f"atoms must have shape (M, K, L), (M, L) or (M, J, K, L), got {atoms.shape}"
            )
        if not np.isfinite(atoms).all() or not atoms.reshape(len(atoms), -1).any(axis=1).all():
            raise ValueError(f"frame {self.name!r}: atoms must be finite and none of them zero")
        if len(self.labels) != len(atoms):
            raise ValueError(f"{len(atoms)} atoms need as many labels, got {len(self.labels)}")
        atoms.setflags(write=False)
        object.__setattr__(self, "atoms", atoms)

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.atoms)

    @property
    def kernel_size(self) -> Size:
        """Height and width of the filters; one length for lines, depth too for volumes."""
        return self.atoms.shape[1:]

    @cached_property
    def matrix(self) -> Float:
        """The synthesis operator transposed: atoms as rows, shape (M, taps)."""
        return self.atoms.reshape(len(self), -1)

    @cached_property
    def _singular_values(self) -> Float:
        return np.asarray(np.linalg.svd(self.matrix, compute_uv=False), np.float64)

    @cached_property
    def rank(self) -> int:
        """Dimension of the space the atoms span."""
        return int(np.linalg.matrix_rank(self.matrix))

    @property
    def spans(self) -> bool:
        """Whether every filter can be written in the frame, well enough in single precision."""
        return self.rank == self.matrix.shape[1] and self.condition <= GREATEST_CONDITION

    @property
    def bounds(self) -> tuple[float, float]:
        """The frame bounds A and B; A is 0 if the atoms do not span."""
        values = self._singular_values
        lower = float(values[-1]) ** 2 if self.rank == self.matrix.shape[1] else 0.0
        return lower, float(values[0]) ** 2

    @property
    def condition(self) -> float:
        """Ratio of the largest to the smallest singular value; infinite without full rank."""
        lower, upper = self.bounds
        return math.sqrt(upper / lower) if lower else math.inf

    @cached_property
    def dual(self) -> Float:
        """The canonical dual atoms, of the atoms' shape.

        With them ``sum_m <f, dual_m> atom_m`` is f for every f in the span, and the nearest
        filter of the span otherwise.
        """
        return np.asarray(np.linalg.pinv(self.matrix).T, np.float64).reshape(self.atoms.shape)

    def analyse(self, filters: Float) -> Float:
        """Return the smallest coefficients of filters (..., K, L), shape (..., M)."""
        dims = len(self.kernel_size)
        return np.tensordot(filters, self.dual, (range(-dims, 0), range(1, dims + 1)))

    def synthesise(self, coefficients: Float) -> Float:
        """Return the filters (..., K, L) of coefficients (..., M)."""
        return np.tensordot(coefficients, self.atoms, 1)

    def normalized(self) -> Frame:
        """Return the frame with atoms of unit L2 norm."""
        norms = np.linalg.norm(self.matrix, axis=1)
        ones = (1,) * len(self.kernel_size)
        return Frame(self.name, self.atoms / norms.reshape(-1, *ones), self.labels)


def pixel_frame(kernel_size: Size = (3, 3)) -> Frame:
    """Return the standard basis: one atom per pixel, row by row."""
    taps = math.prod(kernel_size)
    labels = tuple("e" + ",".join(map(str, place)) for place in np.ndindex(*kernel_size))
    return Frame("pixel", np.eye(taps).reshape(taps, *kernel_size), labels)


def gaussian_frame(kernel_size: Size = (3, 3), sigma: float | None = None) -> Frame:
    """Return the Gaussian derivatives of order p < L along x and q < K along y.

    Parameters
    ----------
    kernel_size : pair of int
        Height K and width L; even ones are sampled between the pixels. One number or three for
        lines and volumes, for all frames of tensor products.
    sigma : float, optional
        Scale in pixels. By default 0.4 sqrt(K + 1) of the wider side: 0.8 at 3 x 3, and near the
        best conditioned one of the larger sizes.
    """
    sigma = 0.4 * math.sqrt(max(kernel_size) + 1) if sigma is None else sigma
    along = [
        [sampled_derivative(n, sigma, _grid(length)) for n in range(length)]
        for length in kernel_size
    ]
    return _tensor_products("gaussian", along, "g")


def framelet_frame(kernel_size: Size = (3, 3)) -> Frame:
    r"""Return the tensor products of B-spline framelets (the linear ones on 3 x 3).

    The m + 1 filters of degree m are the coefficients of
    :math:`2^{-m} \sqrt{\binom{m}{n}} (z + 1)^{m-n} (1 - z)^n`; for m = 2 these are
    (1, 2, 1)/4, sqrt(2)/4 (1, 0, -1) up to sign, and (1, -2, 1)/4. Their squared spectra sum to
    one: undecimated, they are a tight frame of images; as filters of K x L pixels they are a
    non-orthogonal basis.
    """
    along = [[_framelet(n, length - 1) for n in range(length)] for length in kernel_size]
    return _tensor_products("framelet", along, "h")


def naive_frame(kernel_size: Size = (3, 3)) -> Frame:
    """Return the polynomials x^p y^q, p < L and q < K, on [-1, 1] squared."""
    along = [
        [np.linspace(-1, 1, length) ** n if length > 1 else np.ones(1) for n in range(length)]
        for length in kernel_size
    ]
    return _tensor_products("naive", along, "m")


def gauss15_frame(kernel_size: Size = (3, 3), sigma: float = 0.8) -> Frame:
    """Return the 15 Gaussian derivatives up to total order 4: overcomplete on 3 x 3 pixels.

    Raises
    ------
    ValueError
        For lines and volumes, on which they are not 15.
    """
    if len(kernel_size) != 2:
        raise ValueError(f"gauss15 is a frame of the plane, got kernel_size {kernel_size}")
    exponents = atom_exponents(4)
    atoms = [
        np.outer(
            sampled_derivative(q, sigma, _grid(kernel_size[0])),
            sampled_derivative(p, sigma, _grid(kernel_size[1])),
        )
        for p, q in exponents
    ]
    return Frame("gauss15", np.stack(atoms), tuple(f"g{p}{q}" for p, q in exponents))


FRAMES = Registry("frame", ENTRIES, "structnets.frames", FrameEntry)
"""Frames of this library, of installed packages, and those that ``FRAMES.register`` added."""
ALTERNATING: dict[str, tuple[str, ...]] = {"image": ("gaussian", "framelet")}
"""Frames of Table 6 that alternate from layer to layer."""


def frame_name(frame: str, layer: int = 0) -> str:
    """Return the name of the frame that the layer of this index (from 0) learns in.

    Raises
    ------
    ValueError
        If `frame` is unknown.
    """
    if frame in ALTERNATING:
        names = ALTERNATING[frame]
        return names[layer % len(names)]
    try:
        FRAMES.find(frame, paths=True)
    except ValueError as error:
        raise ValueError(f"{error}; alternating ones: {', '.join(ALTERNATING)}") from None
    return frame


def why_not(frame: str | Frame, dimensions: int) -> str | None:
    """Say why a frame, by name or itself, has no filters of so many axes; None if it has."""
    if isinstance(frame, Frame):
        own = len(frame.kernel_size)
        return None if own == dimensions else f"frame {frame.name!r} has filters of {own} axes"
    entry = FRAMES.find(frame, paths=True)
    return None if dimensions in entry.dimensions else f"frame {frame!r} {_dimensions(entry)}"


def _dimensions(entry: FrameEntry) -> str:
    return f"has filters of {' or '.join(map(str, entry.dimensions))} axes"


@functools.cache
def build_frame(name: str, kernel_size: Size = (3, 3), normalize: bool = True) -> Frame:
    """Build a frame by name.

    Parameters
    ----------
    name : str
        One of `FRAMES`, or ``package.module:object``, whose code is then run.
    kernel_size : pair of int
        Height and width of the filters; one number for lines and three for volumes, if the entry
        has such filters.
    normalize : bool
        Scale the atoms to unit norm, so that frames differ in directions and not in step size.

    Raises
    ------
    ValueError
        If the name is unknown, the size is not positive or has more or fewer axes than the frame,
        or an atom vanishes on it.
    TypeError
        If the name makes no `Frame`.
    """
    if min(kernel_size) < 1:
        raise ValueError(f"kernel_size must be positive, got {kernel_size}")
    entry = FRAMES.find(name, paths=True)
    if len(kernel_size) not in entry.dimensions:
        raise ValueError(f"frame {name!r} {_dimensions(entry)}, not {len(kernel_size)}")
    frame = FRAMES.load(entry)(kernel_size)
    if not isinstance(frame, Frame):
        raise TypeError(f"frame {name!r}: {entry.constructor} made {frame!r}, not a Frame")
    if frame.kernel_size != tuple(kernel_size):
        raise ValueError(
            f"frame {name!r}: {entry.constructor} made atoms of {frame.kernel_size} pixels where "
            f"{kernel_size} were asked for"
        )
    return frame.normalized() if normalize else frame


def _grid(length: int) -> Float:
    """Return the pixel centres of a centred filter."""
    return np.arange(length, dtype=np.float64) - (length - 1) / 2


def _framelet(order: int, degree: int) -> Float:
    taps = np.array([math.sqrt(math.comb(degree, order)) / 2**degree])
    for factor in [(1.0, 1.0)] * (degree - order) + [(1.0, -1.0)] * order:
        taps = np.convolve(taps, factor)
    return np.asarray(taps, np.float64)


def _tensor_products(name: str, along: Sequence[Sequence[Float]], letter: str) -> Frame:
    """Combine 1-D filters of every axis; x varies fastest, atoms go by order along y, then x."""
    orders = list(product(*(range(len(filters)) for filters in along)))
    atoms = [
        functools.reduce(np.multiply.outer, (of[n] for of, n in zip(along, each, strict=True)))
        for each in orders
    ]
    labels = tuple(letter + "".join(map(str, reversed(each))) for each in orders)
    return Frame(name, np.stack(atoms), labels)
