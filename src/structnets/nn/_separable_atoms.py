"""`SeparableAtoms`: the atoms of a layer of images, with the matrices that filter by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from structnets.nn._banded import banded_matrices, map_size
from structnets.nn._bounded_cache import BoundedCache
from structnets.nn._convolution_arguments import Pair
from structnets.nn._filter_matrices import Band


def _itself(matrix: Tensor) -> tuple[Tensor]:
    return (matrix,)


def matrix_cache() -> BoundedCache[Tensor]:
    """Return an empty cache of matrices."""
    return BoundedCache(_itself)


@dataclass
class SeparableAtoms:
    """The atoms of a layer as tensors, with the matrices made for the map sizes met last.

    Matrices of filters that change are None: they are made whenever they are needed, and followed
    by gradients.
    """

    kernels: Tensor  # (N, K, L)
    profiles: tuple[Tensor, Tensor]  # along y (P, K) and along x (P, L)
    factors: tuple[Pair, ...]  # profile of each atom along (y, x)
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)
    groups: int = 1
    matrices: BoundedCache[Tensor] | None = field(default_factory=matrix_cache)

    @property
    def geometry(self) -> tuple[Pair, Pair, Pair, int]:
        """Stride, padding, dilation and groups, as ``torch.nn.functional`` takes them."""
        return self.stride, self.padding, self.dilation, self.groups

    def bands(self, axis: int, length: int) -> Tensor:
        """Return the banded matrices of all profiles along an axis, shape (P, m, length)."""
        stride, padding, dilation = self.stride[axis], self.padding[axis], self.dilation[axis]
        return self.made(
            (axis, length, stride, padding, dilation),
            lambda: banded_matrices(self.profiles[axis], length, stride, padding, dilation),
        )

    def band(self, axis: int, length: int) -> Band:
        """Return where those matrices are not zero."""
        size = self.profiles[axis].shape[1]
        return Band(length, size, self.stride[axis], self.padding[axis], self.dilation[axis])

    def made(self, key: tuple[object, ...], make: Callable[[], Tensor]) -> Tensor:
        """Return a matrix made once for a key, in these atoms' precision and on their device."""
        if self.matrices is None:
            return make()
        return self.matrices.get((*key, self.kernels.dtype, self.kernels.device), make)

    def output_size(self, height: int, width: int) -> Pair:
        """Return the size of the output map."""
        along_y, along_x = (profiles.shape[1] for profiles in self.profiles)
        geometry = (self.stride, self.padding, self.dilation)
        return map_size((height, width), (along_y, along_x), *geometry)
