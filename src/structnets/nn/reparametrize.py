"""Turn the convolutions of any torch model into frame convolutions, and structured ones back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import nn

from structnets.bases.frames import Frame, frame_name
from structnets.nn.frame_conv import FrameConv2d, resolve_frame

Model = TypeVar("Model", bound=nn.Module)


@runtime_checkable
class _HasPlainForm(Protocol):
    def collapse(self) -> nn.Module: ...


def reparametrize(
    model: Model, frame: str | Frame = "gaussian", *, keep_unspanned: bool = False
) -> Model | FrameConv2d:
    """Replace the convolutions of a model by frame convolutions of the same function.

    Every ``nn.Conv2d`` wider than 1 x 1 is replaced, in place; one of a subclass is not, since it
    may compute something else, nor one whose weight is itself computed (``weight_norm``). Layers
    and weights that are shared stay shared. Optimisers hold the old weights: make them
    afterwards.

    Parameters
    ----------
    model : nn.Module
        Any model; or a single ``nn.Conv2d``.
    frame : str or Frame
        As in `FrameConv2d`. ``image`` alternates Gaussian derivatives and framelets over the
        convolutions in the order of ``model.modules()`` (Table 6).
    keep_unspanned : bool
        Leave convolutions as they are whose kernels the frame cannot span, or of another size
        than the given `Frame`, instead of refusing.

    Returns
    -------
    nn.Module
        The model; the new layer if `model` was a convolution.

    Raises
    ------
    ValueError
        If the frame is unknown or cannot express a convolution, or one has hooks, which would be
        lost. The model is then untouched.
    """
    changes: dict[nn.Module, FrameConv2d] = {}
    shared: dict[tuple[int, str], FrameConv2d] = {}
    for layer, (path, conv) in enumerate(_convolutions(model)):
        chosen = frame if isinstance(frame, Frame) else frame_name(frame, layer)
        if conv._forward_hooks or conv._forward_pre_hooks or conv._backward_hooks:
            raise ValueError(f"layer {path!r} has hooks: register them after reparametrizing")
        try:
            found = resolve_frame(chosen, (conv.kernel_size[0], conv.kernel_size[1]))
            if not found.spans:
                raise ValueError(f"frame {found.name!r} does not span")
        except ValueError as error:
            if keep_unspanned:
                continue
            raise ValueError(
                f"layer {path!r}: {error}; or keep_unspanned=True leaves such layers in pixels"
            ) from error
        changes[conv] = FrameConv2d.from_conv(conv, found)
        first = shared.setdefault((id(conv.weight), found.name), changes[conv])
        changes[conv].coefficients = first.coefficients
    return _replaced(model, changes)


def collapse_model(model: Model) -> Model | nn.Module:
    """Replace every structured layer of a model, in place, by its plain equivalent.

    Returns
    -------
    nn.Module
        The model; the plain layer if `model` was a structured one.
    """
    changes: dict[nn.Module, nn.Module] = {}
    for layer in model.modules():
        if isinstance(layer, _HasPlainForm):
            changes[layer] = layer.collapse()
    return _replaced(model, changes)


def _convolutions(model: nn.Module) -> Iterator[tuple[str, nn.Conv2d]]:
    """Yield the plain convolutions wider than a pixel, each once."""
    for path, module in model.named_modules():
        if not isinstance(module, nn.Conv2d) or type(module) is not nn.Conv2d:
            continue
        if "weight" in module._parameters and module.kernel_size != (1, 1):
            yield path, module


def _replaced(model: nn.Module, changes: Mapping[nn.Module, nn.Module]) -> Any:
    """Put the new layers wherever the old ones are registered."""
    if model in changes:
        return changes[model]
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and child in changes:
                parent._modules[name] = changes[child]
    return model
