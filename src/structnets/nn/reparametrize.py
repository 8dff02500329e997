"""Turn the convolutions of any torch model into frame convolutions, and structured ones back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from structnets.bases.frames import Frame, frame_name, why_not
from structnets.nn._frame_convolution import FrameConvolution, resolve_frame
from structnets.nn.frame_conv import FrameConv1d, FrameConv2d, FrameConv3d
from structnets.nn.frame_conv_transpose import (
    FrameConvTranspose1d,
    FrameConvTranspose2d,
    FrameConvTranspose3d,
)

FRAME_FORMS: dict[type[nn.Module], type[FrameConvolution]] = {
    form.plain_type: form
    for form in (
        FrameConv1d,
        FrameConv2d,
        FrameConv3d,
        FrameConvTranspose1d,
        FrameConvTranspose2d,
        FrameConvTranspose3d,
    )
}


@runtime_checkable
class _HasPlainForm(Protocol):
    def collapse(self) -> nn.Module: ...


@dataclass
class Reparametrization:
    """What `reparametrize` changed and what it left.

    Attributes
    ----------
    changed : dict
        The frame of every layer that is now a frame convolution, by the layer's name.
    left : dict
        Why each other convolution is as it was, by its name.

    Examples
    --------
    >>> from torch import nn
    >>> from structnets.nn import reparametrize
    >>> reparametrize(nn.Sequential(nn.Conv3d(3, 8, 3)), "gauss15", report=True)[1].left
    {'0': "frame 'gauss15' has filters of 2 axes"}
    """

    changed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


def reparametrize(
    model: nn.Module,
    frame: str | Frame = "gaussian",
    *,
    keep_unspanned: bool = False,
    report: bool = False,
) -> Any:
    """Replace the convolutions of a model by frame convolutions of the same function.

    Every convolution of PyTorch's, of one to three dimensions, transposed or not, whose kernel is
    wider than a pixel is replaced, in place; one of a subclass is not, since it may compute
    something else, nor one whose weight is itself computed (``weight_norm``) or also used by
    another kind of layer, nor one of other dimensions than the frame. Layers, weights and biases
    that are shared stay shared; frozen ones stay frozen. Optimisers hold the old weights: make them
    afterwards.

    Parameters
    ----------
    model : nn.Module
        Any model; or a single convolution.
    frame : str or Frame
        As in `FrameConv2d`. ``image`` alternates Gaussian derivatives and framelets over the
        convolutions in the order of ``model.modules()`` (Table 6).
    keep_unspanned : bool
        Leave convolutions as they are whose kernels the frame cannot span, or of another size
        than the given `Frame`, instead of refusing.
    report : bool
        Also return what was changed and what was left, with the reason.

    Returns
    -------
    nn.Module
        The model; the new layer if `model` was a convolution. With `report` a pair of it and a
        `Reparametrization`.

    Raises
    ------
    ValueError
        If the frame is unknown or cannot express a convolution, if the weights' precision does not
        hold its coefficients, or a convolution has hooks, which would be lost. The model is then
        untouched.

    Examples
    --------
    >>> from torch import nn
    >>> from structnets.nn import reparametrize
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 1))
    >>> net, found = reparametrize(net, report=True)
    >>> found.changed, found.left
    ({'0': 'gaussian'}, {'2': 'its kernel is one pixel wide'})
    """
    found = Reparametrization()
    changes: dict[nn.Module, nn.Module] = {}
    weights: dict[int, FrameConvolution] = {}
    biases: dict[int, nn.Parameter] = {}
    layer = -1
    for path, conv in _convolutions(model):
        first = weights.get(id(conv.weight))
        chosen = first.frame if first else frame
        chosen = chosen if isinstance(chosen, Frame) else frame_name(chosen, layer + 1)
        reason = _reason_to_leave(model, conv) or why_not(chosen, len(conv.kernel_size))
        if reason:
            found.left[path] = reason
            continue
        layer += 1
        _refuse_hooks(path, conv, "reparametrizing")
        try:
            resolved = resolve_frame(chosen, conv.kernel_size)
            if not resolved.spans:
                raise ValueError(f"frame {resolved.name!r} does not span")
        except ValueError as error:
            if keep_unspanned:
                found.left[path] = str(error)
                continue
            raise ValueError(
                f"layer {path!r}: {error}; or keep_unspanned=True leaves such layers in pixels"
            ) from error
        new = FRAME_FORMS[type(conv)].from_conv(conv, resolved)
        new.coefficients = weights.setdefault(id(conv.weight), new).coefficients
        if conv.bias is not None and new.bias is not None:
            new.bias = biases.setdefault(id(conv.bias), new.bias)
        changes[conv], found.changed[path] = new, resolved.name
    result = _replaced(model, changes)
    return (result, found) if report else result


def collapse_model(model: nn.Module) -> Any:
    """Replace every structured layer of a model, in place, by its plain equivalent.

    Weights and biases that are shared stay shared, frozen ones frozen, and layers in the mode they
    were in.

    Returns
    -------
    nn.Module
        The model; the plain layer if `model` was a structured one.

    Raises
    ------
    ValueError
        If a structured layer has hooks, which would be lost, or no plain equivalent. The model is
        then untouched.

    Examples
    --------
    >>> from torch import nn
    >>> from structnets.nn import GaussianConv2d, collapse_model
    >>> collapse_model(nn.Sequential(GaussianConv2d(1, 4, order=1), nn.ReLU()))[0]
    Conv2d(1, 4, kernel_size=(7, 7), stride=(1, 1), padding=(3, 3))
    """
    changes: dict[nn.Module, nn.Module] = {}
    tensors: dict[tuple[Any, ...], list[nn.Parameter]] = {}
    for path, layer in model.named_modules():
        if isinstance(layer, _HasPlainForm) and callable(layer.collapse):
            structured: nn.Module = model.get_submodule(path)
            _refuse_hooks(path, structured, "collapsing")
            changes[structured] = layer.collapse()
            _inherit(structured, changes[structured], tensors)
    return _replaced(model, changes)


def _inherit(
    layer: nn.Module, plain: nn.Module, tensors: dict[tuple[Any, ...], list[nn.Parameter]]
) -> None:
    """Freeze what was frozen, and share what was shared with a layer collapsed before."""
    own = dict(layer.named_parameters())
    bias = own.pop("bias", None)
    trained = any(p.requires_grad for p in own.values())
    for name, parameter in list(plain.named_parameters()):
        is_bias = name == "bias" and bias is not None
        parameter.requires_grad_(bias.requires_grad if is_bias and bias is not None else trained)
        sources = (id(bias),) if is_bias else (type(layer), *map(id, own.values()))
        equals = tensors.setdefault((name, *sources), [])
        same = next((p for p in equals if _equal(p, parameter)), None)
        if same is None:
            equals.append(parameter)
        else:
            _set_parameter(plain, name, same)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and (one.is_meta or torch.equal(one, other))


def _set_parameter(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
    path, _, last = name.rpartition(".")
    setattr(module.get_submodule(path), last, parameter)


def _refuse_hooks(path: str, layer: nn.Module, doing: str) -> None:
    """Refuse a layer whose hooks would not be those of the layer that takes its place."""
    hooks = (
        *(layer._forward_hooks, layer._forward_pre_hooks),
        *(layer._backward_hooks, layer._backward_pre_hooks),
        *(p._backward_hooks for p in layer.parameters()),
        *(getattr(p, "_post_accumulate_grad_hooks", None) for p in layer.parameters()),
    )
    if any(hooks):
        raise ValueError(f"layer {path!r} has hooks: register them after {doing}")


def _convolutions(model: nn.Module) -> Iterator[tuple[str, _ConvNd]]:
    """Yield PyTorch's convolutions of any kind, each once."""
    for path, module in model.named_modules():
        if isinstance(module, _ConvNd):
            yield path, module


def _reason_to_leave(model: nn.Module, conv: _ConvNd) -> str | None:
    """Say why a convolution has no frame form here; None if it has."""
    if "weight" not in conv._parameters or type(conv).__name__.startswith("Parametrized"):
        return "its weight is computed from others"
    if type(conv) not in FRAME_FORMS:
        return f"{type(conv).__name__} is a subclass and may compute something else"
    if max(conv.kernel_size) == 1:
        return "its kernel is one pixel wide"
    for path, module in model.named_modules():
        shares = any(p is conv.weight for p in module._parameters.values())
        if shares and type(module) not in FRAME_FORMS:
            return f"its weight is also one of {path or type(module).__name__!r}"
    return None


def _replaced(model: nn.Module, changes: Mapping[nn.Module, nn.Module]) -> Any:
    """Put the new layers wherever the old ones are registered."""
    if model in changes:
        return changes[model]
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and child in changes:
                parent._modules[name] = changes[child]
    return model
