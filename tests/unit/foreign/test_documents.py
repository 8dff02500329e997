import pytest

from structnets.foreign.documents import VALUES, parse_json, parse_yaml
from structnets.foreign.limits import TooLargeError
from structnets.foreign.shown import shown

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
)


@pytest.mark.parametrize("parse", [parse_json, parse_yaml])
@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 5000])
def test_deep_documents_are_refused(parse, text):
    with pytest.raises(ValueError, match=r"^a\.x is not valid (JSON|YAML): ") as caught:
        parse(text, "a.x")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1" * 5000, "\x00", '{"a"', ""])
def test_what_is_no_json_is_refused(word):
    with pytest.raises(ValueError, match=r"a\.json is not valid JSON"):
        parse_json(f"[{word}" if word == '{"a"' else word, "a.json")


def test_aliases_that_expand_are_refused(monkeypatch):
    with pytest.raises(TooLargeError, match=r"a\.yaml has \d+ million of values, the limit is 20"):
        parse_yaml(BOMB, "a.yaml")
    monkeypatch.setenv(VALUES.variable, "2000")
    assert parse_yaml(BOMB, "a.yaml")["a"] == ["x"] * 10


@pytest.mark.parametrize(
    "text", ["&a [*a]", "a: &a {b: *a}", "2024-99-99", "!!python/object/apply:os.system [id]", "%"]
)
def test_what_is_no_yaml_is_refused(text):
    with pytest.raises(ValueError, match=r"a\.yaml is not valid YAML"):
        parse_yaml(text, "a.yaml")


@pytest.mark.parametrize("number", ["1:30", "1:30.5", "010", "-007", "0_1"])
def test_numbers_that_yaml_reads_to_another_base_are_refused(number):
    with pytest.raises(ValueError, match=f"{number} would not be read as it stands"):
        parse_yaml(f"hours: {number}", "a.yaml")
    assert parse_yaml(f"hours: '{number}'", "a.yaml") == {"hours": number}


def test_other_numbers_are_read():
    text = "[0, -3, 10, 0.5, .5, 1e-3, 1.0e+3, 0x10, 00:30x]"
    assert parse_yaml(text, "a.yaml") == [0, -3, 10, 0.5, 0.5, "1e-3", 1000.0, 16, "00:30x"]


def test_shared_values_are_allowed():
    assert parse_yaml("a: &a [1]\nb: *a\nc: {d: *a}", "a.yaml")["c"]["d"] == [1]


def test_a_value_is_shown_in_a_few_words():
    bomb = ["x" * 100]
    for _ in range(40):
        bomb = [bomb] * 10
    for value in (bomb, 10**6000, b"x" * 10**6, {"a": bomb}, "\n" * 1000):
        assert len(shown(value)) < 500
        assert "\n" not in shown(value)
    assert shown("mnist") == "'mnist'"
