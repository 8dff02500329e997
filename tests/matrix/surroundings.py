"""Uses that change what is around a layer: defaults, modes, hooks, and what it is given."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.utils.flop_counter import FlopCounterMode

from tests.matrix.comparing import assert_near, gradients, quick
from tests.matrix.layers import Layer


@quick("another default device")
def default_device(layer: Layer) -> None:
    modules, x = [layer.module() for _ in range(3)], layer.samples()
    expected = gradients(modules[0], x)
    with torch.device("meta"):
        found = gradients(modules[1], x)
    assert_near(found, expected)
    torch.set_default_device("meta")
    try:
        found = gradients(modules[2], x)
    finally:
        torch.set_default_device(None)
    assert_near(found, expected)


@quick("another default dtype")
def default_dtype(layer: Layer) -> None:
    single, x = layer.module(torch.float32), layer.samples(dtype=torch.float32)
    expected = gradients(copy.deepcopy(single), x)
    for dtype in (torch.float64, torch.bfloat16):
        torch.set_default_dtype(dtype)
        try:
            found = gradients(copy.deepcopy(single), x)
            built = layer.build()
        finally:
            torch.set_default_dtype(torch.float32)
        assert all(t.dtype == torch.float32 for t in found)
        assert_near(found, expected, 1e-5)
        held = [t for t in (*built.parameters(), *built.buffers()) if t.is_floating_point()]
        assert all(t.dtype == dtype for t in held)


@quick("every way, every dtype")
def every_way(layer: Layer) -> None:
    exact, x = layer.module().eval(), layer.samples()
    expected = gradients(exact, x)
    plainly = torch.vmap(lambda one: exact(one[None])[0])(x).detach()  # by plain operations
    ways = [way for way in getattr(exact, "ways", ()) if _can(exact, way)]
    for way in ways:
        for dtype, most in ((torch.float64, 1e-9), (torch.float32, 1e-4), (torch.bfloat16, 0.06)):
            module: Any = copy.deepcopy(exact).to(dtype)
            module.way = way
            found = gradients(module, x.to(dtype))
            assert all(t.dtype == dtype for t in found)
            assert_near(found[:1], [plainly], most)
            if dtype != torch.bfloat16:
                assert_near(found, expected, most)


def _can(layer: Any, way: str) -> bool:
    """Say whether a layer's constructor takes a way."""
    if getattr(layer, "activation", False):
        return not way.startswith("collapsed")
    return getattr(layer, "learn_sigma", None) != "channel" or way not in ("pieces", "responses")


@quick("input of another dtype")
def other_precision(layer: Layer) -> None:
    """Refused as ``nn.Conv2d`` does, or, without weights, computed in it."""
    module = layer.module(torch.float32)
    for dtype in (torch.float64, torch.bfloat16, torch.int64):
        try:
            out = module(layer.samples(dtype=dtype))
        except RuntimeError:
            continue
        assert not list(module.parameters())
        assert out.dtype == dtype


@quick("made under inference_mode")
def inference_weights(layer: Layer) -> None:
    """Inference goes on; training is refused as for ``nn.Conv2d``, never done without gradients."""
    module, x = layer.module().eval(), layer.samples()
    with torch.inference_mode():
        copied = copy.deepcopy(module)
    with torch.no_grad():
        assert_near([copied(x)], [module(x)])
    if list(copied.parameters()):
        try:
            copied(x)
        except RuntimeError as error:
            assert "nference" in str(error)  # noqa: PT017
        else:
            raise AssertionError("weights that cannot learn were taken")
    assert_near(gradients(copy.deepcopy(copied), x), gradients(module, x))


@quick("batched gradients")
def batched_gradients(layer: Layer) -> None:
    module, x = layer.module(), layer.samples().requires_grad_()
    out = module(x)
    wanted, cotangents = [x, *module.parameters()], torch.randn(2, *out.shape, dtype=out.dtype)
    found = torch.autograd.grad(out, wanted, cotangents, is_grads_batched=True, retain_graph=True)
    one, two = (torch.autograd.grad(out, wanted, c, retain_graph=True) for c in cotangents)
    assert_near(list(found), [torch.stack(pair) for pair in zip(one, two, strict=True)])


@quick("several in one vmap")
def ensemble(layer: Layer) -> None:
    """As PyTorch's tutorial on ensembles: a base on meta, with buffers and without."""
    modules, x = [layer.module().eval() for _ in range(2)], layer.samples()
    with torch.no_grad():
        for parameter in modules[1].parameters():
            parameter.mul_(1.1)
    if not modules[0].state_dict():
        return
    parameters, buffers = stack_module_state(modules)  # type: ignore[arg-type]
    base = copy.deepcopy(modules[0]).to("meta")
    expected = torch.stack([module(x) for module in modules]).detach()

    def answer(parameters: Any, buffers: Any) -> Tensor:
        return functional_call(base, (parameters, buffers), (x,))

    assert_near([torch.vmap(answer)(parameters, buffers).detach()], [expected])
    kept = {name: b for name, b in buffers.items() if name in modules[0].state_dict()}
    assert_near([torch.vmap(answer)(parameters, kept).detach()], [expected])


@quick("hooks")
def hooked(layer: Layer) -> None:
    """Hooks of the layer and of its weights run once, and what they return counts."""
    module, x = layer.module(), layer.samples().requires_grad_()
    counts: dict[str, int] = {}

    def count(name: str, factor: float) -> Any:
        def hook(*given: Any) -> Any:
            counts[name] = counts.get(name, 0) + 1
            return factor * given[-1]

        return hook

    module.register_forward_hook(count("forward", 2.0))
    module.register_full_backward_hook(
        lambda _, into, __: (counts.update(back=counts.get("back", 0) + 1), (3 * into[0],))[1]
    )
    for name, parameter in module.named_parameters():
        parameter.register_hook(count(name, 5.0))
    torch.manual_seed(2)
    out = module(x) / 2
    found = torch.autograd.grad(out.square().mean(), [x, *module.parameters()])
    expected = gradients(layer.module(), x)
    assert set(counts.values()) == {1}
    factors = [1, 3] + [5] * (len(found) - 1)
    assert_near([out.detach(), *found], [f * t for f, t in zip(factors, expected, strict=True)])


@quick("saved tensors elsewhere")
def saved_elsewhere(layer: Layer) -> None:
    expected = gradients(layer.module(), layer.samples())
    with torch.autograd.graph.save_on_cpu():
        assert_near(gradients(layer.module(), layer.samples()), expected)
    with torch.autograd.set_detect_anomaly(True):
        assert_near(gradients(layer.module(), layer.samples()), expected)


@quick("FlopCounterMode")
def counted(layer: Layer) -> None:
    x, module = layer.samples().requires_grad_(), layer.module()
    torch.manual_seed(2)
    with FlopCounterMode(display=False) as counter:
        module(x).square().mean().backward()
    found = [p.grad for p in (x, *module.parameters()) if p.grad is not None]
    assert_near(found, gradients(layer.module(), x)[1:])
    convolves = any(p.ndim > 1 for p in module.parameters())
    assert convolves == (counter.get_total_flops() > 0)


@quick("changed between forward and backward")
def changed_between(layer: Layer) -> None:
    """Refused as for ``nn.Conv2d``, where the old numbers are not kept."""
    expected = gradients(layer.module(), layer.samples())
    for number in range(1 + len(list(layer.module().parameters()))):
        module, x = layer.module(), layer.samples().requires_grad_()
        given = x.clone()
        torch.manual_seed(2)
        loss = module(given).square().mean()
        with torch.no_grad():
            [given, *module.parameters()][number].mul_(2)
        try:
            found = torch.autograd.grad(loss, [x, *module.parameters()])
        except RuntimeError as error:
            assert "inplace" in str(error)  # noqa: PT017
            continue
        assert_near(list(found), expected[1:])


@quick("backward twice")
def backward_twice(layer: Layer) -> None:
    module, x = layer.module(), layer.samples().requires_grad_()
    torch.manual_seed(2)
    loss = module(x).square().mean()
    loss.backward(retain_graph=True)
    loss.backward()
    found = [p.grad for p in (x, *module.parameters()) if p.grad is not None]
    assert_near(found, [2 * t for t in gradients(layer.module(), x)[1:]])


@quick("SyncBatchNorm")
def synchronised(layer: Layer) -> None:
    module = layer.module().eval()
    expected = module(layer.samples()).detach()
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(module)
    assert_near([converted(layer.samples()).detach()], [expected])


@quick("complex")
def complex_numbers(layer: Layer) -> None:
    """Layers that equal a convolution are linear in complex numbers too."""
    module, x = layer.module().eval(), layer.samples()
    if (
        layer.normed
        or not hasattr(module, "collapse")
        or getattr(module, "log_scale", None) is not None
    ):
        return
    bias = module(torch.zeros_like(x)).detach()
    real, imaginary = module(x).detach(), module(x.flip(0)).detach() - bias
    found = module.to(torch.complex128)(torch.complex(x, x.flip(0))).detach()
    assert_near([found.real, found.imag], [real, imaginary])
