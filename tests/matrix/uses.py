"""The uses of the matrix: each checks one layer, and raises where it is not right."""

from __future__ import annotations

import copy
import importlib
import io
import pickle
import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint

from tests.matrix.comparing import assert_near, gradients, quick
from tests.matrix.layers import Layer

LOW = {torch.bfloat16: 0.06, torch.float16: 0.02}
replicate: Any = importlib.import_module("torch.nn.parallel.replicate")


@quick("float32")
def single(layer: Layer) -> None:
    found = gradients(layer.module(torch.float32), layer.samples(dtype=torch.float32))
    assert all(t.dtype == torch.float32 for t in found)
    assert_near(
        found,
        gradients(layer.module(torch.float32).double(), layer.samples().float().double()),
        1e-4,
    )


def _half(layer: Layer, dtype: torch.dtype) -> None:
    module = layer.module(dtype).eval()
    x = layer.samples(dtype=dtype)
    exact = copy.deepcopy(module).double()
    expected = exact(x.double()).detach()
    for context in (torch.no_grad(), torch.enable_grad()):
        with context:
            out = module(x)
        assert out.dtype == dtype
        assert_near([out.detach()], [expected], LOW[dtype])
    assert all(g.dtype == dtype for g in gradients(module, x))


@quick("bfloat16")
def brain_float(layer: Layer) -> None:
    _half(layer, torch.bfloat16)


@quick("float16")
def half_float(layer: Layer) -> None:
    _half(layer, torch.float16)


@quick("autocast")
def autocast(layer: Layer) -> None:
    module, x = layer.module(torch.float32).eval(), layer.samples(dtype=torch.float32)
    expected = module(x).detach()
    weights = any(True for _ in module.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        out, *grads = gradients(module, x)
        with torch.no_grad():
            again = module(x)
    added = hasattr(module, "shortcut") or type(module).__name__ == "InvertibleSequential"
    if weights and not added:
        assert out.dtype == again.dtype == torch.bfloat16
    assert all(g.dtype == torch.float32 for g in grads)
    assert_near([out, again], [expected] * 2, 0.06)


@quick("inference_mode, then training")
def inference(layer: Layer) -> None:
    module, other = layer.module(), layer.module()
    with torch.inference_mode():
        module.eval()(layer.samples())
    assert_near(gradients(module.train(), layer.samples()), gradients(other, layer.samples()))


@quick("meta, to_empty, load")
def meta_load(layer: Layer) -> None:
    original, x = layer.module(torch.float32).eval(), layer.samples(dtype=torch.float32)
    for assign in (False, True):
        with torch.device("meta"):
            module = layer.build().eval()
        if not assign:
            module.to_empty(device="cpu")
        module.load_state_dict(original.state_dict(), assign=assign)
        assert_near([module(x).detach()], [original(x).detach()], 1e-6)


@quick("reset_parameters")
def reset(layer: Layer) -> None:
    module = layer.module(torch.float32)
    with torch.device("meta"):
        emptied = layer.build()
    emptied.to_empty(device="cpu")
    for part in emptied.modules():
        if callable(getattr(part, "reset_parameters", None)):
            part.reset_parameters()
    for name, buffer in module.named_buffers():
        if name not in module.state_dict():
            torch.testing.assert_close(emptied.get_buffer(name), buffer)


@quick("on meta")
def meta(layer: Layer) -> None:
    expected = gradients(layer.module(torch.float32), layer.samples(dtype=torch.float32))
    with torch.device("meta"):
        module = layer.build()
    found = gradients(module, torch.empty(3, *layer.shape, device="meta"))
    assert [t.shape for t in found] == [t.shape for t in expected]
    assert all(t.is_meta for t in found)


@quick("deepcopy, pickle")
def copies(layer: Layer) -> None:
    module, x = layer.module(), layer.samples()
    before = len(pickle.dumps(module))
    expected = gradients(layer.module(), x)
    for size in range(4):
        module.eval()(layer.samples(1 + size))
    assert len(pickle.dumps(module)) < before + 4000
    fresh = layer.module()
    for other in (copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        assert_near(gradients(other, x), expected)


@quick("state_dict, safetensors")
def tensors_only(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples()
    module(x)
    assert all(map(torch.is_tensor, module.state_dict().values()))
    state = module.state_dict()
    # What safetensors asks for: memory of their own, without gaps.
    assert all(t.is_contiguous() for t in state.values())
    assert len({t.data_ptr() for t in state.values() if t.numel()}) == len(state)
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=True)
    other = layer.build().double().eval()
    other.load_state_dict(loaded)
    assert_near([other(x).detach()], [module(x).detach()])


@quick("EMA")
def averaged(layer: Layer) -> None:
    module = layer.module().eval()
    if not module.state_dict():
        return
    average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
    average.update_parameters(module)
    average.update_parameters(module)
    assert_near([average.eval()(layer.samples()).detach()], [module(layer.samples()).detach()])


@quick("functional_call")
def functional(layer: Layer) -> None:
    module, other, x = layer.module(), layer.module(), layer.samples()
    given = {n: (1.2 * p).detach().requires_grad_() for n, p in module.named_parameters()}
    with torch.no_grad():
        for p in other.parameters():
            p.mul_(1.2)
    torch.manual_seed(2)
    out = functional_call(module, given, (x,))
    found = [out.detach()]
    if given:
        found += torch.autograd.grad(out.square().mean(), list(given.values()))
    expected = gradients(other, x)
    assert_near(found, [expected[0], *expected[2:]])


@quick("vmap of grad")
def per_sample(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples()
    weights = dict(module.named_parameters())

    def loss(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        return functional_call(module, weights, (one[None],)).square().mean()

    found = torch.vmap(torch.func.grad(loss, (0, 1)), (None, 0))(weights, x)
    for i, one in enumerate(x):
        given = one[None].detach().requires_grad_()
        wanted = [given, *weights.values()]
        expected = torch.autograd.grad(module(given).square().mean(), wanted)
        assert_near(
            [found[1][i], *(g[i] for g in found[0].values())], [expected[0][0], *expected[1:]]
        )


@quick("jvp")
def forward_mode(layer: Layer) -> None:
    module, x, v = layer.module().eval(), layer.samples(), torch.randn(3, *layer.shape).double()
    _, found = torch.func.jvp(module, (x,), (v,))
    given = x.detach().requires_grad_()
    out = module(given)
    cotangent = torch.randn_like(out)
    (pulled,) = torch.autograd.grad(out, given, cotangent)
    torch.testing.assert_close((found * cotangent).sum(), (pulled * v).sum())


@quick("second derivatives")
def twice(layer: Layer) -> None:
    module, x = layer.module(), layer.samples()
    plain, direction = layer.module().eval(), torch.randn(3, *layer.shape).double()
    module.eval()
    wanted = [x.requires_grad_(), *(p for p in module.parameters())]

    def gradient(at: Tensor) -> list[Tensor]:
        at = at.detach().requires_grad_()
        return list(torch.autograd.grad(plain(at).square().mean(), [at, *plain.parameters()]))

    grads = torch.autograd.grad(module(x).square().mean(), wanted, create_graph=True)
    inner = sum((g * g.detach()).sum() for g in grads)
    assert isinstance(inner, Tensor)
    (found,) = torch.autograd.grad(inner, [x])
    step = 1e-5
    ahead, behind = gradient(x + step * direction), gradient(x - step * direction)
    numeric = sum(
        ((a - b) * g.detach()).sum() for a, b, g in zip(ahead, behind, grads, strict=True)
    ) / (2 * step)
    torch.testing.assert_close((found * direction).sum(), numeric, rtol=1e-4, atol=1e-9)


@quick("checkpoint")
def checkpointed(layer: Layer) -> None:
    for reentrant in (False, True):
        module, x = layer.module(), layer.samples().requires_grad_()
        torch.manual_seed(2)
        out = checkpoint(module, x, use_reentrant=reentrant)
        out.square().mean().backward()
        found = [p.grad for p in (x, *module.parameters()) if p.grad is not None]
        assert_near([out.detach(), *found], gradients(layer.module(), x))


@quick("accumulation")
def accumulated(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples(4)
    if not list(module.parameters()):
        return
    for part in x.chunk(2):
        (module(part).square().sum() / 7).backward()
    found = [p.grad for p in module.parameters() if p.grad is not None]
    whole = layer.module().eval()
    (whole(x).square().sum() / 7).backward()
    assert_near(found, [p.grad for p in whole.parameters() if p.grad is not None])


@quick("batch of 0")
def empty(layer: Layer) -> None:
    for module in (layer.module().eval(), layer.module()):
        try:
            out, *grads = gradients(module, layer.samples(0))
        except ValueError:
            assert layer.normed  # as nn.BatchNorm2d of no values
            assert module.training
            continue
        assert out.shape == (0, *layer.module().eval()(layer.samples(1)).shape[1:])
        assert len(grads) == 1 + len(list(module.parameters()))


@quick("batch of 1")
def one(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples(2)
    assert_near([torch.cat([module(x[:1]), module(x[1:])]).detach()], [module(x).detach()])


@quick("small and odd sizes")
def odd(layer: Layer) -> None:
    if layer.odd is None:
        return
    module = layer.module().eval()
    x = torch.randn(2, *layer.odd, dtype=torch.float64)
    for _ in range(2):
        found = gradients(module, x)
    exact = torch.func.functional_call(module, dict(module.named_parameters()), (x,))
    assert_near([found[0]], [exact.detach()])
    per_image = torch.vmap(lambda image: module(image[None])[0])(x)  # by plain operations
    assert_near([found[0]], [per_image.detach()])


@quick("non-contiguous, channels_last")
def strided(layer: Layer) -> None:
    module, x = layer.module(), layer.samples()
    expected = gradients(layer.module(), x)
    spread = torch.stack([x, x], -1)[..., 0]
    turned = x.transpose(-1, -2).contiguous().transpose(-1, -2)
    others = [x.contiguous(memory_format=torch.channels_last)] if x.ndim == 4 else []
    for other in (spread, turned, *others):
        assert_near(gradients(copy.deepcopy(module), other), expected)


@quick("threads")
def threaded(layer: Layer) -> None:
    module, x = layer.module().eval() if layer.normed else layer.module(), layer.samples()
    expected = gradients(copy.deepcopy(module), x)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                assert_near(gradients(module, x), expected)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


class _Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


@quick("parametrize, cached")
def parametrized(layer: Layer) -> None:
    module, x = layer.module(), layer.samples()
    other = layer.module()
    name = next((n for n, p in module.named_parameters() if p.ndim > 1), None)
    if name is None:
        return
    path, _, last = name.rpartition(".")
    parametrize.register_parametrization(module.get_submodule(path), last, _Doubled())
    with torch.no_grad():
        other.get_parameter(name).mul_(2)
    expected = other(x).detach()
    assert_near([gradients(copy.deepcopy(module), x)[0]], [expected])
    with parametrize.cached():
        found = gradients(module, x)
    assert_near(found[:1], [expected])
    assert all(g.norm() > 0 or g.numel() == 0 for g in found[1:3])


@quick("DataParallel")
def replicas(layer: Layer) -> None:
    """Replicas as `nn.DataParallel` makes them, which have no parameters of their own."""
    module = layer.module().eval() if layer.normed else layer.module()
    other, x = copy.deepcopy(module), layer.samples(4).requires_grad_()

    def copies_of(tensors: list[Tensor], devices: list[int], detach: bool = False) -> Any:
        made = [[t.clone() for t in tensors] for _ in devices]
        return [[t.detach() for t in of] for of in made] if detach else made

    with pytest.MonkeyPatch.context() as patch:  # of what needs two GPUs
        patch.setattr(replicate, "_broadcast_coalesced_reshape", copies_of)
        patch.setattr(replicate, "_get_device_index", lambda device, _: device)
        parts = zip(replicate.replicate(module, [0, 1]), x.chunk(2), strict=True)
        out = torch.cat([replica(part) for replica, part in parts])
    expected = torch.cat([other(part) for part in x.chunk(2)])
    found, wanted = (
        [one.detach(), *torch.autograd.grad(one.square().mean(), [x, *net.parameters()])]
        for one, net in ((out, module), (expected, other))
    )
    assert_near(found, wanted)


@quick("weight_norm")
def normalised(layer: Layer) -> None:
    for normalise in (nn.utils.parametrizations.weight_norm, nn.utils.weight_norm):
        module, x = layer.module(), layer.samples()
        name = next((n for n, p in module.named_parameters() if p.ndim > 1), None)
        if name is None:
            return
        path, _, last = name.rpartition(".")
        normalise(module.get_submodule(path), last)
        found = gradients(module, x)
        assert_near(found[:2], gradients(layer.module(), x)[:2])
        assert all(g.isfinite().all() for g in found)
