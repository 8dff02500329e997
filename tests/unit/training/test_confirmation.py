"""A run is confirmed by its first losses, and by what its weights score where they are at hand."""

import copy
from dataclasses import replace

import pytest
import torch

from structnets.files import read_json
from structnets.reporting.ledger import ledger_line
from structnets.training import confirmation
from structnets.training.confirmation import Confirmation, confirm, published_facts
from structnets.training.run import FIRST_EPOCHS

EQUAL = Confirmation([], 2, True, 0.0, "not compared")


@pytest.fixture
def published(run, make_spec, folder_of):
    spec = make_spec()
    run(spec)
    return folder_of(spec) / "out"


@pytest.fixture
def line(published):
    return ledger_line(read_json(published / "result.json"))


def without_facts(line):
    return {key: line[key] for key in line if key not in ("first_losses", "weights_digest")}


def test_line_alone_confirms(line, prepared):
    assert confirm(line, prepared) == EQUAL
    assert EQUAL.record() == {"epochs": 2, "losses": "equal to the bit", "score": "not compared"}


def test_nets_are_trained_past_their_fixed_stage_as_they_were(line, prepared, monkeypatch):
    """Whose maps are made once for all epochs, which rounds otherwise."""
    given = []
    monkeypatch.setattr(
        confirmation, "past_fixed_stage", lambda net, part, spec: given.append(spec) or part
    )
    assert confirm(line, prepared).equal
    assert given
    assert all(spec == line["spec"] for spec in given)


def test_short_run_is_repeated_as_a_whole(line, prepared):
    assert confirm(line, prepared, epochs=9) == replace(
        EQUAL, epochs=3, score="weights trained anew"
    )
    other = {**line, "weights_digest": "0" * 64}
    (found,) = confirm(other, prepared, epochs=3).differences
    assert found == "the weights trained anew are not the line's"
    score = {**line, "metrics": {**line["metrics"], "accuracy": 1.0}}
    (found,) = confirm(score, prepared, epochs=3).differences
    assert found.startswith("accuracy of the weights was 1.0 and is")


def test_weights_at_hand_are_measured(line, published, prepared):
    measured = replace(EQUAL, score="published weights")
    assert confirm(line, prepared, published) == measured


def test_line_of_earlier_editions_needs_the_files(line, published, prepared):
    old = without_facts(line)
    found = confirm(old, prepared, published)
    assert found.differences == []
    assert found.line == line, "the next comparison needs no files"
    for folder in (None, published.parent / "nowhere"):
        with pytest.raises(ValueError, match="holds no first losses, and its curves"):
            confirm(old, prepared, folder)


def test_published_facts_are_those_of_the_result(line, published):
    assert {**without_facts(line), **published_facts(published)} == line
    assert len(line["first_losses"]) == 3 <= FIRST_EPOCHS


def test_other_losses_are_told_and_rounding_may_be_let_pass(line, prepared):
    other = copy.deepcopy(line)
    other["first_losses"][0] *= 1 + 1e-7
    (found,) = confirm(other, prepared).differences
    assert found.startswith("the training loss of epoch 1 was")
    near = confirm(other, prepared, tolerance=1e-6, epochs=3)
    assert near == Confirmation([], 3, False, 1e-6, "not compared")
    assert near.record()["losses"] == "within 1e-06"
    assert confirm(other, prepared, tolerance=1e-8).differences == [found]
    assert confirm(line, prepared, tolerance=1e-6).record()["losses"] == "equal to the bit"


def test_other_weights_are_told(line, published, prepared):
    kept = torch.load(published / "model.pt", weights_only=True)
    del kept["weights_digest"]  # such as files had before they stated one
    for weight in kept["state_dict"].values():
        if torch.is_tensor(weight) and weight.is_floating_point():
            weight.neg_()
    torch.save(kept, published / "model.pt")
    first, *rest = confirm(line, prepared, published, epochs=1).differences
    assert first == "the published weights are not the line's"
    assert any(found.startswith("loss of the weights was") for found in rest)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("hardware", "class"), "gpu", "not trained by one worker on a processor"),
        (("hardware", "world_size"), 2, "not trained by one worker on a processor"),
        (("spec", "recipe", "kind"), "closed_form", "fitted in closed form"),
        (("data_digest",), "0" * 64, "trained on other data"),
    ],
)
def test_what_cannot_be_compared_is_refused(where, value, message, line, prepared):
    other = copy.deepcopy(line)
    *path, last = where
    place = other
    for key in path:
        place = place[key]
    place[last] = value
    with pytest.raises(ValueError, match=message):
        confirm(other, prepared)


@pytest.mark.parametrize("words", [{"epochs": 0}, {"tolerance": -1.0}])
def test_senseless_comparisons_are_refused(words, line, prepared):
    with pytest.raises(ValueError, match="needed are >= 1 and >= 0"):
        confirm(line, prepared, **words)


def test_code_of_strangers_is_not_run(line, prepared):
    spec = {**line["spec"], "model": {"name": "no_such_nets:Net", "options": {}}}
    with pytest.raises(ValueError, match=r"names no_such_nets:Net; .*--trust no_such_nets:Net"):
        confirm({**line, "spec": spec}, prepared)
    with pytest.raises(ValueError, match="there is no module 'no_such_nets'"):
        confirm({**line, "spec": spec}, prepared, trusted=["no_such_nets:Net"])


def test_other_instructions_are_named_where_losses_differ(line, prepared):
    other = copy.deepcopy(line)
    other["first_losses"][0] += 1
    other["hardware"]["instructions"] = "of 1999"
    loss, remedy = confirm(other, prepared).differences
    assert loss.startswith("the training loss of epoch 1 was")
    assert "instructions of its processor are of 1999" in remedy
    assert "ATEN_CPU_CAPABILITY=avx2" in remedy
    other["first_losses"] = line["first_losses"]
    assert confirm(other, prepared).differences == []
