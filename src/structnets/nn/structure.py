"""Turn the convolutions of any torch model into structured receptive fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from structnets.bases.discretisation import Discretisation
from structnets.nn._exact_products import doubled
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.reparametrize import _refuse_hooks, _replaced

Choose = Callable[[str, nn.Conv2d], bool]
PLAIN = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class Changed:
    """A convolution that was replaced.

    Attributes
    ----------
    name : str
        Where it is in the model.
    before, after : str
        Width of the kernels.
    weights, weights_before : int
        Numbers learned instead, and before.
    error : float or None
        Relative L2 error of the filters that replace the old ones; None if they were drawn anew.
    """

    name: str
    before: str
    after: str
    weights: int
    weights_before: int
    error: float | None


@dataclass(frozen=True)
class Structured:
    """What `structure` did.

    Attributes
    ----------
    model : nn.Module
        The model, changed in place; the new layer if it was a convolution itself.
    changed : tuple of Changed
        The convolutions that were replaced.
    left : tuple of pairs
        Name of every other convolution wider than a pixel, and why it was left.

    Examples
    --------
    >>> from torch import nn
    >>> from structnets.nn import structure
    >>> structured = structure(nn.Conv2d(3, 8, 3, padding=1), keep_weights=False)
    >>> structured.changed[0].after, structured.left
    ('11x11', ())
    """

    model: nn.Module
    changed: tuple[Changed, ...]
    left: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """List what was changed and what was left, a line each."""
        lines = [
            f"{c.name or 'model'}: {c.before} -> {c.after}, {c.weights_before:,} -> {c.weights:,} "
            f"weights, " + ("drawn anew" if c.error is None else f"error {c.error:.1%}")
            for c in self.changed
        ]
        return "\n".join([*lines, *(f"{name or 'model'}: left, {why}" for name, why in self.left)])


def structure(
    model: nn.Module,
    *,
    order: int = 2,
    sigmas: float | Sequence[float] = 1.0,
    discretisation: Discretisation = "hybrid",
    learn_sigma: bool | str = False,
    keep_weights: bool = True,
    only: Choose | None = None,
) -> Structured:
    """Replace the convolutions of a model by Gaussian ones, in place.

    Every ``nn.Conv2d`` wider than a pixel is replaced by a `GaussianConv2d` of the same channels,
    groups, stride, dilation and output size; the model's names stay. Weights that are shared stay
    shared, frozen ones frozen. Optimisers hold the old weights: make them afterwards.

    Parameters
    ----------
    model : nn.Module
        Any model, of torchvision or timm for instance; or a single ``nn.Conv2d``.
    order, sigmas, discretisation, learn_sigma
        As in `GaussianConv2d`; by default of order 2 and hybrid, which cost least.
    keep_weights : bool
        Take the coefficients whose filters are nearest to the old ones (least squares), and say
        how near: filters of 3 x 3 pixels are no Gaussian derivatives at sigma 1, and come out
        blurred; sigma .5 keeps more. Otherwise coefficients are drawn anew.
    only : callable, optional
        Called with name and convolution; those for which it is false are left.

    Returns
    -------
    Structured
        The model, what was changed, and what was left and why. ``print`` shows it.

    Raises
    ------
    ValueError
        If an argument is not allowed. The model is then untouched.

    Limits
    ------
    Left as they are: subclasses of ``nn.Conv2d``, weights that are computed (``weight_norm``) or
    that a layer which stays has too, layers and weights with hooks, even kernels, padding other
    than with zeros, complex weights where scales are to be learned, and convolutions of other
    dimensions or transposed ones.

    Examples
    --------
    >>> from torch import nn
    >>> from structnets.nn import structure
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 1))
    >>> print(structure(net, keep_weights=False))
    0: 3x3 -> 11x11, 216 -> 144 weights, drawn anew
    """
    options = {
        "order": order,
        "sigmas": sigmas,
        "discretisation": discretisation,
        "learn_sigma": learn_sigma,
    }
    trial = GaussianConv2d(1, 1, device="meta", **options)  # refuses arguments before any change
    layers: dict[nn.Module, nn.Module] = {}
    shared: dict[int, GaussianConv2d] = {}
    biases: dict[int, nn.Parameter] = {}
    changed, left = [], []
    reasons = {m: _reason_to_leave(name, m, trial, only) for name, m in model.named_modules()}
    for name, conv in model.named_modules():
        why = reasons[conv]
        if why is None:
            why = _also_of_another(model, conv, reasons)
        if why is None:
            assert isinstance(conv, nn.Conv2d)
            layer, error = _structured(conv, keep_weights, options)
            first = shared.setdefault(id(conv.weight), layer)
            layer.alpha, layer.log_scale = first.alpha, first.log_scale
            if conv.bias is not None and layer.bias is not None:
                layer.bias = biases.setdefault(id(conv.bias), layer.bias)
            layers[conv] = layer
            size = "x".join(map(str, conv.kernel_size))
            weights = sum(p.numel() for p in (layer.alpha, layer.log_scale) if p is not None)
            changed.append(
                Changed(
                    name,
                    size,
                    "x".join(map(str, layer.kernel_size)),
                    weights,
                    conv.weight.numel(),
                    error,
                )
            )
        elif why:
            left.append((name, why))
    return Structured(_replaced(model, layers), tuple(changed), tuple(left))


def _reason_to_leave(
    name: str, module: nn.Module, trial: GaussianConv2d, only: Choose | None
) -> str | None:
    """Return why a module is left; None if it is to be replaced, '' if it is none to name."""
    if isinstance(module, TRANSPOSED):
        return f"a {type(module).__name__} has no structured counterpart"
    if not isinstance(module, PLAIN) or max(module.kernel_size) == 1:
        return ""
    if "weight" not in module._parameters:
        return "its weight is computed"
    if type(module) is not nn.Conv2d:
        return f"a {type(module).__name__} is no nn.Conv2d"
    try:
        _refuse_hooks(name, module, "structuring")
    except ValueError:
        return "it has hooks, which would be lost"
    if module.weight.is_complex() and trial.log_scale is not None:
        return "its weights are complex, and learned scales have no complex form"
    if any(n % 2 == 0 for n in module.kernel_size):
        return f"its kernel {module.kernel_size} is even"
    if module.padding_mode != "zeros":
        return f"its padding_mode is {module.padding_mode!r}"
    if any(k > n for k, n in zip(module.kernel_size, trial.kernel_size, strict=True)):
        return f"its kernel {module.kernel_size} is wider than the structured one"
    if only is not None and not only(name, module):
        return "as asked"
    return None


def _also_of_another(
    model: nn.Module, conv: nn.Module, reasons: Mapping[nn.Module, str | None]
) -> str | None:
    """Return why a convolution is left if a module that stays has its weight; else None."""
    for name, module in model.named_modules():
        if reasons[module] is not None and any(
            p is conv.weight for p in module._parameters.values()
        ):
            return f"its weight is also one of {name or type(module).__name__!r}, which stays"
    return None


def _padding(conv: nn.Conv2d, size: Sequence[int]) -> tuple[int, int]:
    """Return the padding with which kernels of another size give maps of the same size."""
    y, x = (
        (d * (k - 1) // 2 if conv.padding == "same" else 0 if conv.padding == "valid" else p)
        + d * (n - k) // 2
        for n, k, d, p in zip(
            size,
            conv.kernel_size,
            conv.dilation,
            (0, 0) if isinstance(conv.padding, str) else conv.padding,
            strict=True,
        )
    )
    return y, x


def _structured(
    conv: nn.Conv2d, keep_weights: bool, options: dict
) -> tuple[GaussianConv2d, float | None]:
    """Return the layer that replaces a convolution, and how far its filters are from the old."""
    weight = conv.weight
    geometry = {
        "stride": conv.stride,
        "dilation": conv.dilation,
        "groups": conv.groups,
        "bias": conv.bias is not None,
        "device": weight.device,
        "dtype": weight.dtype,
    }
    channels = (conv.in_channels, conv.out_channels)
    trial = GaussianConv2d(1, 1, device="meta", **options)
    layer = GaussianConv2d(
        *channels, padding=_padding(conv, trial.kernel_size), **geometry, **options
    )
    error = None
    with torch.no_grad():
        if layer.bias is not None and conv.bias is not None:
            layer.bias.copy_(conv.bias)
        if keep_weights and not weight.is_meta:
            alpha, error = nearest_coefficients(
                doubled(weight), torch.tensor(layer.basis.kernels, device=weight.device)
            )
            layer.alpha.copy_(alpha)
    layer.alpha.requires_grad_(weight.requires_grad)
    if layer.bias is not None and conv.bias is not None:
        layer.bias.requires_grad_(conv.bias.requires_grad)
    return layer.train(conv.training), error


def nearest_coefficients(weight: Tensor, kernels: Tensor) -> tuple[Tensor, float]:
    """Return the mixture of atoms nearest to given filters, and its relative L2 error.

    Parameters
    ----------
    weight : Tensor, shape (O, I, k, l), float64 or complex128
        Filters, centred in the support of the atoms.
    kernels : Tensor, shape (N, K, L), float64
        Atoms, of a support no smaller.
    """
    kernels = kernels.to(weight)
    margins = [(m - n) // 2 for m, n in zip(kernels.shape[1:], weight.shape[2:], strict=True)]
    inner = kernels[
        :, margins[0] : margins[0] + weight.shape[2], margins[1] : margins[1] + weight.shape[3]
    ]
    gram = kernels.flatten(1) @ kernels.flatten(1).T
    products = weight.flatten(2) @ inner.flatten(1).T  # the filters are zero outside
    alpha = torch.linalg.solve(gram, products.mT).mT
    total = float(weight.abs().square().sum())
    # |w - f|^2 = |w|^2 - <w, f> for the projection f of w.
    rest = max(0.0, total - float((alpha * products.conj()).sum().real))
    return alpha, (rest / total) ** 0.5 if total else 0.0
