"""Hierarchical attribute CNNs by the letter of section 5.4: one norm a layer, and a sum of classes.

The released code normalises twice in every layer, behind h and behind g, and takes means. The
text normalises what h gives, before the sum over q, and nothing else (section 5.4.2); and its last
operator is a sum (Eq. 36).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from structnets.models.hcnn import HCNN, FirstLayer, SecondLayer, hcnn
from structnets.nn.hierarchical_block import HierarchicalBlock

NORMS = ("between", "both")
CLASSES = ("mean", "sum")


class ClassSum(nn.Module):
    """The last operator (Eq. 36): x_J(v_{J-1}) is the sum of x_{J-1} over everything else."""

    def forward(self, x: Tensor) -> Tensor:
        """Take x_{J-1} (N, U1, U2, V_{J-3}, V_{J-2}, classes) to logits (N, classes)."""
        return x.flatten(1, -2).sum(1)


def hcnn_text(
    num_classes: int = 10,
    in_channels: int = 3,
    image_size: int = 32,
    values: int = 16,
    terms: int = 32,
    activation: bool = False,
    support: Sequence[int] | None = None,
    depth: int = 12,
    downsampling: Sequence[int] = (4, 8),
    padding: str = "zeros",
    norms: str = "between",
    classes: str = "mean",
    momentum: float = 0.01,
    way: str = "auto",
) -> HCNN:
    """Build a hierarchical attribute CNN as the text has it.

    Parameters
    ----------
    num_classes, in_channels, image_size : int
        Outputs, channels and width of the images.
    values, terms, activation, support, depth, downsampling, padding, momentum, way
        See `structnets.models.hcnn.hcnn`.
    norms : {'between', 'both'}
        ``between``: of what h gives alone, which the text has. ``both``: of what g gives, too, as
        in the released code.
    classes : {'mean', 'sum'}
        The last operator. With the sum, as Eq. 36 has it, the class layer's weights begin
        divided by the number of places that are added up, so that classes begin alike.

    Returns
    -------
    HCNN
        97,650 weights collapsed on CIFAR-10, as the thesis counts.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    for name, value, allowed in (("norms", norms, NORMS), ("classes", classes, CLASSES)):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    model = hcnn(
        num_classes,
        in_channels,
        values,
        terms,
        activation,
        support,
        depth,
        downsampling,
        padding,
        momentum=momentum,
        way=way,
    )
    if norms == "between":
        for layer in model.layers:
            assert isinstance(layer, FirstLayer | SecondLayer | HierarchicalBlock)
            layer.norm = nn.Identity()  # type: ignore[assignment]
    if classes == "sum":
        model.head = ClassSum()
        last = model.layers[-1]
        assert isinstance(last, HierarchicalBlock)
        side = math.ceil(image_size / 2 ** len(downsampling))
        with torch.no_grad():
            last.conv.attribute.div_(side**2 * (values // 4) * (values // 2))
    return model
