import pytest
import torch

from structnets.training.tensor_files import load_tensors, read_model, save_tensors
from structnets.training.weights_digest import weights_digest

WEIGHTS = {"a": torch.arange(4.0), "n": torch.tensor(3)}


@pytest.fixture
def write(tmp_path):
    def make(**changes):
        content = {"spec": {"seed": 0}, "state_dict": WEIGHTS, **changes}
        save_tensors(tmp_path / "model.pt", content)
        return tmp_path / "model.pt"

    return make


def test_a_model_comes_back(write):
    spec, weights = read_model(write(weights_digest=weights_digest(WEIGHTS)))
    assert spec == {"seed": 0}
    assert torch.equal(weights["a"], WEIGHTS["a"])
    assert read_model(write())[0] == spec  # as they were written before they stated a digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state_dict": {"a": torch.tensor([1.0, float("nan")])}}, "has NaN or infinite values"),
        ({"state_dict": {"a": torch.tensor([1.0, float("inf")])}}, "has NaN or infinite values"),
        ({"state_dict": {"a": torch.ones(1, dtype=torch.complex64)}}, "has complex values in 'a'"),
        ({"weights_digest": "0" * 64}, "states the digest"),
        ({"spec": None}, "no model.pt of a training"),
    ],
)
def test_weights_that_answer_wrongly_are_refused(write, changes, message):
    with pytest.raises(ValueError, match=rf"model\.pt .*{message}.*train the run anew"):
        read_model(write(**changes))


def test_every_flipped_byte_is_seen_or_changes_nothing(write):
    path = write(weights_digest=weights_digest(WEIGHTS))
    content = path.read_bytes()
    refused, said = 0, str(path)
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            _, weights = read_model(path)
        except ValueError as error:
            refused += 1
            said = str(error)
        else:
            assert torch.equal(weights["a"], WEIGHTS["a"])
        assert str(path) in said
    assert refused > 10


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(*_):
        raise RuntimeError("unexpected pos 15552 vs 15440")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match=r"could not write .*model\.pt, the disk is probably full"):
        save_tensors(tmp_path / "model.pt", {})
    assert list(tmp_path.iterdir()) == []


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pt is missing"):
        load_tensors(tmp_path / "absent.pt")


@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(1).expand(1 << 20, 1 << 20), "has 4194304 MB of weights, the limit is"),
        (torch.eye(2).to_sparse(), "has in 'a' a tensor that is sparse"),
        (torch.empty(3, device="meta"), "has in 'a' a tensor that is on the device meta"),
        (torch.ones(3).to(torch.float8_e5m2), "has in 'a' a tensor that is of type"),
    ],
)
def test_tensors_that_are_no_plain_ones_are_refused(write, tensor, message):
    with pytest.raises(ValueError, match=rf"model\.pt {message}"):
        read_model(write(state_dict={"a": tensor}))


def test_a_list_that_holds_itself_is_read(write):
    whole = [torch.ones(1)]
    whole.append(whole)
    assert load_tensors(write(more=whole))["more"][0] == 1
