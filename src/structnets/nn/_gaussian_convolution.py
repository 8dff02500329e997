"""`GaussianConvolution`: what Gaussian layers on images and on volumes share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from structnets.bases.discretisation import Discretisation
from structnets.bases.gaussian import GaussianBasis, Norm
from structnets.bases.scales import as_scales
from structnets.nn._constants import ConstantBuffers
from structnets.nn._convolution_arguments import PaddingMode, per_axis
from structnets.nn._mixture_convolution import Axes, MixtureConvolution

MADE_FOR = frozenset(
    {
        *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"),
        *("padding_mode", "sigma_factor", "learn_sigma", "coarse"),
    }
)


def bases_per_axis(
    order: int,
    sigmas: Sequence[float],
    size: Sequence[int] | None,
    dims: int,
    norm: Norm,
    discretisation: Discretisation = "sampled",
) -> tuple[GaussianBasis, ...]:
    """Return the basis whose profiles serve each axis; one for all if the support is a cube."""
    sizes = (None,) if size is None else tuple(size) if len(set(size)) > 1 else (size[0],)
    bases = tuple(GaussianBasis(order, tuple(sigmas), n, dims, norm, discretisation) for n in sizes)
    return bases if len(bases) == dims else bases * dims


class GaussianConvolution(MixtureConvolution[Axes], ConstantBuffers):
    """A convolution whose atoms are products of Gaussian derivatives along `axes`.

    The arguments are those of the layers.

    Attributes
    ----------
    axes : str
        Letters of the axes, which name the constants: ``profiles_y`` are the filters along y.
    bases : tuple of GaussianBasis
        Whose profiles serve each axis.
    basis : GaussianBasis
        The one of the widest support.
    """

    axes: str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order: int,
        sigmas: float | Sequence[float],
        kernel_size: int | Sequence[int] | None,
        stride: int | Sequence[int],
        padding: int | Sequence[int] | str,
        dilation: int | Sequence[int],
        groups: int,
        padding_mode: PaddingMode,
        norm: Norm,
        discretisation: Discretisation,
    ) -> None:
        dims = len(self.axes)
        given = None if kernel_size is None else per_axis("kernel_size", kernel_size, dims)
        bases = bases_per_axis(order, as_scales(sigmas), given, dims, norm, discretisation)
        size: Any = tuple(2 * basis.radius + 1 for basis in bases)
        geometry = (stride, padding, dilation, groups, padding_mode)
        super().__init__(in_channels, out_channels, size, *geometry)
        self.bases = bases
        self.basis = max(bases, key=lambda basis: basis.radius)
        factors: Any = tuple(tuple(row) for row in self.basis.factors.tolist())
        self._factors: tuple[Axes, ...] = factors

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to change what the layer's matrices and evaluations were made for."""
        if name in MADE_FOR and name in self.__dict__ and self.__dict__[name] != value:
            raise AttributeError(
                f"{name} of a {type(self).__name__} cannot be changed from {self.__dict__[name]!r} "
                f"to {value!r}, as its evaluation was made for the first: make another layer and "
                "give it the weights (load_state_dict)"
            )
        super().__setattr__(name, value)

    @property
    def discretisation(self) -> Discretisation:
        """How derivatives become taps."""
        return self.basis.discretisation

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the profiles that the atoms are made of."""
        return {f"profiles_{a}": b.profiles for a, b in zip(self.axes, self.bases, strict=True)}

    def profiles(self) -> tuple[Tensor, ...]:
        """Return the filters along each axis, (P, K) each, of the weights' dtype and device."""
        return tuple(self.constant(f"profiles_{axis}", self.alpha) for axis in self.axes)

    def energy(self) -> float:
        """Return the sum of the squared taps of all atoms."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero all else."""
        self.restore_constants()
        self.draw_weights(self.energy())

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, order={self.basis.order}, "
            f"sigmas={self.basis.sigmas}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, "
            f"padding_mode={self.padding_mode}"
        )
