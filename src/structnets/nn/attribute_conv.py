"""`AttributeConv`: convolution along space and two attributes with full 4-D filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from structnets.nn._attribute_axes import AttributeAxes, Pair, check_geometry
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._fused_convolution import Fused
from structnets.nn._hierarchical_cost import COLLAPSED, HierarchicalWork, cheapest_way
from structnets.nn._hierarchical_evaluation import Geometry, filter_4d, plain_4d
from structnets.nn._modes import LOW, as_autocast, needs_plain_operations, without_autocast
from structnets.nn._scripting import scripted_form


def marginal(x: Tensor, reduction: str) -> Tensor:
    """Sum (or average) the outgoing attribute away.

    Parameters
    ----------
    x : Tensor, shape (N, U1, U2, V_o, V_a, V_b)
        Input; without V_o where there is no attribute to sum, which is returned as it is.
    reduction : {'sum', 'mean'}
        What to do.

    Returns
    -------
    Tensor, shape (N, U1, U2, V_a, V_b)
        Marginal.

    Raises
    ------
    ValueError
        For any other number of axes.
    """
    if x.ndim == 5:
        return x
    if x.ndim != 6:
        raise ValueError(
            "input must have shape (N, U1, U2, V_a, V_b) or, with the outgoing attribute before "
            f"the other two, (N, U1, U2, V_o, V_a, V_b); got {tuple(x.shape)}"
        )
    return x.sum(3) if reduction == "sum" else x.mean(3)


class AttributeConv(nn.Module):
    """A convolution along (u1, u2, v_{j-2}, v_{j-1}), subsampled (Eq. 33, 35).

    With a first attribute of one value and support 1 it is the second layer, j = 2, along
    (u, v_1). `HierarchicalConv.collapse` makes one too.

    Parameters
    ----------
    values : int
        Of the new attribute: the number of filters.
    support : pair of int
        Odd support along (v_{j-2}, v_{j-1}).
    kernel_size : int
        Odd spatial support.
    stride : int
        Spatial subsampling.
    subsampling : pair of int
        Of the two attributes.
    padding : {'zeros', 'circular'}
        Beyond image and attribute axes; 'same' sizes.
    reduction : {'sum', 'mean'}
        Marginal over the outgoing attribute.
    constant : bool
        Also filter ones in place of the input: an additive term that is less where the support
        sticks out into zeros, as folded normalisation gives.

    Attributes
    ----------
    weight : Parameter, shape (values, kernel_size, kernel_size) + support
        The filters.
    constant : Parameter or None, shape (values,) + support
        What meets the ones.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Limits
    ------
    Traced and under functional transforms the layer is evaluated by PyTorch's own convolutions,
    whose inner array is kept: slower, and equal to rounding.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import AttributeConv
    >>> layer = AttributeConv(4, support=(1, 5))
    >>> layer(torch.zeros(2, 8, 8, 1, 6)).shape  # images, space, attributes
    torch.Size([2, 8, 8, 1, 3, 4])
    """

    def __init__(
        self,
        values: int,
        support: Pair = (7, 11),
        kernel_size: int = 3,
        stride: int = 1,
        subsampling: Pair = (2, 2),
        padding: str = "zeros",
        reduction: str = "sum",
        constant: bool = False,
    ) -> None:
        super().__init__()
        check_geometry(values, support, kernel_size, stride, subsampling, padding, reduction)
        self.support: Pair = (support[0], support[1])
        self.kernel_size, self.stride = kernel_size, stride
        self.subsampling: Pair = (subsampling[0], subsampling[1])
        self.padding, self.reduction = padding, reduction
        self.weight = nn.Parameter(torch.empty(values, kernel_size, kernel_size, *support))
        self.constant = nn.Parameter(torch.zeros(values, *support)) if constant else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the filters from N(0, 0.05^2); zero the constant."""
        nn.init.normal_(self.weight, std=0.05)
        if self.constant is not None:
            nn.init.zeros_(self.constant)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve arrays (N, U1, U2, V_o, V_a, V_b) or (N, U1, U2, V_a, V_b).

        Returns
        -------
        Tensor, shape (N, U1', U2', V_a', V_b', values)
            Output; a size n becomes ceil(n / step).
        """
        check_tensors(self, x, self.weight)
        x = marginal(x, self.reduction)
        axes = AttributeAxes((x.shape[3], x.shape[4]), self.support, self.subsampling, self.padding)
        geometry = Geometry(axes, self.kernel_size, self.stride)
        # The chosen way may recompute patches outside of autocast's reach.
        with without_autocast(x.device.type):
            exact = torch.float32 if self.weight.dtype in LOW else self.weight.dtype
            weight = self.weight.flatten(1, 2).to(exact)
            constant = None if self.constant is None else self.constant.to(exact)
            evaluate = plain_4d if needs_plain_operations(x) else self._fused
            out = evaluate(x.to(exact), weight, constant, geometry)
        return as_autocast(out.to(self.weight.dtype))

    def _fused(
        self, x: Tensor, weight: Tensor, constant: Tensor | None, geometry: Geometry
    ) -> Tensor:
        padded, patches = geometry.pad(x)
        work = HierarchicalWork(
            places=patches.count // patches.shape[3],
            taps=self.kernel_size**2,
            terms=self.kernel_size**2,
            values=len(self.weight),
            axes=geometry.axes,
            activation=False,
            training=torch.is_grad_enabled(),
            single=x.dtype == torch.float32,
        )
        product = cheapest_way(work, x.device.type, COLLAPSED).rpartition("-")[2]
        way = Fused(patches, geometry.axes, product, activation=False)
        return filter_4d(padded, weight, constant, way)

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{len(self.weight)}, support={self.support}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, subsampling={self.subsampling}, padding={self.padding}, "
            f"reduction={self.reduction}, constant={self.constant is not None}"
        )
