"""Hostile YAML, JSON and specs."""

from __future__ import annotations

import json
from typing import Any

from tests.hostile.making import NESTED, SPEC, of_bytes, of_text


def alias_bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def _merge_bomb() -> str:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 40)]
    return "\n".join(lines)


YAMLS = {
    "a key twice": of_text("a.yaml", "chapter: 3\nchapter: 4"),
    "merges that expand": of_text("a.yaml", _merge_bomb()),
    "a merge of itself": of_text("a.yaml", "&a {<<: *a}"),
    "a key that clears the screen": of_text("a.yaml", '"\\e[2J\\nchapter": 1'),
    "10,000 unknown keys": of_text("a.yaml", "\n".join(f"k{n}: 1" for n in range(10_000))),
    "aliases that expand": of_text("a.yaml", alias_bomb()),
    "an alias of itself": of_text("a.yaml", "&a [*a]"),
    "nested lists": of_text("a.yaml", NESTED),
    "nested mappings": of_text("a.yaml", "\n".join(" " * n + "a:" for n in range(3000))),
    "a call": of_text("a.yaml", "!!python/object/apply:eval ['1 + 1']"),
    "a date that is none": of_text("a.yaml", "2024-99-99"),
    "no text": of_bytes("a.yaml", b"\xff\xfe\xff"),
    "300 MB": of_bytes("a.yaml", lambda: b"# " + b"x" * (300 << 20)),
    "an unknown key": of_text("a.yaml", "nonsense: 1"),
    "nothing": of_text("a.yaml", ""),
}
JSONS = {
    "100,000 nested lists": of_text("a.json", NESTED),
    "NaN": of_text("a.json", '{"lr": NaN}'),
    "a key twice": of_text("a.json", '{"lr": 1, "lr": 2}'),
    "16 bits a letter": of_bytes("a.json", lambda: '{"lr": 1}'.encode("utf-16")),
    "NUL": of_bytes("a.json", bytes(100)),
    "a number of 10,000 digits": of_text("a.json", "1" * 10_000),
    "no text": of_bytes("a.json", b"\xff\xfe"),
    "300 MB": of_bytes("a.json", lambda: b'"' + b"x" * (300 << 20) + b'"'),
    "cut": of_text("a.json", '{"a": '),
    "nothing": of_text("a.json", ""),
}


def spec(**changes: Any) -> str:
    """JSON of a spec with some keys changed, ``recipe__epochs`` for a key within."""
    content = json.loads(json.dumps(SPEC))
    for key, value in changes.items():
        place, *rest = key.split("__")
        node = content
        while rest:
            node, place, *rest = node.setdefault(place, {}), *rest
        node[place] = value
    return json.dumps(content)


SPECS = {
    "a rate of infinity": of_text("a.json", spec(recipe__optimizer__lr=float("inf"))),
    "a rate of 1e400": of_text("a.json", spec(recipe__optimizer__lr="X").replace('"X"', "1e400")),
    "a negative rate": of_text("a.json", spec(recipe__optimizer__lr=-1)),
    "a negative batch": of_text("a.json", spec(recipe__batch_size=-5)),
    "10^30 epochs": of_text("a.json", spec(recipe__epochs=10**30)),
    "a batch of 10^12": of_text("a.json", spec(recipe__batch_size=10**12)),
    "a negative seed": of_text("a.json", spec(seed=-1)),
    "a seed of 10^40": of_text("a.json", spec(seed=10**40)),
    "betas above 1": of_text("a.json", spec(recipe__optimizer__betas=[2.0, -1.0])),
    "a shift of 10^9": of_text("a.json", spec(recipe__augmentation={"shift": 10**9})),
    "negative milestones": of_text(
        "a.json", spec(recipe__schedule={"name": "step", "milestones": [-1]})
    ),
    "a kernel of 10^9": of_text("a.json", spec(model__options={"kernel_sizes": [10**9, 3, 3]})),
    "a negative kernel": of_text("a.json", spec(model__options={"kernel_sizes": [-3, 3, 3]})),
    "an option that is a list": of_text("a.json", spec(model__options={"kernel_sizes": [[3]]})),
    "an unknown model": of_text("a.json", spec(model__name="x" * 100_000)),
    "somebody's module": of_text("a.json", spec(model__name="no_such_module_anywhere:Net")),
    "a key that clears the screen": of_text("a.json", spec(**{"\x1b[2J\n\u202e": 1})),
    "10,000 unknown keys": of_text("a.json", spec(**{f"k{n}": 1 for n in range(10_000)})),
    "a list": of_text("a.json", "[]"),
    "nothing": of_text("a.json", "{}"),
}
