"""The uses in which a layer is recorded and the record runs: tracers, compilers, exports."""

from __future__ import annotations

import contextlib
import copy
import io

import torch

from tests.matrix.comparing import assert_near, gradients, quick, slow
from tests.matrix.layers import Layer

# Uses that are tried on some layers only, for their time.
ONLY: dict[str, tuple[str, ...]] = {
    "compile, inductor": (
        "GaussianConv2d",
        "GaussianConv3d",
        "FrameConv2d",
        "DynamicSteerableBlock",
        "HierarchicalConv",
        "InvertibleSequential",
    ),
    "compile, inductor, dynamic": ("GaussianConv2d", "FrameConv2d"),
}


@quick("jit.trace")
def traced(layer: Layer) -> None:
    module = layer.module().eval()
    with torch.no_grad():
        recorded = torch.jit.trace(module, layer.samples(), check_trace=False)
        buffer = io.BytesIO()
        torch.jit.save(recorded, buffer)
        assert_near([recorded(layer.samples(3))], [module(layer.samples(3))])


@quick("jit.script")
def scripted(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples()
    code = torch.jit.script(copy.deepcopy(module))
    with torch.no_grad():
        assert_near([code(x)], [module(x)], 1e-6)  # taps of nothing are cut off


@quick("fx")
def symbolic(layer: Layer) -> None:
    module = layer.module().eval()
    graph = torch.fx.symbolic_trace(module)
    assert_near(gradients(graph, layer.samples())[:2], gradients(module, layer.samples())[:2])


@slow("compile, dynamic, one graph")
def compiled(layer: Layer) -> None:
    module = layer.module().eval()
    graph = torch.compile(copy.deepcopy(module), backend="aot_eager", dynamic=True, fullgraph=True)
    for batch in (3, 2, 5):
        assert_near(gradients(graph, layer.samples(batch)), gradients(module, layer.samples(batch)))
    torch._dynamo.reset()


@slow("compile, training")
def compiled_training(layer: Layer) -> None:
    module = layer.module()
    graph = torch.compile(copy.deepcopy(module), backend="aot_eager")
    assert_near(gradients(graph, layer.samples()), gradients(module, layer.samples()))
    torch._dynamo.reset()


@slow("export, static")
def exported(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples()
    program = torch.export.export(module, (x,))
    assert_near([program.module()(x).detach()], [module(x).detach()])


@slow("export, dynamic batch")
def exported_dynamic(layer: Layer) -> None:
    module, x = layer.module().eval(), layer.samples()
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: batch},))
    for count in (2, 7):
        given = layer.samples(count)
        assert_near([program.module()(given).detach()], [module(given).detach()])


@slow("export, open sizes")
def exported_open(layer: Layer) -> None:
    """Height, width and depth are left open, as `nn.Conv2d` leaves them."""
    if layer.odd is None:
        return
    module, x = layer.module().eval(), layer.samples()
    vary = [one != other for one, other in zip(layer.shape, layer.odd, strict=True)]
    batch, size = torch.export.Dim.AUTO, torch.export.Dim.DYNAMIC
    axes = {0: batch, **{axis: size for axis, open_ in enumerate(vary, 1) if open_}}
    program = torch.export.export(module, (x,), dynamic_shapes=(axes,))
    lengths = [n + 2 * open_ for n, open_ in zip(layer.shape, vary, strict=True)]
    given = torch.randn(5, *lengths, dtype=x.dtype)
    assert_near([program.module()(given).detach()], [module(given).detach()])


@slow("export under autocast")
def exported_under_autocast(layer: Layer) -> None:
    module, x = layer.module(torch.float32).eval(), layer.samples(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        program, expected = torch.export.export(module, (x,)), module(x)
    assert_near([program.module()(x).detach()], [expected.detach()], 0.03)


@slow("compile, inductor")
def generated(layer: Layer) -> None:
    _generated(layer, (3,))


@slow("compile, inductor, dynamic")
def generated_dynamic(layer: Layer) -> None:
    _generated(layer, (3, 2, 5), dynamic=True, fullgraph=True)


def _generated(layer: Layer, batches: tuple[int, ...], **options: bool) -> None:
    module = layer.module(torch.float32).eval()
    code = torch.compile(copy.deepcopy(module), **options)
    for batch in batches:
        x = layer.samples(batch, dtype=torch.float32)
        assert_near(gradients(code, x), gradients(module, x), 1e-4)
    torch._dynamo.reset()


@slow("ONNX, dynamic batch")
def onnx(layer: Layer) -> None:
    from onnx.reference import ReferenceEvaluator

    module, x = layer.module(torch.float32).eval(), layer.samples(dtype=torch.float32)
    batch = torch.export.Dim("batch", min=2, max=64)
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(module, (x,), dynamo=True, dynamic_shapes=({0: batch},))
    assert program is not None
    graph = program.model_proto
    evaluator = ReferenceEvaluator(graph)
    for count in (2, 7):
        given = layer.samples(count, dtype=torch.float32)
        (out,) = evaluator.run(None, {graph.graph.input[0].name: given.numpy()})
        assert_near([torch.from_numpy(out)], [module(given).detach()], 1e-5)
