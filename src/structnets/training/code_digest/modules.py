"""Source files as definitions, and what a name in one of them stands for.

A definition is a statement of a module that binds names: a function, a class, an assignment.
Several statements that bind or change one name are one definition. Imports define nothing: a name
is followed through them, and through packages that re-export it, to its definition.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from structnets.training.code_digest.bindings import Bindings, Imported


@dataclass(frozen=True)
class Definition:
    """A definition of an own module, by its place there."""

    module: str
    number: int


@dataclass(frozen=True)
class Found:
    """A name of a definition: the `ordinal`-th of those it binds."""

    definition: Definition
    ordinal: int


@dataclass(frozen=True)
class OwnModule:
    """A module of an own package, as a value."""

    name: str


@dataclass(frozen=True)
class Foreign:
    """A module of another package, or something in it, by its dotted name."""

    name: str


Reference = Found | OwnModule | Foreign


@dataclass
class Module:
    """The definitions of a source file.

    Attributes
    ----------
    name : str
        Dotted.
    is_package : bool
        Whether it is the ``__init__`` of a package.
    definitions : list of (list of ast.stmt, list of str)
        Statements, and the names they bind, in order.
    places : dict of str to (int, int)
        Of every name, its definition and its ordinal there.
    imports : dict of str to Imported
        Names that are imported, for type checkers alone too.
    stars : list of str
        Modules all of whose names are imported.
    effects : list of ast.stmt
        Statements that bind nothing, such as calls.
    """

    name: str
    is_package: bool = False
    definitions: list[tuple[list[ast.stmt], list[str]]] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    imports: dict[str, Imported] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    effects: list[ast.stmt] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, is_package: bool, statements: Iterable[ast.stmt]) -> Module:
        """Sort the statements of a module."""
        module = cls(name, is_package)
        statements = list(_run_on_import(statements))
        bindings = [Bindings(name, is_package).of([statement]) for statement in statements]
        own = {bound for b in bindings for bound in b.names}
        for statement, b in zip(statements, bindings, strict=True):
            if isinstance(statement, (ast.Import, ast.ImportFrom)) and not own & b.imports.keys():
                module.stars += b.stars
                module.imports |= {key: targets[-1] for key, targets in b.imports.items()}
            elif bound := {**b.names, **dict.fromkeys(b.imports), **_changed(statement, own)}:
                module._define(statement, list(bound))
            elif not isinstance(statement, (ast.Pass, ast.Assert)) and not is_words(statement):
                module.effects.append(statement)
        return module

    def _define(self, statement: ast.stmt, bound: list[str]) -> None:
        """Add a statement to the definition of its names, which may join several."""
        joined = sorted({self.places[name][0] for name in bound if name in self.places})
        number = joined[0] if joined else len(self.definitions)
        if not joined:
            self.definitions.append(([], []))
        statements, names = self.definitions[number]
        for other in joined[1:]:
            statements += self.definitions[other][0]
            names += self.definitions[other][1]
            self.definitions[other] = ([], [])
        statements.append(statement)
        names += [name for name in bound if name not in names]
        self.places |= {name: (number, ordinal) for ordinal, name in enumerate(names)}


class Library:
    """Own packages, read from their source files without importing them.

    Parameters
    ----------
    packages : mapping of str to sequence of pathlib.Path
        Folders of each top-level package, or the file of a top-level module.
    aside : mapping of str to collection of str
        By package, names of definitions, and ``Class.method``, that are marked where they are
        used, but not followed.

    Attributes
    ----------
    checks : dict of Definition to bool
        Whether a definition was found to be a function that can only raise.
    """

    def __init__(
        self,
        packages: Mapping[str, Sequence[Path]],
        aside: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self.packages, self.aside = packages, aside
        self.checks: dict[Definition, bool] = {}
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Return an own module, or None if there is no source of that name."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def follow(self, imported: Imported, seen: frozenset[Imported] = frozenset()) -> Reference:
        """Return what an import stands for."""
        if self.module(imported.module) is None:
            name = [imported.name] if imported.name else []
            return Foreign(".".join([imported.module, *name]))
        if imported.name is None or imported in seen:
            return OwnModule(imported.module)
        found = self.find(imported.module, imported.name, seen | {imported})
        # A name that is made at run time may be anything of its module.
        return found or OwnModule(imported.module)

    def find(
        self, module: str, name: str, seen: frozenset[Imported] = frozenset()
    ) -> Reference | None:
        """Return what a name of an own module stands for, or None if nothing binds it."""
        read = self.module(module)
        if read is None:
            return None
        if name in read.places:
            number, ordinal = read.places[name]
            return Found(Definition(module, number), ordinal)
        if name in read.imports:
            return self.follow(read.imports[name], seen)
        if self.module(f"{module}.{name}") is not None:
            return OwnModule(f"{module}.{name}")
        for star in read.stars:
            key = Imported(star, name)
            if key not in seen and (found := self.find(star, name, seen | {key})):
                return found
        return None

    def statements(self, definition: Definition) -> list[ast.stmt]:
        """Return the statements of a definition."""
        module = self.module(definition.module)
        return [] if module is None else module.definitions[definition.number][0]

    def is_aside(self, module: str, name: str) -> bool:
        """Say whether a definition or ``Class.method`` of a module is not to be followed."""
        return name in self.aside.get(module.partition(".")[0], ())

    def name(self, found: Found) -> str:
        """Return the name of what was found."""
        module = self.module(found.definition.module)
        assert module is not None
        return module.definitions[found.definition.number][1][found.ordinal]

    def _read(self, name: str) -> Module | None:
        package, *parts = name.split(".")
        for location in self.packages.get(package, ()):
            if location.is_file():
                found = [(location, False)] if not parts else []
            else:
                path = location.joinpath(*parts)
                found = [(path / "__init__.py", True)]
                found += [(path.with_name(f"{path.name}.py"), False)] if parts else []
                if path.is_dir() and not any(file.is_file() for file, _ in found):
                    return Module(name, True)
            for file, is_package in found:
                if file.is_file():
                    return Module.of(name, is_package, _parsed(file.read_bytes()).body)
        return None


@functools.cache
def _parsed(source: bytes) -> ast.Module:
    return ast.parse(source)


def is_words(statement: ast.stmt) -> bool:
    """Say whether a statement is a docstring, or another constant without effect."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def is_for_checkers(statement: ast.stmt) -> bool:
    """Say whether a statement is an ``if TYPE_CHECKING``."""
    if not isinstance(statement, ast.If):
        return False
    test = statement.test
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _run_on_import(statements: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Yield what an import runs; of what type checkers alone see, the imports."""
    for statement in statements:
        if is_for_checkers(statement):
            assert isinstance(statement, ast.If)
            kinds = (ast.Import, ast.ImportFrom)
            yield from (inner for inner in statement.body if isinstance(inner, kinds))
            yield from _run_on_import(statement.orelse)
        elif not (_is_main(statement) or _is_overload(statement)):
            yield statement


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _is_overload(statement: ast.stmt) -> bool:
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return any(
        (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)) == "overload"
        for node in statement.decorator_list
    )


def _changed(statement: ast.stmt, own: Iterable[str]) -> dict[str, None]:
    """Return the names whose objects a statement changes: ``X[…] = …``, ``X.append(…)``."""
    if isinstance(statement, (ast.Assign, ast.Delete)):
        places = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        places = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        places = [called] if isinstance(called, ast.Attribute) else []
    else:
        return {}
    names: dict[str, None] = {}
    for place in places:
        base: ast.expr = place
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        if isinstance(base, ast.Name) and base.id in own:
            names[base.id] = None
    return names
