"""A published run is confirmed by its first losses and by what its weights score."""

import shutil

import pytest
import torch

from structnets.files import read_json, write_json
from structnets.training.confirmation import confirm


@pytest.fixture
def published(run, make_spec, folder_of):
    spec = make_spec()
    run(spec)
    return folder_of(spec) / "out"


def test_unchanged_code_confirms(published, prepared):
    assert confirm(published, prepared) == []


def test_other_losses_are_told(published, prepared):
    curves = published / "curves.csv"
    head, first, *rest = curves.read_text().splitlines()
    parts = first.split(",")
    parts[2] = str(float(parts[2]) * (1 + 1e-7))
    curves.write_text("\n".join([head, ",".join(parts), *rest]))
    (found,) = confirm(published, prepared)
    assert found.startswith("the training loss of epoch 1 was")


def test_other_weights_are_told(published, prepared):
    kept = torch.load(published / "model.pt", weights_only=True)
    for weight in kept["state_dict"].values():
        if torch.is_tensor(weight) and weight.is_floating_point():
            weight.neg_()
    torch.save(kept, published / "model.pt")
    found = confirm(published, prepared, epochs=1)
    assert any(line.startswith("loss of the published weights") for line in found)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("hardware", "class"), "gpu", "not trained by one worker on a processor"),
        (("hardware", "world_size"), 2, "not trained by one worker on a processor"),
        (("spec", "recipe", "kind"), "closed_form", "fitted in closed form"),
        (("data_digest",), "0" * 64, "trained on other data"),
    ],
)
def test_what_cannot_be_compared_is_refused(where, value, message, published, prepared, tmp_path):
    folder = shutil.copytree(published, tmp_path / "other")
    result = read_json(folder / "result.json")
    *path, last = where
    place = result
    for key in path:
        place = place[key]
    place[last] = value
    write_json(folder / "result.json", result)
    with pytest.raises(ValueError, match=message):
        confirm(folder, prepared)
