"""Convolutions of volumes in the Fourier domain, one axis after another by matrix products.

Of so short axes a transform is a small matrix. Along an axis the numbers of all volumes lie side by
side, so each step is a product of that matrix with a wide one, and the frequencies end in front,
where `times` mixes the channels. With zeros of p on either side of n voxels the plane repeats
harmlessly from n + p on: what wraps around meets zeros alone, in the outputs and in both gradients.

Legend: N volumes, D H W voxels, d h w frequencies (w a half), F = d h w.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._fourier_products import Transform

Sizes = tuple[int, int, int]


@dataclass(frozen=True)
class VolumeTransform:
    """Matrices between voxels and frequencies of a periodic volume.

    Parameters
    ----------
    depth, height : Tensor, shapes (2 d, 2 D) and (2 h, 2 H)
        Complex matrices as real ones: a row is a part and a frequency, a column a voxel and a part.
    width : Tensor, shape (2 w, W)
        Of real numbers.
    back : Tensor, shape (W, 2 w)
        Its inverse, the whole transform's scale in it; those of the others are their transposes.
    """

    depth: Tensor
    height: Tensor
    width: Tensor
    back: Tensor

    @classmethod
    def of(cls, period: Sizes, starts: Sizes, size: Sizes, like: Tensor) -> VolumeTransform:
        """Build the matrices for voxels from `starts` on, in the precision of a tensor."""
        exact = torch.empty(0, dtype=torch.float64)
        deep, high = (
            Transform.of((period[axis], 1), (starts[axis], 0), (size[axis], 1), exact)
            for axis in (0, 1)
        )
        wide = Transform.of((1, period[2]), (0, starts[2]), (1, size[2]), exact)
        back = wide.inverse / (period[0] * period[1])
        matrices = (_complex(deep.forward), _complex(high.forward), wide.forward, back)
        return cls(*(matrix.to(like) for matrix in matrices))

    def to_frequencies(self, volumes: Tensor) -> Tensor:
        """Transform volumes (B, C, D, H, W): real and imaginary parts (2, F, B, C)."""
        batch, channels, deep, high, _ = volumes.shape
        rows = volumes.reshape(batch * channels, deep * high, -1).permute(1, 2, 0)
        found = torch.bmm(self.width.expand(deep * high, -1, -1), rows)
        found = torch.bmm(self.height.expand(deep, -1, -1), found.view(deep, 2 * high, -1))
        found = self.depth @ found.view(2 * deep, -1)
        return found.view(2, -1, batch, channels)

    def to_voxels(self, spectra: Tensor) -> Tensor:
        """Transform spectra (2, F, B, C) back: volumes (B, C, D, H, W)."""
        batch, channels = spectra.shape[2:]
        deep, high = self.depth.shape[1] // 2, self.height.shape[1] // 2
        found = self.depth.T @ spectra.reshape(self.depth.shape[0], -1)
        height = self.height.T.expand(deep, -1, -1)
        found = torch.bmm(height, found.view(deep, height.shape[2], -1))
        columns = found.view(deep * high, self.back.shape[1], -1).transpose(1, 2)
        found = torch.matmul(columns, self.back.T)
        return found.transpose(0, 1).reshape(batch, channels, deep, high, -1)

    def tensors(self) -> list[Tensor]:
        """Return the matrices."""
        return [self.depth, self.height, self.width, self.back]


@dataclass(frozen=True)
class Space:
    """The transforms of a convolution, stride 1, of volumes, filters and outputs of given sizes."""

    volumes: VolumeTransform
    filters: VolumeTransform
    outputs: VolumeTransform

    @classmethod
    def of(cls, volumes: Sizes, filters: Sizes, padding: Sizes, like: Tensor) -> Space:
        """Build them."""
        period, none = period_of(volumes, padding), (0, 0, 0)
        starts = (-padding[0], -padding[1], -padding[2])
        outputs = output_sizes(volumes, filters, padding)
        return cls(
            VolumeTransform.of(period, none, volumes, like),
            VolumeTransform.of(period, none, filters, like),
            VolumeTransform.of(period, starts, outputs, like),
        )

    def tensors(self) -> list[Tensor]:
        """Return the matrices."""
        each = (self.volumes, self.filters, self.outputs)
        return [matrix for one in each for matrix in one.tensors()]


def period_of(volumes: Sizes, padding: Sizes) -> Sizes:
    """Return from which sizes on volumes that meet filters are periodic without harm."""
    return volumes[0] + padding[0], volumes[1] + padding[1], volumes[2] + padding[2]


def output_sizes(volumes: Sizes, filters: Sizes, padding: Sizes) -> Sizes:
    """Return depth, height and width of what a convolution of stride 1 returns."""
    deep, high, wide = (
        volume + 2 * zeros - taps + 1
        for volume, taps, zeros in zip(volumes, filters, padding, strict=True)
    )
    return deep, high, wide


def frequencies(volumes: Sizes, padding: Sizes) -> int:
    """Count the real numbers of a transform, two for each frequency."""
    period = period_of(volumes, padding)
    return 2 * period[0] * period[1] * (period[2] // 2 + 1)


def products(
    volumes: Sizes, filters: Sizes, padding: Sizes, batch: int, channels: tuple[int, int]
) -> int:
    """Count the multiplications of a forward pass by way of the frequencies."""
    inputs, outputs = channels
    period, output = period_of(volumes, padding), output_sizes(volumes, filters, padding)
    transforms = (
        _products_of(volumes, period) * batch * inputs
        + _products_of(filters, period) * inputs * outputs
        + _products_of(output, period) * batch * outputs
    )
    return transforms + 2 * frequencies(volumes, padding) * batch * inputs * outputs


def _products_of(size: Sizes, period: Sizes) -> int:
    """Count the multiplications of one volume's transform, there or back."""
    (deep, high, wide), half = size, period[2] // 2 + 1
    along_width = deep * high * wide * 2 * half
    along_height = deep * (2 * high) * (2 * period[1]) * half
    return along_width + along_height + (2 * deep) * (2 * period[0]) * period[1] * half


def _complex(parts: Tensor) -> Tensor:
    """Return a matrix (f, n), given as real parts over imaginary ones, as a real one (2 f, 2 n)."""
    real, imaginary = parts.chunk(2)
    above, below = torch.stack([real, -imaginary], -1), torch.stack([imaginary, real], -1)
    return torch.cat([above, below]).flatten(1)
