"""`Discretised`: what a Gaussian layer does where its derivatives are hybrid or its scales learned.

Sampled derivatives at fixed scales, the thesis' layer, are evaluated by `structnets.nn._evaluation`
alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from structnets.bases.discretisation import is_hybrid, smoothing_kind
from structnets.nn import _learned_scale
from structnets.nn._convolution_arguments import Pair
from structnets.nn._cost_model import Work
from structnets.nn._discretised_terms import DiscretisedWork
from structnets.nn._filter_matrices import is_tiny
from structnets.nn._gaussian_convolution import GaussianConvolution
from structnets.nn._hybrid import WAYS, Hybrid, HybridTensors
from structnets.nn._layouts import is_channels_last_only
from structnets.nn._learned_support import LearnSigma, without_rim
from structnets.nn._modes import (
    as_autocast,
    autocast_dtype,
    is_low,
    needs_plain_operations,
    without_autocast,
)
from structnets.nn._separable_atoms import SeparableAtoms

# In half precision rounding magnified a thousandfold in single still is less than its own.
MOST_MAGNIFIED_LOW = 2000.0
Made = TypeVar("Made")


class Discretised(GaussianConvolution[Pair]):
    """A layer of images whose derivatives may be hybrid, and whose scales may be learned.

    Attributes
    ----------
    log_scale : Parameter or None
        Logarithm of what every scale has changed by, near zero; shape (S,), or (groups, S), or
        (in_channels, S). See `structnets.nn._learned_scale`.
    """

    hybrid: Hybrid | None
    log_scale: nn.Parameter | None
    learn_sigma: LearnSigma | None
    sigma_factor: float

    def prepare_hybrid(self) -> None:
        """Set `hybrid`, if the basis is."""
        self.hybrid = None
        if is_hybrid(self.discretisation):
            largest = self.basis.sigmas[-1] * (self.sigma_factor if self.learn_sigma else 1.0)
            geometry = (self.kernel_size, self.stride, self.zero_padding, self.dilation)
            self.hybrid = Hybrid(self.basis, *geometry, self.groups, largest)

    def prepare_scale(self) -> None:
        """Set `log_scale`, a parameter of the weights' kind, if scales are learned."""
        self.log_scale = None
        if self.learn_sigma:
            leading = {"layer": (), "group": (self.groups,), "channel": (self.in_channels,)}
            shape = (*leading[self.learn_sigma], len(self.basis.sigmas))
            self.log_scale = nn.Parameter(self.alpha.new_zeros(shape))

    def reset_parameters(self) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero all else."""
        super().reset_parameters()
        if self.log_scale is not None:
            nn.init.zeros_(self.log_scale)

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the profiles that the atoms are made of, and what hybrid ways need."""
        profiles, hybrid = super().constants(), self.hybrid
        if hybrid is None:
            return profiles
        along_y, along_x = self.bases
        sigmas = np.array([atom.sigma for atom in self.basis.atoms])
        powers = sigmas ** (np.array(hybrid.total_orders) if self.basis.norm == "scale" else 0)
        return {
            **profiles,
            "smoothing_y": along_y.smoothing,
            "smoothing_x": along_x.smoothing,
            "powers": powers,
            "differences": hybrid.differences,
            "halves": hybrid.halves,
        }

    def sigmas(self) -> Tensor:
        """Return the scales as they are now: shape (S,), (groups, S) or (in_channels, S)."""
        if self.log_scale is None:
            return torch.tensor(self.basis.sigmas, device=self.alpha.device)
        with without_autocast(self.log_scale.device.type):
            return _learned_scale.learned_sigmas(
                self.log_scale, self.basis.sigmas, self.sigma_factor
            )

    def _sigmas_of_channels(self) -> Tensor:
        """Return the scales, shape (S,), or (in_channels, S) where they may differ."""
        sigmas = self.sigmas()
        if self.learn_sigma != "group":
            return sigmas
        return sigmas.repeat_interleave(self.in_channels // self.groups, 0)

    def learned_profiles(self) -> tuple[Tensor, Tensor]:
        """Return the filters along y and x of learned scales, shape (..., P, K) each."""
        order, kind, scaled = self.basis.order, self.discretisation, self.basis.norm == "scale"
        sigmas = self._sigmas_of_channels()

        def profiles(radius: int) -> Tensor:
            found = _learned_scale.derivative_profiles(sigmas, order, radius, kind, scaled)
            return found.flatten(-3, -2).to(self.alpha.dtype)

        return self._along_axes(profiles)

    def _along_axes(self, of_radius: Callable[[int], Made]) -> tuple[Made, Made]:
        """Return what is made of the filters' radius along y and x, once where they are equal."""
        along_y, along_x = (basis.radius for basis in self.bases)
        made = of_radius(along_y)
        return made, made if along_x == along_y else of_radius(along_x)

    def learned_kernel(self) -> Tensor:
        """Return the filters (O, C / groups, K, L) of learned scales."""
        with without_autocast(self.alpha.device.type):
            along_y, along_x = self.learned_profiles()
            y, x = (list(column) for column in zip(*self._factors, strict=True))
            kernels = along_y[..., y, :, None] * along_x[..., x, None, :]  # (N, K, L) or (C, ...)
            if self.learn_sigma == "layer":
                return (self.alpha @ kernels.flatten(1)).unflatten(2, kernels.shape[1:])
            alpha = self.alpha.unflatten(0, (self.groups, -1))
            grouped = kernels.unflatten(0, (self.groups, -1))
            return torch.einsum("gocn,gcnyx->gocyx", alpha, grouped).flatten(0, 1)

    def hybrid_tensors(self) -> HybridTensors:
        """Return the tensors of a hybrid basis, in the weights' precision."""
        like = self.alpha
        differences, halves = (self.constant(n, like) for n in ("differences", "halves"))
        if self.log_scale is None:
            along_y, along_x, powers = (
                self.constant(n, like) for n in ("smoothing_y", "smoothing_x", "powers")
            )
            return HybridTensors((along_y, along_x), powers, differences, halves, self.profiles)
        assert self.hybrid is not None
        sigmas, reach = self._sigmas_of_channels(), self.hybrid.reach
        kind = smoothing_kind(self.discretisation)

        def smoothing(radius: int) -> _learned_scale.Rated:
            found = _learned_scale.smoothing_taps(sigmas, radius - reach, kind)
            return found[0].to(like.dtype), found[1].to(like.dtype)

        along_y, along_x = self._along_axes(smoothing)
        places = [
            scale * (self.basis.order + 1) + (n if self.basis.norm == "scale" else 0)
            for scale, n in zip(self.hybrid.scale_of, self.hybrid.total_orders, strict=True)
        ]
        powers = _learned_scale.powers(sigmas, self.basis.order).flatten(-2)[..., places]
        tensors = HybridTensors(
            (along_y[0], along_x[0]),
            powers.to(like.dtype),
            differences,
            halves,
            self.learned_profiles,
        )
        if self.learn_sigma != "layer":
            return tensors
        return dataclasses.replace(tensors, scales=sigmas, rates=(along_y[1], along_x[1]))

    def learned_atoms(self) -> SeparableAtoms:
        """Return the atoms of scales that a layer learns, one for all channels."""
        with without_autocast(self.alpha.device.type):
            along_y, along_x = self.learned_profiles()
            y, x = (list(column) for column in zip(*self._factors, strict=True))
            kernels = along_y[y, :, None] * along_x[x, None, :]
        geometry = (self.stride, self.zero_padding, self.dilation, self.groups)
        return SeparableAtoms(kernels, (along_y, along_x), self._factors, *geometry, None)

    def settled_way(self, x: Tensor, wanted: str) -> str | None:
        """Return how padded maps are evaluated; None where the fastest way may be chosen."""
        plain, hybrid = needs_plain_operations(x), self.hybrid
        per_channel = self.learn_sigma in ("group", "channel")
        symbolic = isinstance(x, torch.fx.Proxy)
        if not symbolic and x.is_complex():
            return "composed"
        if hybrid is None or symbolic or x.numel() == 0 or min(hybrid.output_size(x)) < 1:
            if plain or x.numel() == 0 or per_channel or (hybrid is not None):
                return "composed"
            whole = wanted == "pieces" or self.log_scale is not None
            if wanted != "auto" and not (whole and is_low(x)):
                # Of smaller maps than the filters the plain convolution words the error.
                return wanted if min(self.output_size(x.shape[-2:])) >= 1 else "composed"
            return "composed" if is_low(x) else None  # rounded in between, digits would be lost
        if is_low(x) and wanted not in ("composed", "stencils"):
            exact = hybrid.magnified <= MOST_MAGNIFIED_LOW and not per_channel
            return "responses" if exact else "composed"
        if wanted in WAYS and not (wanted == "pieces" and plain):
            return wanted
        if wanted != "auto" and wanted not in WAYS and not plain:
            return "composed" if per_channel else wanted
        if plain or x.device.type != "cpu" or per_channel:
            return "composed" if hybrid.differences_lose(x.dtype) else "stencils"
        return None

    def scale_now(self) -> float | None:
        """Return the largest scale of a hybrid layer that learns one set for all channels."""
        if self.hybrid is None or self.learn_sigma != "layer":
            return None
        with torch.no_grad():
            return float(self.sigmas().max())

    def is_near(self, x: Tensor) -> bool:
        """Say whether differences hold their digits now, though the scale may grow too large."""
        hybrid = self.hybrid
        if hybrid is None or not hybrid.differences_lose(x.dtype):
            return False
        sigma = self.scale_now()
        return sigma is not None and not hybrid.differences_lose(x.dtype, sigma)

    def discretised_work(self, x: Tensor, whole: Work) -> DiscretisedWork:
        """Return the sizes the cost model needs for padded maps like `x`."""
        hybrid = self.hybrid
        learned = self.log_scale is not None and self.log_scale.requires_grad
        last = is_channels_last_only(x)
        learned = learned and torch.is_grad_enabled()
        facts: dict[str, Any] = {"groups": self.groups, "learned": learned, "channels_last": last}
        if hybrid is None:
            kind = "dense" if is_tiny(whole.input_map, whole.outputs) else "banded"
            return DiscretisedWork(whole, **facts, filtering=kind)
        sigma = self.scale_now()
        high, wide = (
            (n - 1) * step + 1 + 2 * hybrid.reach * spacing
            for n, step, spacing in zip(whole.output_map, self.stride, self.dilation, strict=True)
        )
        return DiscretisedWork(
            whole,
            **facts,
            scales=len(self.basis.sigmas),
            stencil=2 * hybrid.reach + 1,
            smoothed=(high, wide),
            filtering=hybrid.filtering(x, whole.outputs, sigma),
            differences=not hybrid.differences_lose(x.dtype, sigma),
        )

    def evaluate_hybrid(self, x: Tensor, way: str) -> Tensor:
        """Convolve padded maps by one of the ways of hybrid derivatives."""
        hybrid = self.hybrid
        assert hybrid is not None
        if way == "responses":
            precision = autocast_dtype(x.device.type) or x.dtype
            with without_autocast(x.device.type):
                atoms = self.hybrid_tensors()
            return hybrid.responses(x, self.alpha, atoms, precision)
        with without_autocast(x.device.type):
            atoms = self.hybrid_tensors()
            act = hybrid.pieces if way == "pieces" else hybrid.stencils
            out = act(x.to(self.alpha.dtype), self.alpha, atoms)
        return as_autocast(out)

    def collapse(self) -> nn.Conv2d:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        kernel, padding = self.kernel(), self.padding
        if self.log_scale is not None and not kernel.is_meta:
            kernel, padding = without_rim(kernel, padding, self.dilation)
        plain = self.plain(kernel, padding)
        assert isinstance(plain, nn.Conv2d)
        return plain

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        if self.log_scale is not None:
            return sum(p.numel() for p in self.collapse().parameters())
        return super().collapsed_parameters()
