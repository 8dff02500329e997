"""What of a definition enters its digest, on small packages made for it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from structnets.training.code_digest.digests import Digests
from structnets.training.code_digest.modules import Library

Digest = Callable[..., str]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """Return the digest of ``made.a:f``, or another place, in a package of given files."""
    numbers = count()

    def compute(a: str, place: str = "made.a:f", aside: str = "", **others: str) -> str:
        folder = tmp_path / str(next(numbers)) / "made"
        for name, text in {"__init__": "", "a": a, **others}.items():
            file = folder.joinpath(*name.split("__in__")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        return Digests(Library({"made": [folder]}, {"made": aside.split()})).of(place)

    return compute


SAME = {
    "methods for tools": (
        "class f:\n    def g(self):\n        return 1",
        "class f:\n    def g(self):\n        return 1\n    def __prepare_scriptable__(self):\n"
        "        return 2",
    ),
    "comments and spaces": (
        "def f(x):\n    return x",
        "def f( x ):  # why\n\n    return (x)",
    ),
    "docstrings": (
        "def f(x):\n    return x",
        'def f(x):\n    """Words."""\n    return x',
    ),
    "annotations": (
        "def f(x, *, y=1):\n    return x",
        "def f(x: int, *, y: 'T' = 1) -> T:\n    return x",
    ),
    "local annotations": (
        "def f():\n    x = 1\n    return x",
        "def f():\n    x: int\n    x: int = 1\n    return x",
    ),
    "types of constants": (
        "C = 1\ndef f(): return C",
        "from typing import Final\nC: Final = 1\ndef f(): return C",
    ),
    "casts": (
        "def f(x): return x",
        "from typing import cast\ndef f(x): return cast('T', x)",
    ),
    "overloads": (
        "def f(x): return x",
        "from typing import overload\n"
        "@overload\n"
        "def f(x: int): ...\n"
        "@overload\n"
        "def f(x: str): ...\n"
        "def f(x): return x",
    ),
    "override": (
        "class f:\n    def g(self): return 1",
        "import typing\nclass f:\n    @typing.override\n    def g(self): return 1",
    ),
    "generic bases": (
        "class f:\n    x = 1",
        "from typing import Generic\nclass f(Generic['T']):\n    x = 1",
    ),
    "types of attributes": (
        "class f:\n    x = 1",
        "class f:\n    y: str\n    x: int = 1",
    ),
    "types of fields": (
        "@dataclass\nclass f:\n    x: int\n    y: int = 1",
        "@dataclass\nclass f:\n    x: 'float'\n    y: dict[str, int] = 1",
    ),
    "imports for checkers": (
        "def f(): return 1",
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import numpy\n"
        "def f():\n"
        "    if TYPE_CHECKING:\n"
        "        import torch\n"
        "    return 1",
    ),
    "checks": (
        "def f(x): return x",
        "def f(x):\n    if x < 0: raise ValueError(x)\n    assert x\n    return x",
    ),
    "checks of each": (
        "def f(x): return x",
        "def f(x):\n    for y in x:\n        if y: raise ValueError\n    return x",
    ),
    "functions that check": (
        "def f(x): return x",
        "def f(x):\n"
        "    check(x)\n"
        "    return x\n"
        "def check(x):\n"
        "    '''Refuse.'''\n"
        "    if x: raise ValueError(words(x))\n"
        "def words(x): return 1",
    ),
    "messages": (
        "def f():\n    raise ValueError('a')",
        "def f():\n    raise ValueError(f'b {1}') from None",
    ),
    "names of functions": (
        "def f(): return g()\ndef g(): return 1",
        "def h(): return 1\ndef f(): return h()",
    ),
    "names of constants": (
        "C, D = 1, 2\ndef f(): return D",
        "A, B = 1, 2\ndef f(): return B",
    ),
    "names of imports": (
        "import numpy as np\ndef f(): return np.pi",
        "from numpy import pi\ndef f(): return pi",
    ),
    "local imports": (
        "import torch.nn\ndef f(): return torch.nn.ReLU",
        "def f():\n    from torch import nn\n    return nn.ReLU",
    ),
    "order": (
        "def f(): return g()\ndef g(): return 1\nC = 2",
        "C = 3\ndef g(): return 1\ndef f(): return g()",
    ),
    "neighbours": (
        "def f(): return 1",
        "import os\nX = 1\nX += 1\nclass Y: pass\ndef f(): return 1",
    ),
    "scripts": (
        "def f(): return 1",
        "def f(): return 1\nif __name__ == '__main__':\n    print(f())",
    ),
    "numerals": (
        "def f(): return 1000, 'a'",
        'def f(): return 1_000, "a"',
    ),
}
OTHER = {
    "constants": (
        "C = 1\ndef f(): return C",
        "C = 2\ndef f(): return C",
    ),
    "which of two constants": (
        "C, D = 1, 2\ndef f(): return C",
        "C, D = 1, 2\ndef f(): return D",
    ),
    "types of numbers": (
        "def f(): return 1",
        "def f(): return 1.0",
    ),
    "reached functions": (
        "def f(): return g()\ndef g(): return 1",
        "def f(): return g()\ndef g(): return 2",
    ),
    "decorators": (
        "def f(): return 1",
        "import functools\n@functools.cache\ndef f(): return 1",
    ),
    "decorators of ours": (
        "def f(): return 1\nf = d(f)\ndef d(f): return f",
        "def f(): return 1\nf = d(f)\ndef d(f): return 1",
    ),
    "bases": (
        "class f(A): pass\nclass A: x = 1",
        "class f(A): pass\nclass A: x = 2",
    ),
    "methods": (
        "class f:\n    def g(self): return 1",
        "class f:\n    def g(self): return 2",
    ),
    "names of methods": (
        "class f:\n    def g(self): return 1",
        "class f:\n    def h(self): return 1",
    ),
    "names of parameters": (
        "def f(x): return 1",
        "def f(y): return 1",
    ),
    "names of attributes": (
        "def f(x): return x.a",
        "def f(x): return x.b",
    ),
    "kinds of parameters": (
        "def f(x): return x",
        "def f(*, x): return x",
    ),
    "defaults": (
        "C = 1\ndef f(x=C): return x",
        "C = 2\ndef f(x=C): return x",
    ),
    "defaults of nested ones": (
        "C = 1\ndef f():\n    def g(C=C): return C",
        "C = 2\ndef f():\n    def g(C=C): return C",
    ),
    "fields": (
        "@dataclass\nclass f:\n    x: int",
        "@dataclass\nclass f:\n    x: int\n    y: int",
    ),
    "class variables": (
        "@dataclass\nclass f:\n    x: int = 1",
        "@dataclass\nclass f:\n    x: ClassVar[int] = 1",
    ),
    "fields of a tuple": (
        "from typing import NamedTuple\nclass f(NamedTuple):\n    x: int",
        "from typing import NamedTuple\nclass f(NamedTuple):\n    y: int",
    ),
    "what is used of a check": (
        "def f(x):\n    if (y := x) < 0: raise ValueError\n    return y",
        "def f(x):\n    if (y := x + 1) < 0: raise ValueError\n    return y",
    ),
    "loops without raise": (
        "def f(x):\n    for y in x: pass",
        "def f(x):\n    pass",
    ),
    "what is raised": (
        "def f():\n    raise ValueError",
        "def f():\n    raise KeyError",
    ),
    "foreign names": (
        "import numpy\ndef f(): return numpy.pi",
        "import numpy\ndef f(): return numpy.e",
    ),
    "foreign modules": (
        "from math import floor\ndef f(): return floor",
        "from numpy import floor\ndef f(): return floor",
    ),
    "builtins that are replaced": (
        "def f(x): return len(x)",
        "def len(x): return 1\ndef f(x): return len(x)",
    ),
    "later changes of a constant": (
        "C = {}\ndef f(): return C",
        "C = {}\nC['a'] = 1\ndef f(): return C",
    ),
    "later calls": (
        "C = []\nC.append(1)\ndef f(): return C",
        "C = []\nC.append(2)\ndef f(): return C",
    ),
    "both cases": (
        "try:\n    import x\nexcept ImportError:\n    x = None\ndef f(): return x",
        "try:\n    import x\nexcept ImportError:\n    x = 1\ndef f(): return x",
    ),
    "effects of the import": (
        "import torch\ndef f(): return 1",
        "import torch\ntorch.set_num_threads(1)\ndef f(): return 1",
    ),
    "globals": (
        "C = 1\ndef f():\n    global C\n    C += 1",
        "C = 2\ndef f():\n    global C\n    C += 1",
    ),
    "comprehensions": (
        "C = 1\ndef f(): return [C for x in range(C)]",
        "C = 2\ndef f(): return [C for x in range(C)]",
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_does_not_enter(what: str, digest: Digest) -> None:
    one, other = SAME[what]
    assert digest(one) == digest(other)


@pytest.mark.parametrize("what", OTHER)
def test_enters(what: str, digest: Digest) -> None:
    one, other = OTHER[what]
    assert digest(one) != digest(other)


def test_local_names_hide_those_of_the_module(digest: Digest) -> None:
    def text(constant: int) -> str:
        return f"""
            C = {constant}
            def f(C, *D):
                def inner(): return C
                return [C for C in D], lambda C: C, inner
        """

    assert digest(text(1)) == digest(text(2))


def test_names_of_a_class_body_are_not_those_of_its_methods(digest: Digest) -> None:
    text = "C = {}\nclass f:\n    C = 1\n    D = C\n    def g(self): return C"
    assert digest(text.format(1)) != digest(text.format(2))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_circles(n: int, digest: Digest) -> None:
    """Of functions that call each other; each has a constant of its own."""

    def circle(names: str, last: int = 0, start: int = 0) -> str:
        order = [*range(start, n), *range(start)]
        constants = [0] * (n - 1) + [last]
        parts = [
            f"def {names[k]}(x): return {names[(k + 1) % n]}(x - {constants[k]})" for k in order
        ]
        return "\n".join(parts)

    assert digest(circle("fgh")) == digest(circle("fab", start=n - 1))
    assert digest(circle("fgh")) != digest(circle("fgh", last=1))
    # Seen from another member it is another definition, unless all are alike.
    seen = digest(circle("ghf"[-n:] if n > 1 else "f", last=1), place="made.a:f")
    assert (seen == digest(circle("fgh", last=1))) == (n == 1)


def test_circle_of_modules(digest: Digest) -> None:
    one = digest(
        "from made import b\ndef f(): return b.g", b="from made.a import f\ndef g(): return f"
    )
    other = digest("def f(): return k\ndef k(): return f")
    assert one == other


def test_moved_through_packages(digest: Digest) -> None:
    here = digest("C = 1\ndef f(): return g()\ndef g(): return C")
    there = digest(
        "from .parts import g as h\ndef f(): return h()",
        parts__in____init__="from made.parts.deep import *\nfrom . import deep",
        parts__in__deep="from ..constants import D as C\ndef g(): return C",
        constants="D = 1",
    )
    lazily = digest(
        "import made.parts as p\ndef f():\n    from made import parts\n    return p.g()",
        parts__in____init__="""
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from made.parts.deep import g
            def __getattr__(name): return name
        """,
        parts__in__deep="C = 1\ndef g(): return C",
    )
    assert here == there == lazily


def test_places_in_strings_are_followed(digest: Digest) -> None:
    text = "TABLE = {{'x': 'made.{}:net'}}\ndef f(): return TABLE"
    one = digest(text.format("b"), b="def net(): return 1")
    assert digest(text.format("c"), c="def net(): return 1") == one
    assert digest(text.format("b"), b="def net(): return 2") != one
    assert digest(text.format("z")) != one


@pytest.mark.parametrize("use", ["getattr(b, x)", "list(vars(b))", "b.made_at_run_time"])
def test_module_as_a_value_is_all_of_it(use: str, digest: Digest) -> None:
    text = f"from made import b\ndef f(x): return {use}"
    assert digest(text, b="C = 1") != digest(text, b="C = 2")
    assert digest(text, b="C = 1") != digest(text, b="D = 1")


def test_what_is_set_aside_is_not_followed(digest: Digest) -> None:
    text = "def f(): return g(1)\ndef g(x): return {}"
    assert digest(text.format(1), aside="g") == digest(text.format(2), aside="g")
    assert digest(text.format(1), aside="g") != digest(text.format(1))
    assert digest("def f(): return h(1)\ndef h(x): return 1", aside="h") == digest(
        text.format(1), aside="g"
    )


def test_methods_that_are_set_aside_are_not_followed(digest: Digest) -> None:
    text = "class f:\n    def g(self): return {}\n    def h(self): return {}"
    assert digest(text.format(1, 1), aside="f.g") == digest(text.format(2, 1), aside="f.g")
    assert digest(text.format(1, 1), aside="f.g") != digest(text.format(1, 2), aside="f.g")
    assert digest(text.format(1, 1), aside="g") == digest(text.format(1, 1))


def test_parts_of_an_object(digest: Digest) -> None:
    text = "class A:\n    def small(cls): return 1\n    def large(cls): return 2"
    found = [digest(text, place=f"made.a:A{part}") for part in ("", ".small", ".large")]
    assert len(set(found)) == 3


def test_what_is_not_there_is_named(digest: Digest) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no source of the module made\.b"):
        digest("", place="made.b:f")
    with pytest.raises(AttributeError, match=r"module made\.a defines no 'f'"):
        digest("import numpy as f")
