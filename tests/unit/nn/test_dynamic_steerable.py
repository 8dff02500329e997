"""Dynamic steerable blocks: steering commutes with rotating, poses are read and regularised."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.counting import trained_parameters
from structnets.nn import DynamicSteerableBlock, Pose, StaticResBlock
from structnets.nn._steering import interpolate_scales, polar_maps, rotate_maps
from structnets.nn.pose import PoseNetwork, angle_of
from structnets.nn.residual import hidden_width


@pytest.fixture
def block() -> DynamicSteerableBlock:
    torch.manual_seed(0)
    return DynamicSteerableBlock(4, 3, order=3, kernel_size=7, poses=2).double()


def waves(x: Tensor, y: Tensor) -> Tensor:
    """A smooth image defined everywhere: what a rotated camera sees can be computed."""
    return torch.sin(0.5 * x + 0.2 * y) + torch.cos(0.3 * y - 0.1 * x + 1)


def seen(angle: float, size: int = 25) -> Tensor:
    """The image turned by an angle around the central pixel, shape (1, 1, size, size)."""
    line = torch.arange(size, dtype=torch.float64) - size // 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    c, s = math.cos(angle), math.sin(angle)
    return waves(c * x + s * y, -s * x + c * y)[None, None]


@pytest.mark.parametrize("angle", [0.3, 1.2, -2.0])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_rotate_then_steer_is_steer_then_rotate(order: int, angle: float) -> None:
    """At the centre: steered responses to the turned image are the responses to the image."""
    block = DynamicSteerableBlock(
        1, 1, order=order, scale=False, sigmas=(1.5, 1.5), kernel_size=25
    ).double()
    centre = (..., slice(12, 13), slice(12, 13))
    turned, straight = (block.frame_maps(seen(a))[0][centre] for a in (angle, 0.0))
    steered = block.steer([turned], Pose(angle=torch.full((1, 1, 1, 1), angle).double()))
    torch.testing.assert_close(steered, straight, rtol=0, atol=1e-6)
    assert not torch.allclose(turned, straight, atol=1e-3)


def test_quarter_turns_commute_exactly_on_whole_maps(block) -> None:
    x = torch.randn(2, 4, 12, 12, dtype=torch.float64)
    angle = torch.randn(2, 2, 12, 12, dtype=torch.float64)
    sigma = torch.full_like(angle, 1.1)
    straight = block.steer(block.frame_maps(x), Pose(angle, sigma))
    quarter = [torch.rot90(t, -1, (2, 3)) for t in (x, angle, sigma)]  # turns x towards y
    pose = Pose(quarter[1] + math.pi / 2, quarter[2])
    turned = block.steer(block.frame_maps(quarter[0]), pose)
    torch.testing.assert_close(turned, torch.rot90(straight, -1, (3, 4)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("angle", "sigma"), [(0.0, 1.2), (0.7, 0.9), (-2.0, 1.4)])
def test_a_constant_pose_is_a_convolution_with_the_posed_filters(block, angle, sigma) -> None:
    x = torch.randn(1, 4, 9, 8, dtype=torch.float64)
    constant = torch.ones(1, 2, 9, 8, dtype=torch.float64)
    maps = block.steer(block.frame_maps(x), Pose(angle * constant, sigma * constant))
    found = block.features(maps.flatten(1, 2))
    bias = block.features.bias
    expected = functional.conv2d(x, block.kernel(angle, sigma), bias, padding=3)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_gradients_of_rotation_against_numerical_ones() -> None:
    maps = torch.randn(1, 2, 6, 2, 3, dtype=torch.float64, requires_grad=True)
    angle = torch.randn(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    frequencies = (0, 0, 1, 1, 3, 3)
    assert torch.autograd.gradcheck(lambda m, a: rotate_maps(m, a, frequencies), (maps, angle))


def test_undamped_gradients_are_those_of_the_outputs_twice_too() -> None:
    block = DynamicSteerableBlock(1, 2, order=1, angle_damping=0).double().eval()
    images = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, images)
    assert torch.autograd.gradgradcheck(block, images)


def test_interpolation_at_a_node_is_that_node() -> None:
    maps = torch.randn(3, 1, 2, 4, 2, 2)
    log_sigmas = [math.log(s) for s in (0.8, 1.1, 1.5)]
    found = interpolate_scales(list(maps), torch.full((1, 1, 2, 2), 1.1), log_sigmas)
    torch.testing.assert_close(found, maps[1], rtol=1e-5, atol=1e-5)


def test_channels_that_share_a_pose_are_neighbours() -> None:
    """By hand: a quarter turn of the first two channels' gradient makes (gx, gy) (gy, -gx)."""
    maps = torch.tensor([1.0, 2.0]).expand(1, 4, 2).reshape(1, 4, 2, 1, 1)
    angle = torch.tensor([math.pi / 2, 0]).reshape(1, 2, 1, 1)
    found = rotate_maps(maps, angle, (1, 1)).reshape(4, 2)
    expected = torch.tensor([[2.0, -1], [2, -1], [1, 2], [1, 2]])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_angle_of_a_direction_is_its_arctangent_with_gradients_that_stay_finite() -> None:
    angles = torch.tensor([0.3, -2.5, math.pi]).reshape(1, 3, 1, 1)
    directions = 5 * torch.cat([torch.cos(angles), torch.sin(angles)], 1).requires_grad_()
    found = angle_of(directions)
    torch.testing.assert_close(torch.cos(found), torch.cos(angles))
    (gradient,) = torch.autograd.grad(found.sum(), directions)
    x, y = directions.chunk(2, 1)
    (expected,) = torch.autograd.grad(torch.atan2(y, x).sum(), directions)
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6)
    nothing = torch.zeros(1, 2, 1, 1, requires_grad=True)
    angle_of(nothing).sum().backward()
    assert nothing.grad is not None
    assert torch.equal(nothing.grad, torch.zeros_like(nothing))


def test_a_pose_with_amplitude_multiplies_the_gradient_by_its_direction() -> None:
    """As complex numbers, z' = z conj(u): linear in the direction u that the network gives."""
    block = DynamicSteerableBlock(2, 1, order=1, orders=(1,), scale=False, amplitude=True).double()
    block.eval()
    frame = block.frame_maps(torch.randn(1, 2, 9, 9, dtype=torch.float64))
    x, y = block.pose_network(frame[0].flatten(1, 2)).chunk(2, 1)
    pose = block.estimate(frame)
    assert (pose.amplitude >= 0).all()
    steered = block.steer(frame, pose)
    expected = torch.complex(*frame[0].unbind(2)) * torch.complex(x, -y)
    torch.testing.assert_close(torch.complex(*steered.unbind(2)), expected)


def test_gauge_coordinates_do_not_see_a_rotation() -> None:
    """The lengths that a pose scales stay when pairs turn; the steered maps do not."""
    torch.manual_seed(0)
    block = DynamicSteerableBlock(2, 1, order=2, amplitude=True, polar=True, gauge=True).double()
    frame = block.frame_maps(torch.randn(1, 2, 9, 9, dtype=torch.float64))
    angle = torch.randn(1, 2, 9, 9, dtype=torch.float64)
    turned = [rotate_maps(maps, angle, block.frequencies) for maps in frame]
    pose = block.estimate(frame)
    atoms, pairs = len(block.frequencies), 2
    steered, again = block.steer(frame, pose), block.steer(turned, pose)
    assert steered.shape == (1, 2, atoms + pairs, 9, 9)
    torch.testing.assert_close(again[:, :, atoms:], steered[:, :, atoms:])
    assert not torch.allclose(again[:, :, :atoms], steered[:, :, :atoms], atol=1e-3)


def test_polar_form_turns_by_twice_the_angle() -> None:
    """So that a half turn, a change of sign, leaves it alone."""
    torch.manual_seed(0)
    frequencies = (0, 1, 1, 2, 2)
    maps, angle = torch.randn(1, 1, 5, 2, 2).double(), torch.randn(1, 1, 2, 2).double()
    energies, cosines, sines = polar_maps(maps, frequencies).unflatten(2, (3, 2)).unbind(2)
    turned = polar_maps(rotate_maps(maps, angle, frequencies), frequencies)
    expected = torch.complex(cosines, sines) * torch.exp(
        -2j * angle[:, :, None] * torch.tensor([1.0, 2.0])[:, None, None]
    )
    torch.testing.assert_close(
        turned, torch.cat([energies, expected.real, expected.imag], 2), rtol=1e-9, atol=1e-12
    )


def test_polar_form_by_hand() -> None:
    """A pair (3, 4) has the energy 25 and, doubled, the direction (9 - 16, 24) / 25."""
    found = polar_maps(torch.tensor([3.0, 4.0]).reshape(1, 1, 2, 1, 1), (1, 1), floor=0.0)
    torch.testing.assert_close(found.flatten(), torch.tensor([math.log(25), -7 / 25, 24 / 25]))


def test_length_of_a_pair_by_hand() -> None:
    """A pair (3, 4) is 5 long, and a factor of -2 makes it -10."""
    block = DynamicSteerableBlock(1, 1, order=1, orders=(1,), scale=False, gauge=True)
    maps = torch.tensor([3.0, 4.0]).reshape(1, 1, 2, 1, 1)
    pose = Pose(gauge=torch.full((1, 1, 1, 1), -2.0))
    torch.testing.assert_close(
        block.steer([maps], pose).flatten(), torch.tensor([3.0, 4, -10]), rtol=1e-4, atol=0
    )


def test_poses_are_readable_and_in_range(block) -> None:
    out, pose = block.with_pose(torch.randn(2, 4, 8, 9, dtype=torch.float64))
    assert out.shape == (2, 3, 8, 9)
    assert pose.angle.shape == pose.sigma.shape == (2, 2, 8, 9)
    assert (pose.wrapped_angle.abs() <= math.pi).all()
    assert (pose.sigma > 0.8).all()
    assert (pose.sigma < 1.5).all()
    torch.testing.assert_close(torch.cos(pose.wrapped_angle), torch.cos(pose.angle))


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"direction": False}, {"rotation": False}, {"scale": False}),
        *({"steering": False}, {"amplitude": True}, {"context": 5, "dilation": 2}),
        *({"polar": True}, {"gauge": True}, {"gauge": True, "rotation": False}),
    ],
)
def test_every_part_of_a_block_learns(options: dict) -> None:
    torch.manual_seed(0)
    block = DynamicSteerableBlock(2, 3, **options)
    x = torch.randn(2, 2, 12, 12, requires_grad=True)
    out, pose = block.with_pose(x)
    (out.square().mean() + 0.1 * pose.roughness()).backward()
    gradients = [x.grad, *(p.grad for p in block.parameters())]
    assert all(g is not None and g.abs().sum() > 0 for g in gradients)
    assert (pose.gains is None) == options.get("steering", True)


def test_mixed_precision_runs_and_stays_near() -> None:
    torch.manual_seed(0)
    block, x = DynamicSteerableBlock(2, 3).eval(), torch.randn(1, 2, 16, 16)
    exact = block(x).detach()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = block(x)
        rounded.float().square().mean().backward()
    rounded = rounded.detach()
    assert float((rounded - exact).abs().mean()) < 0.05 * float(exact.abs().mean())


def test_roughness_ignores_full_turns_and_counts_steps() -> None:
    flat = Pose(angle=2 * math.pi * torch.randint(-3, 4, (1, 1, 5, 5)).float())
    assert float(flat.roughness()) == pytest.approx(0, abs=1e-10)
    steps = Pose(angle=math.pi * torch.tensor([[0.0, 1.0], [0.0, 1.0]])[None, None])
    assert float(steps.roughness()) == pytest.approx(2)  # (2, 0)^2 over two components


def test_roughness_of_a_map_one_pixel_high_is_that_along_it() -> None:
    line = Pose(angle=math.pi * torch.tensor([0.0, 1.0, 1.0])[None, None, None])
    assert float(line.roughness()) == pytest.approx(1)  # one step of two: (4 + 0) / 2 / 2


def test_static_twin_is_as_large() -> None:
    block = DynamicSteerableBlock(16, 32)
    hidden = hidden_width(trained_parameters(block), 16, 32)
    twin = StaticResBlock(16, 32, hidden, dilation=2)
    assert trained_parameters(twin) == pytest.approx(trained_parameters(block), rel=0.02)
    assert twin(torch.randn(2, 16, 9, 7)).shape == (2, 32, 9, 7)


@pytest.mark.parametrize("dilation", [2, (1, 1, 2, 4)])
def test_context_is_configurable(dilation: int | tuple[int, ...]) -> None:
    network = PoseNetwork(2, 1, units=8, layers=4, kernel_size=5, dilation=dilation).eval()
    widths = [m.out_channels for m in network if isinstance(m, nn.Conv2d)]
    assert widths == [8, 8, 8, 1]
    x = torch.zeros(1, 2, 41, 41, requires_grad=True)
    network(x)[0, 0, 20, 20].backward()
    reached = x.grad.abs().sum((0, 1)).nonzero()
    assert (reached.min(), reached.max()) == (20 - 16, 20 + 16)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: DynamicSteerableBlock(4, 2, poses=3), "must divide in_channels = 4, got 3"),
        (lambda: DynamicSteerableBlock(4, 2, rotation=False, scale=False), "rotation or scale"),
        (lambda: DynamicSteerableBlock(4, 2, direction=False, amplitude=True), "direction=True"),
        (lambda: DynamicSteerableBlock(4, 2, steering=False, gauge=True), "needs steering=True"),
        (lambda: DynamicSteerableBlock(4, 2, order=0, polar=True), "order 0 has none"),
        (lambda: DynamicSteerableBlock(4, 2, gauge=True).kernel(), "no filter"),
        (lambda: DynamicSteerableBlock(4, 2, steering=False).kernel(), "steering=True"),
        (lambda: DynamicSteerableBlock(4, 2, rotation=False).kernel(0.3), "angle 0 alone, got 0.3"),
        (lambda: DynamicSteerableBlock(4, 2).kernel(0, 3.0), "from 0.8 to 1.5, .*; got 3.0"),
        (lambda: DynamicSteerableBlock(4, 2, scale=False).kernel(0, 0.8), "from 1.09545 to"),
        (lambda: DynamicSteerableBlock(4, 2, context=4), "odd and positive, got 4"),
        (lambda: DynamicSteerableBlock(4, 2, pose_layers=0), "layers must be >= 1, got 0"),
        (lambda: DynamicSteerableBlock(4, 2, sigmas=(2.0, 1.0)), "smallest <= largest"),
        (lambda: DynamicSteerableBlock(4, 2)(torch.zeros(1, 3, 8, 8)), r"\(B, 4, H, W\), got"),
        (lambda: Pose().roughness(), "has no roughness"),
        (
            lambda: rotate_maps(torch.zeros(1, 4, 2, 3, 3), torch.zeros(1, 3, 3, 3), (1, 1)),
            "4 channels cannot share 3 poses",
        ),
        (lambda: interpolate_scales([], torch.ones(1, 1, 2, 2), [0.0]), "1 nodes need as many"),
        (
            lambda: rotate_maps(torch.zeros(1, 4, 2, 3, 3), torch.zeros(1, 1, 2, 3), (1, 1)),
            "do not fit angles",
        ),
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
