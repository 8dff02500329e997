"""Straight lines between two images' features, decoded to images (thesis Figure 20)."""

from __future__ import annotations

import torch
from torch import Tensor

from structnets.analysis.inversion import Invertible


@torch.no_grad()
def interpolate(
    model: Invertible,
    first: Tensor,
    second: Tensor,
    steps: int = 8,
    *,
    even_in_image: bool = False,
    keep_norm: bool = False,
    fine: int = 8,
) -> tuple[Tensor, Tensor]:
    """Decode ``t Phi(x0) + (1 - t) Phi(x1)`` for t from 1 to 0, so from `first` to `second`.

    Parameters
    ----------
    model : Invertible
        In eval mode.
    first, second : Tensor, shape (C, H, W)
        The two images x0 and x1.
    steps : int
        Images in the sequence, both ends included.
    even_in_image : bool
        Choose t so that neighbours in the sequence lie equally far apart as images. (The thesis
        adapts the step size by hand.)
    keep_norm : bool
        Scale the interpolated features so that their norm, too, goes linearly from one end to
        the other: a straight line passes nearer to the origin than features do.
    fine : int
        Points tried per step when `even_in_image`.

    Returns
    -------
    images : Tensor, shape (steps, C, H, W)
        The sequence; the ends are the images themselves up to rounding.
    t : Tensor, shape (steps,)
        Where on the line they lie.

    Raises
    ------
    ValueError
        If the images differ in shape, or `steps` is below two.
    """
    if first.shape != second.shape or first.ndim != 3:
        raise ValueError(
            "first and second must be images (C, H, W) of one shape, got "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    if steps < 2:
        raise ValueError(f"steps must be >= 2 (both ends), got {steps}")
    ends = model.encode(torch.stack([first, second]))
    t = torch.linspace(1, 0, steps, dtype=ends.dtype, device=ends.device)
    if even_in_image:
        dense = torch.linspace(1, 0, (steps - 1) * fine + 1, dtype=ends.dtype, device=ends.device)
        t = _evenly(dense, _decoded(model, ends, dense, keep_norm), steps)
    return _decoded(model, ends, t, keep_norm), t


def _decoded(model: Invertible, ends: Tensor, t: Tensor, keep_norm: bool) -> Tensor:
    """Decode the points t of the line between two feature maps."""
    weights = t[:, None, None, None]
    points = weights * ends[0] + (1 - weights) * ends[1]
    if keep_norm:
        norms = ends.flatten(1).norm(dim=1)
        wanted = t * norms[0] + (1 - t) * norms[1]
        points = points * (wanted / points.flatten(1).norm(dim=1))[:, None, None, None]
    return model.inverse(points)


def _evenly(t: Tensor, images: Tensor, steps: int) -> Tensor:
    """Return points of t at equal distances along the path of images."""
    lengths = (images[1:] - images[:-1]).flatten(1).norm(dim=1)
    path = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    wanted = torch.linspace(0, float(path[-1]), steps, dtype=path.dtype, device=path.device)
    right = torch.searchsorted(path, wanted[1:-1].contiguous()).clamp(1, len(path) - 1)
    left = right - 1
    share = (wanted[1:-1] - path[left]) / (path[right] - path[left]).clamp_min(1e-30)
    return torch.cat([t[:1], t[left] + share * (t[right] - t[left]), t[-1:]])
