"""`GaussianConv2d`: a convolution whose filters are mixtures of Gaussian derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from structnets.bases.gaussian import GaussianBasis, Norm
from structnets.nn.collapsing import plain_convolution, plain_parameters
from structnets.nn.cost_model import Work, cheapest, count_taps
from structnets.nn.evaluation import WAYS, Pair, SeparableAtoms, compose, is_channels_last

Padding = int | Pair | str


def resolve_padding(padding: Padding, kernel_size: int) -> Pair:
    """Return zero padding per axis: ``same``, ``valid``, ``full``, a number or a pair."""
    named = {"same": kernel_size // 2, "valid": 0, "full": kernel_size - 1}
    if isinstance(padding, str):
        if padding not in named:
            allowed = ", ".join(named)
            raise ValueError(
                f"padding must be a number, a pair or one of {allowed}; got {padding!r}"
            )
        return named[padding], named[padding]
    return (padding, padding) if isinstance(padding, int) else (padding[0], padding[1])


class GaussianConv2d(nn.Module):
    """Structured receptive fields (thesis section 3.3): drop-in for ``nn.Conv2d``.

    The filter from input i to output o is ``sum_n alpha[o, i, n] phi_n`` with fixed Gaussian
    derivatives phi and learned alpha (Algorithm 1).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    order : int
        Highest total order of the derivatives.
    sigmas : sequence of float
        Scales in pixels, ascending.
    kernel_size : int, optional
        Odd support; by default 2 ceil(3 max(sigmas)) + 1.
    stride : int or pair
        As in ``nn.Conv2d``.
    padding : int, pair, or {'same', 'valid', 'full'}
        Zero padding; ``same`` pads by half the support (also with a stride).
    bias : bool
        Learn an additive bias.
    norm : {'scale', 'none'}
        Normalisation of the atoms, see `structnets.bases.gaussian`.
    way : str
        How to evaluate: ``auto`` (by a cost model, per shape), or one of
        `structnets.nn.evaluation.WAYS`. All agree to rounding.

    Attributes
    ----------
    alpha : Parameter, shape (out_channels, in_channels, atoms)
        The learned weights.
    """

    kernels: Tensor
    profiles: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order: int = 3,
        sigmas: Sequence[float] = (1.0,),
        kernel_size: int | None = None,
        stride: int | Pair = 1,
        padding: Padding = "same",
        bias: bool = True,
        norm: Norm = "scale",
        way: str = "auto",
    ) -> None:
        super().__init__()
        if way != "auto" and way not in WAYS:
            raise ValueError(f"way must be auto or one of {', '.join(WAYS)}; got {way!r}")
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value < 1:
                raise ValueError(f"{name} must be >= 1, got {value}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.basis = GaussianBasis(order, tuple(sigmas), kernel_size, 2, norm)
        self.stride: Pair = (stride, stride) if isinstance(stride, int) else stride
        assert self.basis.kernel_size is not None
        self.kernel_size = self.basis.kernel_size
        self.padding = resolve_padding(padding, self.kernel_size)
        self.way = way
        self.plan: dict[str, str] = {}
        dtype = torch.get_default_dtype()
        self.register_buffer("kernels", torch.tensor(self.basis.kernels, dtype=dtype), False)
        self.register_buffer("profiles", torch.tensor(self.basis.profiles, dtype=dtype), False)
        self._matrices: dict[tuple[object, ...], Tensor] = {}
        self._factors: tuple[Pair, ...] = tuple((int(y), int(x)) for y, x in self.basis.factors)
        self.alpha = nn.Parameter(torch.empty(out_channels, in_channels, len(self.basis)))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero the bias."""
        energy = float((self.basis.kernels**2).sum())
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (self.in_channels * energy)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    @property
    def atoms(self) -> SeparableAtoms:
        """The atoms as tensors of this layer's dtype and device."""
        return SeparableAtoms(
            self.kernels, self.profiles, self._factors, self.stride, self.padding, self._matrices
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W)
            Input maps.

        Returns
        -------
        Tensor, shape (B, out_channels, H', W')
            Output maps, channels last in memory if the input's are (so always for one channel).
        """
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"input must have shape (B, {self.in_channels}, H, W), got {tuple(x.shape)}"
            )
        out = WAYS[self.way_for(x)](x, self.alpha, self.atoms)
        layout = torch.channels_last if is_channels_last(x) else torch.contiguous_format
        out = out.contiguous(memory_format=layout)
        return out if self.bias is None else out + self.bias[:, None, None]

    def way_for(self, x: Tensor) -> str:
        """Return how an input like `x` is evaluated; the choice is kept in ``plan``."""
        if self.way != "auto":
            return self.way
        training = self.alpha.requires_grad and torch.is_grad_enabled()
        gradients = f"{int(training)}{int(training and x.requires_grad)}"
        key = f"{tuple(x.shape)} {x.dtype} {x.device.type} {gradients}"
        if key not in self.plan:
            self.plan[key] = cheapest(self.work(x, training), x.device.type)
        return self.plan[key]

    def work(self, x: Tensor, training: bool = True) -> Work:
        """Return the sizes the cost model needs for an input like `x`."""
        batch, _, height, width = x.shape
        output_map = self.atoms.output_size(height, width)
        taps = [
            count_taps(x.shape[2 + i], self.kernel_size, self.stride[i], self.padding[i], m)
            for i, m in enumerate(output_map)
        ]
        along_y, along_x = (len(set(used)) for used in zip(*self._factors, strict=True))
        return Work(
            batch=batch,
            inputs=self.in_channels,
            outputs=self.out_channels,
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
        """Return the effective filters on the pixel grid, shape (O, I, K, K)."""
        return compose(self.alpha, self.atoms)

    def collapse(self) -> nn.Conv2d:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        plain = plain_convolution(self.kernel(), self.bias, self.stride, self.padding)
        assert isinstance(plain, nn.Conv2d)
        return plain

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        size = (self.kernel_size, self.kernel_size)
        return plain_parameters(self.out_channels, self.in_channels, size, self.bias is not None)

    def get_extra_state(self) -> dict[str, str]:
        """Keep the chosen evaluation ways with the weights, so that a resumed run reuses them."""
        return dict(self.plan)

    def set_extra_state(self, state: Any) -> None:
        """Restore the chosen evaluation ways; ways this version does not know are dropped."""
        self.plan = {key: way for key, way in state.items() if way in WAYS}

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, order={self.basis.order}, "
            f"sigmas={self.basis.sigmas}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, way={self.way}"
        )
