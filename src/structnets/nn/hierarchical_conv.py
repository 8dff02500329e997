"""`HierarchicalConv`: convolutions along space and ordered attributes (thesis chapter 5).

Arrays have the shape (N, U1, U2, V_{j-2}, V_{j-1}, V_j): images, space, then the attributes from
the oldest to the newest. A layer sums the oldest one away, filters and subsamples the other two,
and appends a new one, whose values number its filters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from structnets.nn._attribute_axes import AttributeAxes, Pair, check_geometry
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._chosen_ways import ChoosesWays
from structnets.nn._folded_norm import FoldedNorm, fold_running
from structnets.nn._hierarchical_cost import COLLAPSED, WAYS, HierarchicalWork, cheapest_way
from structnets.nn._hierarchical_evaluation import (
    Factors,
    Geometry,
    collapsed,
    compose,
    fused,
    plain,
)
from structnets.nn._modes import LOW, as_autocast, needs_plain_operations, without_autocast
from structnets.nn._scripting import scripted_form
from structnets.nn.attribute_conv import AttributeConv, marginal


class HierarchicalConv(ChoosesWays):
    r"""The factorised operator :math:`W^g_j W^h_j` of Eq. 37, subsampled.

    The marginal over the outgoing attribute is filtered along space with Q filters h (shared by
    all attribute values), each response is normalised over the batch, then filtered along both
    attributes with g and summed over Q:
    :math:`\sum_q \tilde x_q \star g_{v_j, q}(2^{s_j} u, 2 v_{j-2}, 2 v_{j-1})`.

    Parameters
    ----------
    values : int
        Of the new attribute: K, or the classes in the last layer.
    terms : int
        Terms of the factorisation, Q. More than size^2 of them overparametrise on purpose.
    support : pair of int
        Odd support of g along (v_{j-2}, v_{j-1}); may exceed the axes under zero padding.
    kernel_size : int
        Odd spatial support of h.
    stride : int
        Spatial subsampling, 2^{s_j}.
    subsampling : pair of int
        Of the two attributes.
    padding : {'zeros', 'circular'}
        Beyond image and attribute axes; 'same' sizes.
    reduction : {'sum', 'mean'}
        Marginal over the outgoing attribute.
    activation : bool
        The (+) variant: ELU between h and g, so that no 4-D filters equal the layer.
    affine : bool
        Let the normalisation learn a scale and a shift per term; Eq. 37 has none.
    eps, momentum : float
        Of the normalisation (as in ``nn.BatchNorm2d``); the released code's by default.
    way : str
        How to evaluate: ``auto`` (by a cost model, per shape) or one of
        `structnets.nn._hierarchical_cost.WAYS`. All agree to rounding.

    Attributes
    ----------
    spatial : Parameter, shape (terms, kernel_size, kernel_size)
        The filters h.
    attribute : Parameter, shape (values, terms) + support
        The filters g.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Limits
    ------
    Traced, on the meta device and under functional transforms the layer is evaluated as ``plain``,
    whatever `way` says. With one value in float64 on a CPU, ways that end in ``conv`` have no
    second derivatives. Training needs more than one patch, and refuses an empty batch.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import HierarchicalConv
    >>> layer = HierarchicalConv(values=4, terms=8, support=(3, 5))
    >>> x = torch.randn(2, 8, 8, 3, 4, 6)  # images, space, three attributes, oldest first
    >>> layer(x).shape
    torch.Size([2, 8, 8, 2, 3, 4])
    >>> layer.eval().collapse().kernel_size
    3
    """

    ways = WAYS

    def __init__(
        self,
        values: int,
        terms: int,
        support: Pair = (7, 11),
        kernel_size: int = 3,
        stride: int = 1,
        subsampling: Pair = (2, 2),
        padding: str = "zeros",
        reduction: str = "sum",
        activation: bool = False,
        affine: bool = False,
        eps: float = 1e-3,
        momentum: float = 0.01,
        way: str = "auto",
    ) -> None:
        super().__init__()
        check_geometry(values, support, kernel_size, stride, subsampling, padding, reduction)
        if terms < 1:
            raise ValueError(f"terms must be >= 1, got {terms}")
        _check_way(way, activation, padding)
        self.support: Pair = (support[0], support[1])
        self.subsampling: Pair = (subsampling[0], subsampling[1])
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.reduction, self.activation = padding, reduction, activation
        self.way = way
        self.plan: dict[str, str] = {}
        self.spatial = nn.Parameter(torch.empty(terms, kernel_size, kernel_size))
        self.attribute = nn.Parameter(torch.empty(values, terms, *support))
        self.norm = FoldedNorm(terms, eps, momentum, affine)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all filters from N(0, 0.05^2), as the released code does."""
        nn.init.normal_(self.spatial, std=0.05)
        nn.init.normal_(self.attribute, std=0.05)
        self.norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor, shape (N, U1, U2, V_{j-3}, V_{j-2}, V_{j-1})
            Input; without V_{j-3} where there is no attribute to sum (j = 3).

        Returns
        -------
        Tensor, shape (N, U1', U2', V_{j-2}', V_{j-1}', values)
            Output; a size n becomes ceil(n / step).
        """
        check_tensors(self, x, self.spatial, self.attribute)
        x = marginal(x, self.reduction)
        way, _, product = self.way_for(x).partition("-")
        geometry = self._geometry(x)
        if way == "plain":
            factors = Factors(self.spatial, self.norm, self.activation, self.attribute)
            return plain(x, factors, geometry)
        evaluate = {"fused": fused, "collapsed": collapsed}[way]
        # Moments and folding overflow half precision, so autocast stays out.
        with without_autocast(x.device.type):
            exact = torch.float32 if self.spatial.dtype in LOW else self.spatial.dtype
            spatial, attribute = self.spatial.to(exact), self.attribute.to(exact)
            factors = Factors(spatial, self.norm, self.activation, attribute)
            out = evaluate(x.to(exact), factors, geometry, product)
        return as_autocast(out.to(self.spatial.dtype))

    def _geometry(self, x: Tensor) -> Geometry:
        return Geometry(self.axes((x.shape[3], x.shape[4])), self.kernel_size, self.stride)

    def axes(self, sizes: Pair) -> AttributeAxes:
        """Return the geometry for incoming attributes of these sizes; checks that they fit."""
        return AttributeAxes(sizes, self.support, self.subsampling, self.padding)

    def way_for(self, x: Tensor) -> str:
        """Return how an input (N, U1, U2, V_a, V_b) is evaluated; ``plan`` keeps the choice."""
        if needs_plain_operations(x) or x.is_meta or not isinstance(self.norm, FoldedNorm):
            return "plain"
        if self.way != "auto":
            return self.way
        training = torch.is_grad_enabled() and self.attribute.requires_grad
        key = f"{tuple(x.shape)} {x.dtype} {x.device.type} {int(training)}"
        return self.choose(key, lambda: cheapest_way(self.work(x, training), x.device.type))

    def work(self, x: Tensor, training: bool = True) -> HierarchicalWork:
        """Return the sizes the cost model needs for an input like `x`, (N, U1, U2, V_a, V_b)."""
        height, width = (-(-n // self.stride) for n in x.shape[1:3])
        return HierarchicalWork(
            places=x.shape[0] * height * width,
            taps=self.kernel_size**2,
            terms=self.spatial.shape[0],
            values=self.attribute.shape[0],
            axes=self.axes((x.shape[3], x.shape[4])),
            activation=self.activation,
            training=training,
            single=self.attribute.dtype == torch.float32,
        )

    def kernel(self) -> Tensor:
        """Return the effective 4-D filters, shape (K, size, size, a, b), from running statistics.

        Raises
        ------
        ValueError
            For the (+) variant, which no linear filters equal.
        """
        weight = self._composed()[0]
        return weight.unflatten(1, (self.kernel_size, self.kernel_size))

    def collapse(self) -> AttributeConv:
        """Return an equivalent layer of 4-D filters, from running statistics; detached.

        Raises
        ------
        ValueError
            For the (+) variant.
        """
        weight, constant = (part.detach() for part in self._composed())
        layer = AttributeConv(
            len(weight),
            self.support,
            self.kernel_size,
            self.stride,
            self.subsampling,
            self.padding,
            self.reduction,
            constant=True,
        ).to(weight)
        with torch.no_grad():
            layer.weight.copy_(weight.view_as(layer.weight))
            layer.get_parameter("constant").copy_(constant)
        return layer.train(self.training)

    def _composed(self) -> tuple[Tensor, Tensor]:
        if self.activation:
            raise ValueError("activation=True puts an ELU between h and g: no 4-D filters equal it")
        filters, shift = fold_running(self.norm, self.spatial.flatten(1))
        return compose(filters, shift, self.attribute)

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def collapsed_parameters(self) -> int:
        """Count the weights of the 4-D filters; those trained, for the (+) variant.

        What normalisation adds is not counted, nor does the thesis.
        """
        if self.activation:
            return sum(p.numel() for p in self.parameters() if p.requires_grad)
        return self.kernel_size**2 * self.attribute.shape[0] * self.attribute[0, 0].numel()

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        values, terms = self.attribute.shape[:2]
        return (
            f"{values}, terms={terms}, support={self.support}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"subsampling={self.subsampling}, padding={self.padding}, "
            f"reduction={self.reduction}, activation={self.activation}, way={self.way}"
        )


def _check_way(way: str, activation: bool, padding: str) -> None:
    """Refuse unknown ways, and those that cannot evaluate the layer."""
    if way != "auto" and way not in WAYS:
        raise ValueError(f"way must be one of auto, {', '.join(WAYS)}; got {way!r}")
    if activation and way in COLLAPSED:
        raise ValueError(f"way {way!r} needs activation=False: an ELU lies between the factors")
    if padding == "circular" and way.endswith("conv"):
        raise ValueError(f"way {way!r} needs padding='zeros', got {padding!r}")
