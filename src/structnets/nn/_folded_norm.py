"""`FoldedNorm`: batch normalisation as part of the spatial filters before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from structnets.nn._spatial_patches import Patches, patch_moments


class FoldedNorm(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` of filter responses that need not be there.

    The responses h_q . p to patches p have mean h_q . mean(p) and variance
    h_q^T cov(p) h_q, so the normalised responses are those of scaled filters plus a constant.
    State, statistics and results are those of ``nn.BatchNorm2d``.
    """

    def fold(self, filters: Tensor, padded: Tensor, patches: Patches) -> tuple[Tensor, Tensor]:
        """Return filters and constants whose responses are the normalised ones.

        Parameters
        ----------
        filters : Tensor, shape (Q, taps)
            Filters whose responses are to be normalised.
        padded : Tensor, shape (N, P1, P2, V)
            Their input, padded; read in training mode only.
        patches : Patches
            The patches they respond to.

        Returns
        -------
        filters : Tensor, shape (Q, taps)
            Scaled filters.
        shift : Tensor, shape (Q,)
            What to add to their responses.

        Raises
        ------
        ValueError
            In training mode with a single patch.
        """
        if not self.training:
            return fold_running(self, filters)
        if patches.count < 2:
            raise ValueError("normalisation needs more than one patch in training, got 1")
        mean, covariance = patch_moments(padded, patches)
        exact = filters.to(mean.dtype)
        mean, variance = exact @ mean, ((exact @ covariance) * exact).sum(1)
        self._track(mean.detach(), variance.detach() * (patches.count / (patches.count - 1)))
        return _fold(self, filters, mean, variance.clamp(min=0))

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics as ``nn.BatchNorm2d`` does."""
        running_mean, running_variance = _running(self)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / float(self.num_batches_tracked)
        running_mean.lerp_(mean.to(running_mean), momentum)
        running_variance.lerp_(variance.to(running_variance), momentum)


def fold_running(norm: _BatchNorm, filters: Tensor) -> tuple[Tensor, Tensor]:
    """Do as `FoldedNorm.fold` in evaluation mode, for any batch norm of PyTorch's."""
    mean, variance = _running(norm)
    return _fold(norm, filters, mean.double(), variance.double())


def _fold(
    norm: _BatchNorm, filters: Tensor, mean: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor]:
    scale = (variance + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -mean * scale
    if norm.affine:
        shift = shift + norm.bias
    return filters * scale.to(filters)[:, None], shift.to(filters)


def _running(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var
