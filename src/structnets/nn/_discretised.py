"""`Discretised`: what a Gaussian layer does where its derivatives are hybrid or its scales learned.

Sampled derivatives at fixed scales, the thesis' layer, are evaluated by `structnets.nn._evaluation`
alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from structnets.bases.discretisation import is_hybrid, smoothing_kind
from structnets.nn import _learned_scale
from structnets.nn._convolution_arguments import Pair
from structnets.nn._gaussian_convolution import GaussianConvolution
from structnets.nn._hybrid import Hybrid
from structnets.nn._hybrid_tensors import HybridTensors
from structnets.nn._learned_filters import learned_filters, mixed, outer_products
from structnets.nn._learned_support import LearnSigma, without_rim
from structnets.nn._modes import (
    as_autocast,
    autocast_dtype,
    needs_plain_operations,
    without_autocast,
)
from structnets.nn._separable_atoms import SeparableAtoms

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

    @property
    def geometry(self) -> tuple[Pair, Pair, Pair, int]:
        """Stride, padding, dilation and groups, as ``torch.nn.functional`` takes them."""
        return self.stride, self.zero_padding, self.dilation, self.groups

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
        log_scale = self.log_scale
        assert log_scale is not None
        with without_autocast(self.alpha.device.type):
            if self.learn_sigma == "layer" and not needs_plain_operations(self.alpha):
                return learned_filters(self.alpha, log_scale, self._atoms_and_rates, self._scale_of)
            along_y, along_x = self.learned_profiles()
            y, x = (list(column) for column in zip(*self._factors, strict=True))
            kernels = along_y[..., y, :, None] * along_x[..., x, None, :]  # (N, K, L) or (C, ...)
            if self.learn_sigma == "layer":
                return mixed(self.alpha, kernels)
            alpha = self.alpha.unflatten(0, (self.groups, -1))
            grouped = kernels.unflatten(0, (self.groups, -1))
            return torch.einsum("gocn,gcnyx->gocyx", alpha, grouped).flatten(0, 1)

    @property
    def _scale_of(self) -> tuple[int, ...]:
        """Every atom's scale: profiles are those of a scale after those of another."""
        return tuple(y // (self.basis.order + 1) for y, _ in self._factors)

    def _atoms_and_rates(self, log_scale: Tensor) -> _learned_scale.Rated:
        """Return the atoms (N, K, L) of scales alike for all channels, and their derivatives."""
        order, kind, scaled = self.basis.order, self.discretisation, self.basis.norm == "scale"
        sigmas, slopes = _learned_scale.sigmas_and_rates(
            log_scale, self.basis.sigmas, self.sigma_factor
        )

        def profiles(radius: int) -> _learned_scale.Rated:
            taps, rates = _learned_scale.profiles_and_rates(sigmas, order, radius, kind, scaled)
            found = (taps, rates * slopes[:, None, None])
            flat = [part.flatten(0, 1).to(self.alpha.dtype) for part in found]
            return flat[0], flat[1]

        along_y, along_x = self._along_axes(profiles)
        return outer_products(along_y, along_x, self._factors)

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
        return SeparableAtoms(kernels, (along_y, along_x), self._factors, *self.geometry, None)

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
