"""Facts of data sets and the check of what a spec asks of a preparation."""

import pytest

from structnets.data.sets.entries.catalogue import check_parameters, find_dataset, read_request


def test_facts():
    assert find_dataset("mnist").train_count == 60_000
    assert find_dataset("digits").classes == tuple("0123456789")


def test_request_ignores_what_is_not_preparation():
    request = '{"name": "mnist", "prepare": {}, "train_size": 300}'
    assert read_request(request) == ("mnist", {})
    assert read_request('{"name": "digits"}') == ("digits", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "mnist", "prepare": {"size": 32}}', "'size' for mnist; allowed: none"),
        ('{"name": "mnist", "prepare": []}', r"must be an object, got \[\]"),
        ("{}", "object with a name"),
        ("[1]", "object with a name"),
        ("{", "not valid JSON"),
    ],
)
def test_bad_requests(text, message):
    with pytest.raises(ValueError, match=message):
        read_request(text)


def test_unknown_data_set_lists_the_known():
    with pytest.raises(
        ValueError, match=r"'mnits' \(did you mean mnist\?\); allowed: adni, bsds500"
    ):
        check_parameters("mnits", {})


@pytest.mark.parametrize("value", [False, 1, "true", None])
def test_value_of_a_parameter(value):
    check_parameters("cifar10", {"partial": True})
    with pytest.raises(ValueError, match=r"'partial' of cifar10 is .*; allowed: true, or leave"):
        check_parameters("cifar10", {"partial": value})
