"""Hierarchical attribute CNNs (thesis chapter 5, Tables 7 and 8, Figure 13).

x_1(u, v_1) and x_2(u, v_1, v_2) come from Eq. 32 and 33; from j = 3 on, every layer is an array
(u1, u2, v_{j-2}, v_{j-1}, v_j) of K/4, K/2 and K attribute values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._attribute_axes import PADDINGS
from structnets.nn._hierarchical_evaluation import pad_maps
from structnets.nn.attribute_conv import AttributeConv
from structnets.nn.hierarchical_block import HierarchicalBlock, NewestNorm
from structnets.nn.hierarchical_conv import HierarchicalConv

READINGS = ("paper", "released")
FIRST_SUPPORT = 11  # of w_{v_2} along v_1, on both CIFAR sets
EPS = 1e-3  # the released code's, of all normalisations


class FirstLayer(nn.Module):
    """x_1(u, v_1) from images (Eq. 32)."""

    def __init__(
        self, in_channels: int, values: int, padding: str, affine: bool, momentum: float
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, values, 3, bias=False)
        self.padding = padding
        nn.init.normal_(self.conv.weight, std=0.05)
        self.norm = NewestNorm(values, EPS, momentum, affine)

    def forward(self, images: Tensor) -> Tensor:
        """Take images (N, C, U1, U2) to x_1 (N, U1, U2, V_1)."""
        maps = self.conv(pad_maps(images, (1, 1), self.padding))
        return functional.elu(self.norm(maps.permute(0, 2, 3, 1)))


class SecondLayer(nn.Module):
    """x_2(u, v_1, v_2), subsampled along v_1 (Eq. 33)."""

    def __init__(self, values: int, padding: str, affine: bool, momentum: float) -> None:
        super().__init__()
        self.conv = AttributeConv(values, (1, FIRST_SUPPORT), subsampling=(1, 2), padding=padding)
        self.norm = NewestNorm(values, EPS, momentum, affine)

    def forward(self, x: Tensor) -> Tensor:
        """Take x_1 (N, U1, U2, V_1) to x_2 (N, U1, U2, V_1', V_2)."""
        return functional.elu(self.norm(self.conv(x.unsqueeze(3)))).squeeze(3)


class ClassMean(nn.Module):
    """The last operator (Eq. 36): x_J(v_{J-1}) is the sum over everything else, taken as a mean.

    The arrays are normalised, so that their sum over thousands of places saturates the softmax:
    with it, or with it divided by the root of their number, trainings start far above chance loss
    and hardly learn in hundreds of steps.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Take x_{J-1} (N, U1, U2, V_{J-3}, V_{J-2}, classes) to logits (N, classes)."""
        return x.flatten(1, -2).mean(1)


class MeanHead(nn.Module):
    """The released code's last operator: the mean over all but v_{J-1}, then a linear layer."""

    def __init__(self, values: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(values, num_classes)
        nn.init.normal_(self.linear.weight, std=0.05)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Take x_{J-1} (N, U1, U2, V_{J-3}, V_{J-2}, V_{J-1}) to logits (N, classes)."""
        return self.linear(x.flatten(1, -2).mean(1))


class HCNN(nn.Module):
    """A cascade of attribute convolutions.

    Parameters
    ----------
    layers : sequence of modules
        W_1 to W_{J-1}, normalisation and ELU included.
    head : module
        From x_{J-1} to logits.
    in_channels : int
        Of the images.
    """

    def __init__(self, layers: Sequence[nn.Module], head: nn.Module, in_channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.head = head
        self.in_channels = in_channels

    def arrays(self, images: Tensor) -> Iterator[Tensor]:
        """Yield x_1, x_2, ..., x_{J-1}; the first two lack two attributes and one.

        Raises
        ------
        ValueError
            If the images have another number of channels or axes.
        """
        if images.ndim != 4 or images.shape[1] != self.in_channels:
            raise ValueError(
                f"images must have shape (N, {self.in_channels}, U1, U2), got {tuple(images.shape)}"
            )
        x = images
        for layer in self.layers:
            x = layer(x)
            yield x

    def classify_from(self, array: Tensor, depth: int) -> Tensor:
        """Return the logits (N, classes) that x_depth leads to.

        Raises
        ------
        ValueError
            If there is no array of this depth.
        """
        if not 1 <= depth <= len(self.layers):
            raise ValueError(f"depth must be from 1 to {len(self.layers)}, got {depth}")
        for layer in list(self.layers)[depth:]:
            array = layer(array)
        return self.head(array)

    def forward_features(self, images: Tensor) -> Tensor:
        """Return what the classes are computed from.

        Returns
        -------
        Tensor, shape (N, K), or (N, U1, U2, V_{J-4}, V_{J-3}, V_{J-2})
            The mean over all but v_{J-1} in the released reading; in the paper's, whose last
            attribute is the class, the array before it.
        """
        if isinstance(self.head, MeanHead):
            *_, last = self.arrays(images)
            return last.flatten(1, -2).mean(1)
        *_, before, _ = self.arrays(images)
        return before

    def without_classes(self) -> None:
        """Leave out what computes the classes, in place: the net gives means (N, K) of arrays."""
        if not isinstance(self.head, MeanHead):
            self.layers = self.layers[:-1]
        self.head = ClassMean()

    def forward(self, images: Tensor) -> Tensor:
        """Classify images (N, C, U1, U2) of any size; returns logits (N, classes)."""
        *_, last = self.arrays(images)
        return self.head(last)


def hcnn(
    num_classes: int = 10,
    in_channels: int = 3,
    values: int = 16,
    terms: int = 32,
    activation: bool = False,
    support: Sequence[int] | None = None,
    depth: int = 12,
    downsampling: Sequence[int] = (4, 8),
    padding: str = "zeros",
    reading: str = "paper",
    reduction: str | None = None,
    affine: bool | None = None,
    momentum: float = 0.01,
    residual: bool = False,
    way: str = "auto",
) -> HCNN:
    """Build a hierarchical attribute CNN.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the images.
    values : int
        Values that an attribute takes, K; a multiple of 4.
    terms : int
        Terms of the factorisation of Eq. 37, Q.
    activation : bool
        The (+) variant: an ELU between the factors.
    support : pair of int, optional
        Of g along (v_{j-2}, v_{j-1}): by default 7 x 11 up to ten classes and 11 x 11 beyond, as
        on CIFAR-10 and CIFAR-100.
    depth : int
        J, at least 4; the head is W_J.
    downsampling : sequence of int
        Depths j >= 3 at which space is halved. The released code's 4 and 8; the thesis says 5 and
        9, which counts the input as depth 1.
    padding : {'zeros', 'circular'}
        Of all convolutions; the analysis of section 5.5.3 uses circular.
    reading : {'paper', 'released'}
        ``paper``: the last layer's new attribute is the class, and Eq. 36 averages the rest.
        ``released``: it has K values, and a mean and a linear layer follow.
    reduction : {'sum', 'mean'}, optional
        Marginal over the outgoing attribute; by default as the reading has it.
    affine : bool, optional
        Learn scale and shift in normalisations; by default as the reading has it. The thesis'
        formula and counts have none, the released code does.
    momentum : float
        Of the normalisations' running statistics, as in ``nn.BatchNorm2d``. The released code's
        0.01 averages over hundreds of steps: a run of few steps needs more.
    residual : bool
        Add covariant shortcuts to layers j >= 4 that do not output classes (ours).
    way : str
        How the layers are evaluated, see `HierarchicalConv`.

    Returns
    -------
    HCNN
        In the paper reading, 97,650 weights collapsed (250,308 for 100 classes), and 344,640
        (887,424) trained, in both variants.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    _check(num_classes, values, terms, depth, downsampling, padding, reading)
    released = reading == "released"
    affine = released if affine is None else affine
    reduction = reduction or ("mean" if released else "sum")
    first, second = support or ((7, 11) if num_classes <= 10 else (11, 11))
    layers: list[nn.Module] = [
        FirstLayer(in_channels, values, padding, affine, momentum),
        SecondLayer(values, padding, affine, momentum),
    ]
    for j in range(3, depth):
        is_class = j == depth - 1 and not released
        conv = HierarchicalConv(
            num_classes if is_class else values,
            terms,
            (first, second),
            stride=2 if j in downsampling else 1,
            padding=padding,
            reduction=reduction,
            activation=activation,
            affine=affine,
            eps=EPS,
            momentum=momentum,
            way=way,
        )
        conv.axes((values // 2, values))  # refuses supports that do not fit, before training
        layers.append(HierarchicalBlock(conv, affine, residual and j > 3 and not is_class))
    head = MeanHead(values, num_classes) if released else ClassMean()
    return HCNN(layers, head, in_channels)


def _check(
    num_classes: int,
    values: int,
    terms: int,
    depth: int,
    downsampling: Sequence[int],
    padding: str,
    reading: str,
) -> None:
    """Refuse arguments out of range."""
    if values < 4 or values % 4:
        raise ValueError(
            f"values (K) must be a positive multiple of 4, as arrays have K/4, K/2 and K attribute "
            f"values; got {values}"
        )
    for name, value, least in (
        ("num_classes", num_classes, 1),
        ("terms (Q)", terms, 1),
        ("depth (J)", depth, 4),
    ):
        if value < least:
            raise ValueError(f"{name} must be >= {least}, got {value}")
    if not set(downsampling) <= set(range(3, depth)):
        raise ValueError(
            f"downsampling must name depths from 3 to {depth - 1}, got {list(downsampling)}"
        )
    for name, value, allowed in (("padding", padding, PADDINGS), ("reading", reading, READINGS)):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
