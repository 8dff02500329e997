"""`DynamicSteerableBlock`: filters that choose their pose at every pixel (section 4.3.1, Eq. 29).

    H(x) = F(Phi(x)) Phi(x) W

in four steps: 1) convolve with the frame, Phi(x); 2) estimate poses from it by a small network,
F; 3) turn pose variables into projections of the frame by its steering functions; 4) combine
the steered maps by a 1 x 1 convolution, W, the canonical features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.dilation import ScaleNodes
from structnets.bases.steering import CircularBasis
from structnets.nn._constants import ConstantBuffers
from structnets.nn._scripting import scripted_form
from structnets.nn._steering import interpolate_scales, pair_energies, polar_maps, rotate_maps
from structnets.nn.pose import DAMPING, Pose, PoseNetwork, angle_of

_NO_LENGTH = 1e-3  # added to a pair's energy under the root, which has no slope at 0


class DynamicSteerableBlock(ConstantBuffers):
    """A two-factor block on circular Gaussian derivatives, steered by rotation and scale.

    The atoms have unit norm at the middle scale.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    order : int
        Highest total order of the derivatives.
    orders : sequence of int, optional
        Keep these orders only; ``[1]`` with order 1 is the plain gradient.
    rotation, scale : bool
        What a pose varies. Rotation is exact; scale is interpolated, see `ScaleNodes`.
    sigmas : pair of float
        Smallest and largest scale in pixels; without `scale`, their geometric mean is used.
    nodes : int
        Scales convolved with, if scale varies: the worst relative error of the filters is 27, 5.5
        and 1.3 % at order 2 for 2, 3 and 4 nodes between 0.8 and 1.5.
    kernel_size : int, optional
        Odd support of the frame, by default 2 ceil(3 sigma) + 1 of its largest scale.
    poses : int, optional
        Poses per pixel; by default one for every input channel. Must divide `in_channels`.
    direction : bool
        The pose network gives a direction, whose angle is taken, and not the angle itself: ours.
    amplitude : bool
        A direction's length is taken too, as a factor of the steered maps: ours. Rotations alone
        keep the energy of the frame maps, so that an answer is never larger than they are, and
        only small where the angle is right to a few degrees.
    polar : bool
        The pose network also reads how strong every pair is and how it lies, whatever its sign
        (`structnets.nn._steering.polar_maps`): textures differ in these, and a small network of
        tanh units hardly learns squares. Ours.
    gauge : bool
        Every pair is also steered to its own angle (gauge coordinates), where it is its length,
        times a factor of either sign that is part of the pose: ours. Where a pose need not know
        the angle, an answer does not depend on how well it is estimated.
    steering : bool
        Apply the steering functions. Without them the pose network gives a gain (by tanh) for
        every atom directly, and `rotation` and `scale` have no meaning.
    units, pose_layers, context, dilation
        Of the `PoseNetwork`: its channels, convolutions, their width and dilation.
    bias : bool
        Of the 1 x 1 convolution.
    angle_damping : float
        Of `structnets.nn.pose.angle_of`: with 0 gradients are exact, and unbounded where a
        direction has no length.

    Limits
    ------
    Gradients through estimated directions are damped unless ``angle_damping=0``: numerical ones
    (``torch.autograd.gradcheck``) differ from them, and differentiating them again is refused,
    unless recorded as `structnets.nn.pose.angle_of` says. The pose network's batch norm makes
    outputs in training mode depend on the batch.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import DynamicSteerableBlock
    >>> block = DynamicSteerableBlock(3, 8, order=2)
    >>> maps, pose = block.with_pose(torch.randn(2, 3, 16, 16))
    >>> maps.shape, pose.angle.shape
    (torch.Size([2, 8, 16, 16]), torch.Size([2, 3, 16, 16]))
    """

    kernels: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        order: int = 2,
        orders: Sequence[int] | None = None,
        rotation: bool = True,
        scale: bool = True,
        sigmas: tuple[float, float] = (0.8, 1.5),
        nodes: int = 3,
        kernel_size: int | None = None,
        poses: int | None = None,
        direction: bool = True,
        amplitude: bool = False,
        polar: bool = False,
        gauge: bool = False,
        steering: bool = True,
        units: int = 16,
        pose_layers: int = 3,
        context: int = 3,
        dilation: int | Sequence[int] = 1,
        bias: bool = True,
        angle_damping: float = DAMPING,
    ) -> None:
        super().__init__()
        if angle_damping < 0:
            raise ValueError(f"angle_damping must be >= 0, got {angle_damping}")
        self.angle_damping = angle_damping
        poses = in_channels if poses is None else poses
        if poses < 1 or in_channels % poses:
            raise ValueError(f"poses must divide in_channels = {in_channels}, got {poses}")
        if steering and not (rotation or scale):
            raise ValueError("a steered block needs rotation or scale; got neither")
        scale = scale and steering
        if amplitude and not (steering and rotation and direction):
            raise ValueError("an amplitude is the length of a direction: it needs direction=True")
        if gauge and not steering:
            raise ValueError("gauge=True steers pairs to their own angle: it needs steering=True")
        self.in_channels, self.out_channels, self.poses = in_channels, out_channels, poses
        self.rotation, self.scale, self.steering = rotation and steering, scale, steering
        self.direction, self.amplitude = direction and self.rotation, amplitude
        self.polar, self.gauge = polar, gauge
        self.nodes = ScaleNodes.between(*sigmas, nodes if scale else 1)
        size = kernel_size or 2 * math.ceil(3 * self.nodes.sigmas[-1]) + 1
        kept = None if orders is None else tuple(orders)
        bases = [CircularBasis(order, sigma, size, kept) for sigma in self.nodes.sigmas]
        self.frequencies = bases[0].frequencies
        # Unit norm at the middle scale, as in `FrameConv2d`; one factor for all scales.
        norms = bases[len(bases) // 2].norms[:, None, None]
        self._atoms = np.stack([basis.kernels / norms for basis in bases])  # (S, M, K, K)
        self.register_constants()
        count = len(self.frequencies)
        pairs = sum(k > 0 for k in self.frequencies) // 2
        if (polar or gauge) and not pairs:
            raise ValueError(f"polar and gauge need atoms with an angle: order {order} has none")
        variables = sum([self.rotation, self.direction, gauge, scale]) if steering else count
        read, steered = count + 3 * pairs * polar, count + pairs * gauge
        self.pose_network = PoseNetwork(
            in_channels * read, variables * poses, units, pose_layers, context, dilation
        )
        self.features = nn.Conv2d(in_channels * steered, out_channels, 1, bias=bias)
        self.reset_parameters()

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the frame at every scale."""
        return {"kernels": self._atoms}

    def reset_parameters(self) -> None:
        """Draw the canonical features so that they have He et al.'s variance as filters."""
        self.restore_constants()
        nn.init.normal_(self.features.weight, std=math.sqrt(2 / self.features.in_channels))
        if self.features.bias is not None:
            nn.init.zeros_(self.features.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps (B, in_channels, H, W) to (B, out_channels, H, W)."""
        return self.with_pose(x)[0]

    def with_pose(self, x: Tensor) -> tuple[Tensor, Pose]:
        """Return the output and the poses it was made with."""
        frame = self.frame_maps(x)
        pose = self.estimate(frame)
        return self.combine(frame, pose), pose

    def combine(self, frame: Sequence[Tensor], pose: Pose) -> Tensor:
        """Return the output (B, out_channels, H, W) of frame maps in given poses."""
        return self.features(self.steer(frame, pose).flatten(1, 2))

    def frame_maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """Convolve with the frame; returns (B, C, atoms, H, W) for every scale."""
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"input must have shape (B, {self.in_channels}, H, W), got {tuple(x.shape)}"
            )
        maps = []
        for atoms in self.constant("kernels", self.features.weight):
            weight = atoms[:, None].repeat(self.in_channels, 1, 1, 1)
            padding = atoms.shape[-1] // 2
            found = functional.conv2d(x, weight, padding=padding, groups=self.in_channels)
            maps.append(found.unflatten(1, (self.in_channels, len(atoms))))
        return tuple(maps)

    def estimate(self, frame: Sequence[Tensor]) -> Pose:
        """Estimate poses from frame maps, read at the middle scale."""
        maps = frame[len(frame) // 2]
        read = [maps.flatten(1, 2)]
        if self.polar:
            read.append(polar_maps(maps, self.frequencies).flatten(1, 2))
        variables = self.pose_network(torch.cat(read, 1))
        if not self.steering:
            return Pose(gains=torch.tanh(variables).unflatten(1, (self.poses, -1)))
        angle = self._angle(variables) if self.rotation else None
        amplitude = self._length(variables) if self.amplitude else None
        after = self.poses * (self.rotation + self.direction)
        gauge = variables[:, after : after + self.poses] if self.gauge else None
        if not self.scale:
            return Pose(angle, amplitude=amplitude, gauge=gauge)
        smallest, largest = self.nodes.sigmas[0], self.nodes.sigmas[-1]
        # 1 - exp(-softplus(v)): the thesis' softplus, brought into the range of the nodes.
        inside = torch.sigmoid(variables[:, -self.poses :])
        sigma = smallest + (largest - smallest) * inside
        return Pose(angle, sigma, amplitude=amplitude, gauge=gauge)

    def _angle(self, variables: Tensor) -> Tensor:
        if self.direction:
            return angle_of(variables[:, : 2 * self.poses], self.angle_damping)
        return variables[:, : self.poses]

    def _length(self, variables: Tensor) -> Tensor:
        directions = variables[:, : 2 * self.poses].unflatten(1, (2, self.poses))
        return torch.linalg.vector_norm(directions, dim=1)

    def steer(self, frame: Sequence[Tensor], pose: Pose) -> Tensor:
        """Project frame maps by a pose.

        Returns
        -------
        Tensor, shape (B, C, atoms, H, W)
            With ``gauge``: (B, C, atoms + pairs, H, W), the lengths of the pairs last.
        """
        if pose.sigma is not None:
            maps = interpolate_scales(frame, pose.sigma, self.nodes.log_sigmas)
        else:
            maps = frame[0]
        lengths = None
        if pose.gauge is not None:
            energies = pair_energies(maps, self.frequencies)
            lengths = energies * torch.rsqrt(energies + _NO_LENGTH)
            lengths = self._scaled(lengths, pose.gauge[:, :, None])
        if pose.angle is not None:
            maps = rotate_maps(maps, pose.angle, self.frequencies)
        factors = pose.gains if pose.amplitude is None else pose.amplitude[:, :, None]
        if factors is not None:
            maps = self._scaled(maps, factors)
        return maps if lengths is None else torch.cat([maps, lengths], 2)

    def _scaled(self, maps: Tensor, factors: Tensor) -> Tensor:
        """Multiply maps (B, C, M, H, W) by factors (B, P, M or 1, H, W) of their pose."""
        return (maps.unflatten(1, (self.poses, -1)) * factors[:, :, None]).flatten(1, 2)

    def kernel(self, angle: float = 0.0, sigma: float | None = None) -> Tensor:
        """Return the features as filters in one pose, shape (O, I, K, K).

        Parameters
        ----------
        angle : float
            Radians; 0 for a block without rotation.
        sigma : float, optional
            Scale in pixels, from the smallest to the largest node; by default the middle node's.

        Raises
        ------
        ValueError
            If the block has no such pose, or gauge coordinates, which are no filters, or does not
            steer.
        """
        _check_pose(self, angle, sigma)
        nodes, like = self.nodes, self.kernels
        weights = nodes.weights(nodes.sigmas[len(nodes.sigmas) // 2] if sigma is None else sigma)
        atoms = torch.einsum("s,smkl->mkl", like.new_tensor(weights), like)
        constant = atoms.new_full((1, 1, *atoms.shape[1:]), angle)
        turned = rotate_maps(atoms[None, None], constant, self.frequencies)[0, 0]
        coefficients = self.features.weight.unflatten(1, (self.in_channels, -1))[..., 0, 0]
        return torch.einsum("oim,mkl->oikl", coefficients, turned)

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def extra_repr(self) -> str:
        """Describe the block in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, frequencies={self.frequencies}, "
            f"sigmas={self.nodes.sigmas}, kernel_size={self.kernels.shape[-1]}, "
            f"poses={self.poses}, rotation={self.rotation}, scale={self.scale}, "
            f"polar={self.polar}, gauge={self.gauge}, steering={self.steering}"
        )


def _check_pose(block: DynamicSteerableBlock, angle: float, sigma: float | None) -> None:
    """Refuse poses that the filters of a block never take."""
    if block.gauge:
        raise ValueError("the length of a pair is no filter: a block with gauge has no kernel")
    if not block.steering:
        raise ValueError(
            "without steering a pose is a gain of every atom, and no angle or scale has filters: "
            "kernel() needs a block with steering=True"
        )
    if angle != 0 and not block.rotation:
        raise ValueError(f"a block with rotation=False has filters of angle 0 alone, got {angle}")
    # A node that was asked for may have been rounded.
    if sigma is not None and not (
        block.nodes.sigmas[0] * (1 - 1e-9) <= sigma <= block.nodes.sigmas[-1] * (1 + 1e-9)
    ):
        raise ValueError(
            f"sigma must be from {block.nodes.sigmas[0]:.6g} to {block.nodes.sigmas[-1]:.6g}, what "
            f"a block interpolates (with scale=False one scale alone); got {sigma}"
        )
