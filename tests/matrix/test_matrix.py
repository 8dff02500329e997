"""Every cell of the matrix: right, or refused with the sentence that is listed."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from structnets.models import create_model
from structnets.models.entries import ENTRIES
from tests.matrix.comparing import QUICK, SLOW, Use
from tests.matrix.layers import LAYERS, Layer
from tests.matrix.models import MODEL_USES, MODELS
from tests.matrix.page import PAGE, text, tried
from tests.matrix.refused import REFUSED
from tests.matrix.workers import USES

# Nothing is learned in these: they have no gradients.
FEATURES = ("coarse_pixels", "scattering", "standardized_voxels")


def check(layer: Layer, function: Use, cell: tuple[str, str]) -> None:
    refusal = REFUSED.get(cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracers, about what they do themselves
        if refusal is None:
            function(layer)
        else:
            with pytest.raises(Exception, match=refusal.sentence):
                function(layer)


@pytest.mark.parametrize("use", QUICK)
@pytest.mark.parametrize("layer", LAYERS)
def test_quick_cell(layer: str, use: str) -> None:
    check(LAYERS[layer], QUICK[use], (layer, use))


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("layer", "use"), [(layer, use) for layer in LAYERS for use in SLOW if tried(layer, use)]
)
def test_slow_cell(layer: str, use: str) -> None:
    check(LAYERS[layer], SLOW[use], (layer, use))


@pytest.mark.matrix
@pytest.mark.parametrize("use", MODEL_USES)
@pytest.mark.parametrize("model", MODELS)
def test_model(model: str, use: str) -> None:
    check(MODELS[model], QUICK[use], (model, use))


@pytest.mark.matrix
@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in FEATURES])
def test_every_model_on_meta(name: str) -> None:
    """Also shows what was left on another device."""
    with torch.device("meta"):
        model = create_model(name, num_classes=4, in_channels=2)
    x = torch.empty(2, 2, *ENTRIES[name].input_shape[1:], device="meta", requires_grad=True)
    model(x).sum().backward()
    grads = [p.grad for p in (x, *model.parameters())]
    assert all(grad is not None and grad.is_meta for grad in grads)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("workers")
    command = [sys.executable, "-m", "tests.matrix.workers", str(folder)]
    start = functools.partial(subprocess.Popen, cwd=Path(__file__).parents[2])
    workers = [start([*command, str(rank)]) for rank in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0]
    return json.loads((folder / "0.json").read_text())


@pytest.mark.matrix
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("layer", LAYERS)
def test_in_two_processes(layer: str, use: str, two_processes: dict[str, str]) -> None:
    found = two_processes[f"{layer} | {use}"]
    refusal = REFUSED.get((layer, use))
    assert found == "right" if refusal is None else refusal.sentence in found, found


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == text(), "run `python -m tests.matrix.page`"


def test_refused_cells_are_few_and_exist() -> None:
    uses = {*QUICK, *SLOW, *USES}
    assert all(layer in {*LAYERS, *MODELS} and use in uses for layer, use in REFUSED)
    assert len(REFUSED) < 0.05 * len(LAYERS) * len(uses)
