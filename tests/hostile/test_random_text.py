"""Addresses, names and documents at random: no secret is shown, no name leaves its folder."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from pipelines.cluster.run_lock import _Watch
from pipelines.tracking import store
from structnets.cohorts.naming import path_part
from structnets.foreign.address import Address
from structnets.foreign.documents import parse_json, parse_yaml
from structnets.foreign.shown import shortened, shown

pytestmark = pytest.mark.slow
SECRET = "s3cr3t"
BOUNDED = settings(max_examples=400, deadline=None, database=None)
# What addresses are made of, and what takes them apart.
PIECES = st.lists(
    st.sampled_from([*"/?#@:[]%&=; +\\\"'\n\0", "%2F", "%40", "%", "a", "12", "ä", "\u202e", "x@y"])
    | st.text(max_size=3),
    max_size=4,
).map("".join)
SECRETS = st.tuples(PIECES, PIECES).map(SECRET.join)
SCHEMES = st.sampled_from(["http", "https", "HTTP", "postgresql", "mysql+pymysql", "file", "x"])
PLACES = st.sampled_from(["h", "h:5000", "h:", "h:99999", "[::1]:5", "h/a/b", "", "1.2.3.4:9/"])


@st.composite
def addresses(draw: st.DrawFn) -> tuple[str, str]:
    """Return an address and the secret in it: a password, a token or a parameter."""
    secret, scheme, place = draw(SECRETS), draw(SCHEMES), draw(PLACES)
    if draw(st.booleans()):
        secret = quote(secret, safe="")
    user = draw(st.sampled_from(["me", "me.you", "a%40b", ""]))
    token = secret.replace(":", "%3A")  # what stands before a colon is a user, who is shown
    match draw(st.sampled_from(["password", "token", "token:", "query", "both"])):
        case "password":
            return f"{scheme}://{user}:{secret}@{place}", secret
        case "token":
            return f"{scheme}://{token}@{place}", token
        case "token:":
            return f"{scheme}://{token}:@{place}", token
        case "query":
            return f"{scheme}://{place}?password={secret}", secret
        case _:
            return f"{scheme}://{user}:{secret}@{place}?token={secret}#{secret}", secret


@seed(0)
@BOUNDED
@given(addresses())
def test_no_address_shows_its_secret(made: tuple[str, str]) -> None:
    given_, secret = made
    address = Address(given_)
    words = OSError(f"no route to {given_} with {secret} or {quote(secret, safe='')}")
    said = [str(address), repr(address), f"{address}", f"{[address]}", "%s" % address]  # noqa: UP031
    record = logging.LogRecord("a", 20, "a", 1, "at %s: %r", (address, address), None)
    said += [record.getMessage(), shown(address)]
    said += [address.without_secrets(words), store.reason(words, address)]
    try:
        client = address.client if address.is_server else ""
    except ValueError as error:
        client = str(error)
    assert not [text for text in [*said, client] if SECRET in text]


@seed(0)
@BOUNDED
@given(
    st.text(max_size=9) | PIECES | st.sampled_from(["..", ".", "a\n", "A" * 101, "-a", "~", "a/"])
)
def test_a_name_stays_in_its_folder(name: str) -> None:
    try:
        part = path_part(name, "subject", "a.csv")
    except ValueError as error:
        _is_one_line(error)
        return
    assert Path("/a", part).resolve().parent == Path("/a")
    assert part.isascii()
    assert part.isprintable()
    assert not part.startswith(("-", "."))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(["host", "pid", "created", "job", "released"])


@seed(0)
@BOUNDED
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_claim_is_judged_without_an_error(tmp_path_factory: Any, content: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "000001.json"
    path.write_text(json.dumps(content))
    assert isinstance(_Watch(stale=1e9, user=path.stat().st_uid).void(path), bool)


@seed(0)
@BOUNDED
@given(VALUES)
def test_documents_are_read_as_written_or_refused(content: Any) -> None:
    text = json.dumps(content)
    try:
        assert parse_json(text, "a.json") == content
    except ValueError as error:
        _is_one_line(error)
        assert not _finite(content)


def _is_one_line(error: ValueError) -> None:
    said = str(error)
    assert said.startswith("a.")
    assert said.isprintable()
    assert len(said) < 1500


def _finite(content: Any) -> bool:
    parts = list(content.values()) if isinstance(content, dict) else content
    if isinstance(parts, list):
        return all(_finite(part) for part in parts)
    return not isinstance(content, float) or math.isfinite(content)


@seed(0)
@BOUNDED
@given(
    st.lists(
        st.sampled_from(["a: 1", "<<: *a", "&a ", "- ", "\n", " ", "{", "}", "[", "]", "1:1", "? "])
        | st.text(max_size=2)
    )
)
def test_yaml_is_read_or_refused_in_one_line(parts: list[str]) -> None:
    try:
        parse_yaml("".join(parts), "a.yaml")
    except ValueError as error:
        _is_one_line(error)


@seed(0)
@BOUNDED
@given(st.text())
def test_shown_text_steers_no_terminal(text: str) -> None:
    assert shortened(text).isprintable()
    assert len(shortened(text)) <= 240
