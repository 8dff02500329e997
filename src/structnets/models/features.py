"""What a classifier sees: the input of its last layer, for any of the models.

A model whose classes are not made by one layer at its end has methods ``forward_features`` and
``without_classes`` of its own; one without weights gives features as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_LAYERS = (nn.Linear, nn.Conv2d, nn.Conv3d)


def classifier_of(model: nn.Module) -> str:
    """Return the name of the layer that turns features into classes: the last one with weights.

    Raises
    ------
    ValueError
        If the last layer with weights is none that could be left out.
    """
    last = ""
    for name, module in model.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            last = name
    layer = model.get_submodule(last)
    if not last or type(layer) not in _LAYERS:
        raise ValueError(
            f"{type(model).__name__} ends in {type(layer).__name__}, not in a layer of classes "
            "that can be left out: take the features from a hook on the layer you want"
        )
    return last


def without_classes(model: nn.Module) -> nn.Module:
    """Replace the layer of classes by the identity, in place: the model gives features.

    Raises
    ------
    ValueError
        As `classifier_of`, or if the model has no features apart from its classes.
    """
    own = getattr(model, "without_classes", None)
    if callable(own):
        own()
        return model
    if not any(True for _ in model.parameters()):
        return model
    path, _, last = classifier_of(model).rpartition(".")
    setattr(model.get_submodule(path), last, nn.Identity())
    return model


def forward_features(model: nn.Module, x: Tensor) -> Tensor:
    """Return what a model's layer of classes is given, once for an input.

    Parameters
    ----------
    model : nn.Module
        With its classes; one made by ``create_model(name, num_classes=0)`` is simply called.
    x : Tensor
        Its input.

    Returns
    -------
    Tensor, shape (B, D), or maps where the classes are a 1 x 1 convolution's
        Of an HCNN whose last attribute is the class: the array before it.

    Raises
    ------
    ValueError
        As `without_classes`.

    Examples
    --------
    >>> import torch
    >>> from structnets.models import create_model, forward_features
    >>> forward_features(create_model("resnet20"), torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 64])
    """
    own: Any = getattr(model, "forward_features", None)
    if own is not None:
        return own(x)
    if not any(True for _ in model.parameters()):
        return model(x)
    seen: list[Tensor] = []
    layer = model.get_submodule(classifier_of(model))
    hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        model(x)
    finally:
        hook.remove()
    return torch.cat(seen) if len(seen) > 1 else seen[0]
