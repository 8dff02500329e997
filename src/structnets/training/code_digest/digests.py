"""Digests of definitions: each over its normal form and the digests of what it refers to.

Definitions that refer to each other in a circle are told apart by what they look like from within
it, to the depth of the circle: names and order do not enter.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

from structnets.training.code_digest.modules import Definition, Found, Library, Module, OwnModule
from structnets.training.code_digest.names import Effects, Node, NormalForm
from structnets.training.code_digest.normal_form import Writer


class Digests:
    """Digests of the definitions of some packages; kept once they are computed.

    Parameters
    ----------
    library : Library
        The packages.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._forms: dict[Node, NormalForm] = {}
        self._digests: dict[Node, str] = {}
        self._methods: dict[str, set[str]] = {}

    def of(self, place: str) -> str:
        """Return the digest of ``package.module:object`` and of all it refers to.

        Raises
        ------
        ModuleNotFoundError
            If there is no source of the module.
        AttributeError
            If the module defines no such object.
        """
        found, attributes = self._find(place)
        if found.definition not in self._digests:
            for circle in self._circles(found.definition):
                self._digest(circle)
        return _hash([self._digests[found.definition], str(found.ordinal), *attributes])

    def reached(self, place: str) -> set[Node]:
        """Return all definitions and modules that an object refers to, itself among them."""
        waiting: list[Node] = [self._find(place)[0].definition]
        seen: set[Node] = set()
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting += self._form(node).nodes
        return seen

    def has_method(self, place: str, name: str) -> bool:
        """Say whether a class that an object refers to has a method of that name."""
        return name in self._methods_of(place)

    def _methods_of(self, place: str) -> set[str]:
        if place not in self._methods:
            self._methods[place] = {
                part.name
                for node in self.reached(place)
                if isinstance(node, Definition)
                for statement in self.library.statements(node)
                if isinstance(statement, ast.ClassDef)
                for part in statement.body
                if isinstance(part, ast.FunctionDef)
            }
        return self._methods[place]

    def _find(self, place: str) -> tuple[Found, list[str]]:
        module, _, name = place.partition(":")
        first, *attributes = name.split(".")
        if self.library.module(module) is None:
            raise ModuleNotFoundError(f"{place!r}: there is no source of the module {module}")
        found = self.library.find(module, first)
        if not isinstance(found, Found):
            raise AttributeError(f"{place!r}: module {module} defines no {first!r}")
        return found, attributes

    def _form(self, node: Node) -> NormalForm:
        if node not in self._forms:
            self._forms[node] = self._written(node)
        return self._forms[node]

    def _written(self, node: Node) -> NormalForm:
        module = self.library.module(node.name if isinstance(node, OwnModule) else node.module)
        assert module is not None
        number = node.number if isinstance(node, Definition) else None
        writer = Writer(self.library, module, number)
        if isinstance(node, OwnModule):
            return _whole(writer, module)
        if isinstance(node, Effects):
            return writer.write(module.effects)
        form = writer.write(module.definitions[node.number][0])
        if module.effects:
            form.nodes.append(Effects(module.name))
        return form

    def _digest(self, circle: list[Node]) -> None:
        """Digest definitions that refer to each other; what else they refer to is digested."""
        labels = dict.fromkeys(circle, "")
        for _ in circle:
            known = {**labels}
            for node in circle:
                form = self._form(node)
                inner = [known[n] if n in known else self._digests[n] for n in form.nodes]
                labels[node] = _hash([form.text, *inner])
        self._digests |= labels

    def _circles(self, start: Node) -> Iterator[list[Node]]:
        """Yield strongly connected components, those referred to first (Tarjan, 1972)."""
        order: dict[Node, int] = {}
        lowest: dict[Node, int] = {}
        open_nodes: dict[Node, None] = {}
        path: list[tuple[Node, Iterator[Node]]] = []

        def enter(node: Node) -> None:
            order[node] = lowest[node] = len(order)
            open_nodes[node] = None
            path.append((node, iter(self._form(node).nodes)))

        enter(start)
        while path:
            node, following = path[-1]
            for other in following:
                if other in self._digests:
                    continue
                if other not in order:
                    enter(other)
                    break
                if other in open_nodes:
                    lowest[node] = min(lowest[node], order[other])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == order[node]:
                    circle = list(open_nodes)
                    circle = circle[circle.index(node) :]
                    for member in circle:
                        del open_nodes[member]
                    yield circle


def _whole(writer: Writer, module: Module) -> NormalForm:
    """Write a module that is used as a value: its names may be asked for at run time."""
    texts = [
        f"{name}={writer.reference(found)}"
        for name in sorted({*module.places, *module.imports})
        if (found := writer.library.find(module.name, name))
    ]
    writer.form.text = f"Module({','.join(texts)})"
    if module.effects:
        writer.form.nodes.append(Effects(module.name))
    return writer.form


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
