"""`GaussianConv2d`: a convolution whose filters are mixtures of Gaussian derivatives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.discretisation import Discretisation, is_hybrid
from structnets.bases.gaussian import GaussianBasis, Norm
from structnets.nn._chosen_ways import ChoosesWays
from structnets.nn._collapsing import plain_convolution, plain_parameters
from structnets.nn._convolution_arguments import (
    PaddingMode,
    batched,
    check_channels,
    check_padding_mode,
    padding_per_axis,
    per_axis,
    refuse_positions,
)
from structnets.nn._cost_model import Work, cheapest, count_taps
from structnets.nn._discretised import (
    Discretised,
    learned_size,
    resolve_learn_sigma,
    without_rim,
)
from structnets.nn._evaluation import (
    WAYS,
    Pair,
    SeparableAtoms,
    compose,
    is_channels_last,
    matrix_cache,
)
from structnets.nn._hybrid import WAYS as HYBRID_WAYS
from structnets.nn._modes import LOW, autocast_dtype, needs_plain_operations

Padding = int | Pair | str


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


def resolve_padding(padding: Padding, kernel_size: int) -> Pair:
    """Return zero padding per axis: ``same``, ``valid``, ``full``, a number or a pair."""
    high, wide = padding_per_axis(padding, (kernel_size, kernel_size), (1, 1))
    return high, wide


class GaussianConv2d(ChoosesWays, Discretised):
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
        How to evaluate: ``auto`` (by a cost model, per shape), or one of ``depthwise``,
        ``composed``, ``separable``, ``banded``, ``mixed``, ``fft``; hybrid derivatives also by
        ``pieces``, ``stencils`` and ``responses`` (`structnets.nn._hybrid`). All agree to
        rounding.
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
    In half precision, under autocast, traced (``torch.compile``, ``torch.export``, ONNX,
    ``torch.fx``) and under functional transforms the layer is evaluated as one convolution with
    composed filters, in the two last cases whatever `way` says. Results of different ways differ
    by rounding.

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
    ways = tuple(WAYS)

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
        super().__init__()
        refuse_positions("GaussianConv2d", "nn.Conv2d", positions)
        allowed = WAYS if not is_hybrid(discretisation) else (*WAYS, *HYBRID_WAYS)
        if way != "auto" and way not in allowed:
            raise ValueError(f"way must be auto or one of {', '.join(allowed)}; got {way!r}")
        check_channels(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        scales = (sigmas,) if isinstance(sigmas, (int, float)) else tuple(sigmas)
        self.learn_sigma, self.sigma_factor = resolve_learn_sigma(learn_sigma), sigma_factor
        if self.learn_sigma and kernel_size is None:
            kernel_size = learned_size(order, scales, discretisation, sigma_factor)
        size = None if kernel_size is None else per_axis("kernel_size", kernel_size, 2)
        self.bases = bases_per_axis(order, scales, size, 2, norm, discretisation)
        self.basis = max(self.bases, key=lambda basis: basis.radius)
        high, wide = (2 * basis.radius + 1 for basis in self.bases)
        self.kernel_size: Pair = (high, wide)
        self.stride: Pair = per_axis("stride", stride, 2)  # type: ignore[assignment]
        self.dilation: Pair = per_axis("dilation", dilation, 2)  # type: ignore[assignment]
        self.padding: Pair = padding_per_axis(padding, self.kernel_size, self.dilation)  # type: ignore[assignment]
        self.padding_mode = padding_mode
        self._margins = check_padding_mode(padding_mode, self.padding)
        left = self.padding if padding_mode == "zeros" else (0, 0)
        self.prepare_hybrid(self.kernel_size, self.stride, left, self.dilation)
        self.way = way
        self.plan: dict[str, str] = {}
        self._matrices = matrix_cache()
        self._factors: tuple[Pair, ...] = tuple((int(y), int(x)) for y, x in self.basis.factors)
        self.register_constants(device, dtype)
        shape = (out_channels, in_channels // groups, len(self.basis))
        self.alpha = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(self.alpha.new_empty(out_channels)) if bias else None
        self.prepare_scale()
        self.reset_parameters()

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the atoms and the profiles they are made of."""
        along_y, along_x = (basis.profiles for basis in self.bases)
        if along_y.shape == along_x.shape:
            kernels = self.basis.kernels
        else:
            y, x = self.basis.factors.T
            kernels = along_y[y][:, :, None] * along_x[x][:, None]
        shared = {"kernels": kernels, "profiles_y": along_y, "profiles_x": along_x}
        return {**shared, **self.hybrid_constants()}

    def reset_parameters(self) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero all else."""
        self.restore_constants()
        energy = float((self.constants()["kernels"] ** 2).sum())
        inputs = self.in_channels // self.groups
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (inputs * energy)))
        for parameter in (self.bias, self.log_scale):
            if parameter is not None:
                nn.init.zeros_(parameter)

    @property
    def atoms(self) -> SeparableAtoms:
        """The atoms as tensors of the weights' dtype and device."""
        kernels, along_y, along_x = (
            self.constant(name, self.alpha) for name in ("kernels", "profiles_y", "profiles_x")
        )
        zeros = self.padding_mode == "zeros"
        return SeparableAtoms(
            kernels,
            (along_y, along_x),
            self._factors,
            self.stride,
            self.padding if zeros else (0, 0),
            self.dilation,
            self.groups,
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
            Output maps, channels last in memory if the input's are (so always for one channel).
        """
        if isinstance(x, torch.fx.Proxy):
            return self._evaluate(x, "composed")
        x, single = batched(x, self.in_channels, "H, W")
        out = self._evaluate(x, None)
        return out[0] if single else out

    def _evaluate(self, x: Tensor, way: str | None) -> Tensor:
        """Convolve a batch; `way` if it is not to be chosen."""
        if self.padding_mode != "zeros":
            x = functional.pad(x, self._margins, self.padding_mode)
        symbolic = isinstance(x, torch.fx.Proxy)
        chosen = None if symbolic else self.discretised_way(x, way or self.way)
        if symbolic and self.log_scale is not None:
            chosen = "composed"
        if chosen is not None:
            out = self.evaluate_discretised(x, chosen, self._convolved)
        else:
            out = WAYS[way or self.way_for(x)](x, self.alpha, self.atoms)
        if not needs_plain_operations(x):
            layout = torch.channels_last if is_channels_last(x) else torch.contiguous_format
            out = out.contiguous(memory_format=layout)
        # Autocast's convolution adds its bias in the precision of its result.
        return out if self.bias is None else out + self.bias[:, None, None].to(out.dtype)

    def _convolved(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Convolve padded maps with given filters."""
        padding = self.padding if self.padding_mode == "zeros" else 0
        return functional.conv2d(x, kernel, None, self.stride, padding, self.dilation, self.groups)

    def way_for(self, x: Tensor) -> str:
        """Return how padded maps like `x` are evaluated; the choice is kept in ``plan``."""
        if needs_plain_operations(x) or x.numel() == 0:
            return "composed"
        if self.way != "auto":
            return self.way
        low = x.dtype in LOW or autocast_dtype(x.device.type) is not None
        if low:  # rounding between filtering and mixing would lose digits
            return "composed"
        training = self.alpha.requires_grad and torch.is_grad_enabled()
        gradients = f"{int(training)}{int(training and x.requires_grad)}"
        key = f"{tuple(x.shape)} {x.dtype} {x.device.type} {gradients}"
        return self.choose(key, lambda: self._cheapest(x, training))

    def _cheapest(self, x: Tensor, training: bool) -> str:
        work = self.work(x, training)
        # Smaller maps than the filters are an error, which the plain convolution words.
        return cheapest(work, x.device.type) if min(work.output_map) > 0 else "composed"

    def work(self, x: Tensor, training: bool = True) -> Work:
        """Return the sizes the cost model needs for padded maps like `x`, a group as an image."""
        batch, _, height, width = x.shape
        atoms = self.atoms
        output_map = atoms.output_size(height, width)
        taps = [
            count_taps(
                x.shape[2 + i],
                self.kernel_size[i],
                self.stride[i],
                atoms.padding[i],
                m,
                self.dilation[i],
            )
            for i, m in enumerate(output_map)
        ]
        along_y, along_x = (len(set(used)) for used in zip(*self._factors, strict=True))
        return Work(
            batch=batch * self.groups,
            inputs=self.in_channels // self.groups,
            outputs=self.out_channels // self.groups,
            atoms=len(self.basis),
            size=self.kernel_size,
            profiles=(along_y, along_x),
            input_map=(height, width),
            output_map=output_map,
            taps=(taps[0], taps[1]),
            training=training,
            input_gradient=training and x.requires_grad,
        )

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I / groups, K, L)."""
        if self.log_scale is not None:
            return self.learned_kernel()
        return compose(self.alpha, self.atoms)

    def collapse(self) -> nn.Conv2d:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        kernel, padding = self.kernel(), self.padding
        if self.log_scale is not None and not kernel.is_meta:
            kernel, padding = without_rim(kernel, padding, self.dilation)
        plain = plain_convolution(
            kernel,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
            self.padding_mode,
        )
        assert isinstance(plain, nn.Conv2d)
        return plain.train(self.training)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        if self.log_scale is not None:
            return sum(p.numel() for p in self.collapse().parameters())
        inputs = self.in_channels // self.groups
        return plain_parameters(self.out_channels, inputs, self.kernel_size, self.bias is not None)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, order={self.basis.order}, "
            f"sigmas={self.basis.sigmas}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, "
            f"padding_mode={self.padding_mode}, way={self.way}, "
            f"discretisation={self.discretisation}, learn_sigma={self.learn_sigma or False}"
        )

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._matrices.clear()
        return super()._apply(fn, recurse)
