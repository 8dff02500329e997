"""`GaussianConv2d`: a convolution whose filters are mixtures of Gaussian derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from structnets.bases.discretisation import Discretisation, is_hybrid
from structnets.bases.gaussian import Norm
from structnets.bases.scales import as_scales
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._convolution_arguments import (
    Padding,
    PaddingMode,
    Pair,
    batched,
    refuse_positions,
)
from structnets.nn._evaluation import WAYS, compose
from structnets.nn._gaussian_ways import CHOSEN, REPEATABLE
from structnets.nn._hybrid import WAYS as HYBRID_WAYS
from structnets.nn._kept_filters import KeepsFilters
from structnets.nn._layouts import in_other_layout, is_channels_last
from structnets.nn._learned_support import check_sigma_factor, learned_size, resolve_learn_sigma
from structnets.nn._modes import as_autocast, is_traced, needs_plain_operations
from structnets.nn._separable_atoms import SeparableAtoms, matrix_cache

ONE_CONVOLUTION = ("composed", "relaid")


class GaussianConv2d(KeepsFilters):
    """Structured receptive fields (thesis section 3.3): drop-in for ``nn.Conv2d``.

    The filter from input i to output o is ``sum_n alpha[o, i, n] phi_n`` with fixed Gaussian
    derivatives phi and learned alpha (Algorithm 1).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels; all other arguments are given by name.
    order : int
        Highest total order of the derivatives.
    sigmas : float or sequence of float
        Scales in pixels, ascending.
    kernel_size : int or pair, optional
        Odd support; by default what `structnets.bases.gaussian.GaussianBasis` takes,
        2 ceil(3 max(sigmas)) + 1 for sampled derivatives. For learned scales it has room for the
        largest they may reach.
    stride : int or pair
        As in ``nn.Conv2d``.
    padding : int, pair, or {'same', 'valid', 'full'}
        Padding; ``same``, the default, pads by half the support (also with a stride).
    dilation, groups, bias, padding_mode, device, dtype
        As in ``nn.Conv2d``.
    norm : {'scale', 'none'}
        Normalisation of the atoms, see `structnets.bases.gaussian`.
    way : str
        How to evaluate: ``auto`` (by a cost model, per shape), ``repeatable`` (the same, but of
        sampled derivatives in training that of the first edition, so that its trainings repeat to
        the bit), or one of ``depthwise``,
        ``composed``, ``relaid``, ``separable``, ``banded``, ``mixed``, ``fft``, ``pieces``
        (`structnets.nn._evaluation`); hybrid derivatives also by ``stencils`` and ``responses``
        (`structnets.nn._hybrid`). All agree to rounding.
    discretisation : {'sampled', 'integrated', 'hybrid', 'hybrid_integrated'}
        How derivatives become taps, see `structnets.bases.discretisation`. ``sampled`` is the
        thesis'; hybrid ones cost about what a plain convolution of 3 x 3 taps costs, at any
        scale.
    learn_sigma : bool or {'layer', 'group', 'channel'}
        Learn the scales: one set for the layer (the same as True), for every group, or for every
        input channel. Their parameter `log_scale` should learn slowly: see
        `structnets.nn.scale_groups`.
    sigma_factor : float
        Learned scales stay within this factor of the given ones.

    Attributes
    ----------
    alpha : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.
    log_scale : Parameter or None
        What scales have changed by: about the logarithm of the factor.

    Raises
    ------
    TypeError
        If more than the channels is given by position, as one would to ``nn.Conv2d``.
    ValueError
        If an argument is out of its range.

    Limits
    ------
    In evaluation (``eval()``) without gradients on a CPU composed filters are kept between calls,
    and a copy of the weights to see whether they are still those: as much memory as the collapsed
    convolution takes. In half precision, under autocast, traced (``torch.compile``,
    ``torch.export``, ONNX, ``torch.fx``) and under functional transforms the layer is evaluated as
    one convolution with composed filters, in the two last cases whatever `way` says. Results of
    different ways differ by rounding; an infinite or missing (NaN) value in the input makes answers
    NaN in its whole row, column or image, farther than the filters reach, unless the way is
    ``composed``, ``relaid`` or ``depthwise``.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv2d
    >>> layer = GaussianConv2d(3, 8, order=2, sigmas=1.5, stride=2)
    >>> layer(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 8, 16, 16])
    >>> layer.collapse().kernel_size
    (11, 11)
    """

    kernels: Tensor
    profiles_y: Tensor
    profiles_x: Tensor
    ways = tuple(WAYS)  # those that a plan may name
    axes = "yx"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *positions: Any,
        order: int = 3,
        sigmas: float | Sequence[float] = (1.0,),
        kernel_size: int | Pair | None = None,
        stride: int | Pair = 1,
        padding: Padding = "same",
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        norm: Norm = "scale",
        way: str = "auto",
        discretisation: Discretisation = "sampled",
        learn_sigma: bool | str = False,
        sigma_factor: float = 2.0,
    ) -> None:
        refuse_positions("GaussianConv2d", "nn.Conv2d", positions)
        more = HYBRID_WAYS if is_hybrid(discretisation) else ()
        allowed = tuple(dict.fromkeys((*WAYS, *more)))
        if way not in (*CHOSEN, *allowed):
            choices = ", ".join((REPEATABLE, *allowed))
            raise ValueError(f"way must be auto or one of {choices}; got {way!r}")
        learned = resolve_learn_sigma(learn_sigma)
        if way in ("pieces", "responses") and learned in ("group", "channel"):
            raise ValueError(
                f"way {way!r} smooths all channels alike, which learn_sigma={learned!r} does not: "
                "use way='auto' or learn_sigma='layer'"
            )
        if learned:
            check_sigma_factor(sigma_factor)
            if kernel_size is None:
                kernel_size = learned_size(order, as_scales(sigmas), discretisation, sigma_factor)
        basis, geometry = (order, sigmas, kernel_size), (stride, padding, dilation, groups)
        kind = (padding_mode, norm, discretisation)
        super().__init__(in_channels, out_channels, *basis, *geometry, *kind)
        self.learn_sigma, self.sigma_factor = learned, sigma_factor
        self.prepare_hybrid()
        self.way = way
        self.ways = allowed
        self.plan: dict[str, str] = {}
        self._matrices = matrix_cache()
        self.prepare_kept()
        self.register_constants(device, dtype)
        self.make_weights(len(self.basis), bias, device, dtype)
        self.prepare_scale()
        self.reset_parameters()

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the atoms and what they are made of."""
        return {"kernels": self._kernels(), **super().constants()}

    def _kernels(self) -> np.ndarray:
        along_y, along_x = (basis.profiles for basis in self.bases)
        if along_y.shape == along_x.shape:
            return self.basis.kernels
        y, x = self.basis.factors.T
        return along_y[y][:, :, None] * along_x[x][:, None]

    def energy(self) -> float:
        """Return the sum of the squared taps of all atoms."""
        return float((self._kernels() ** 2).sum())

    @property
    def atoms(self) -> SeparableAtoms:
        """The atoms as tensors of the weights' dtype and device."""
        if self.log_scale is not None and self.log_scale.ndim > 1:
            raise AttributeError("scales per channel share no atoms: see kernel()")
        if self.log_scale is not None:
            return self.learned_atoms()
        along_y, along_x = self.profiles()
        return SeparableAtoms(
            self.constant("kernels", self.alpha),
            (along_y, along_x),
            self._factors,
            *self.geometry,
            self._matrices,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W) or (in_channels, H, W)
            Input maps.

        Returns
        -------
        Tensor, shape (B, out_channels, H', W') or (out_channels, H', W')
            Output maps, channels last in memory if the input's are. Those of one channel lie either
            way, and their answers as the convolution made them; in training channels last where
            `way` is ``repeatable``, as they did in the first edition.
        """
        if isinstance(x, torch.fx.Proxy):
            return self._evaluate(x)
        if not self.training and (out := self.answered_again(x)) is not None:
            return out
        x, single = batched(x, self.in_channels, "H, W")
        out = self._evaluate(x)
        return out[0] if single else out

    def _evaluate(self, x: Tensor) -> Tensor:
        check_tensors(self, x, self.alpha)
        if self.log_scale is not None and not is_traced(x) and x.is_complex():
            raise TypeError("learned scales are real: a layer with learn_sigma has no complex form")
        x = self.padded(x)
        chosen = self.way_for(x)
        if self.hybrid is not None and chosen in HYBRID_WAYS:
            out = self.evaluate_hybrid(x, chosen)
        elif chosen in ONE_CONVOLUTION and self.keeps(x):
            out = self.convolved_by_kept(x, self._key(x, training=False), chosen)
        elif self.log_scale is not None and chosen in ONE_CONVOLUTION:
            out = self.convolved(x, self.learned_kernel(), chosen)
        else:
            out = WAYS[chosen](x, self.alpha, self.atoms)
        if chosen == "fft":  # which autocast does not know
            out = as_autocast(out)
        return self.finished(out, x)

    def finished(self, out: Tensor, x: Tensor) -> Tensor:
        """Lay answers out as the maps are, and add the bias."""
        repeated = self.way == REPEATABLE and (self.training or torch.is_grad_enabled())
        if not needs_plain_operations(x) and (x.shape[1] > 1 or repeated):
            layout = torch.channels_last if is_channels_last(x) else torch.contiguous_format
            out = out.contiguous(memory_format=layout)
        # Autocast's convolution adds its bias in the precision of its result.
        return out if self.bias is None else out + self.bias[:, None, None].to(out.dtype)

    def convolved(self, x: Tensor, kernel: Tensor, way: str) -> Tensor:
        """Convolve padded maps with given filters, by one of `ONE_CONVOLUTION`."""
        if way == "relaid":
            x, kernel = in_other_layout(x, kernel)
        return functional.conv2d(x, kernel, None, *self.geometry)

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I / groups, K, L)."""
        if self.log_scale is not None:
            return self.learned_kernel()
        return compose(self.alpha, self.atoms)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{super().extra_repr()}, way={self.way}, discretisation={self.discretisation}, "
            f"learn_sigma={self.learn_sigma or False}"
        )

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._matrices.clear()
        return super()._apply(fn, recurse)
