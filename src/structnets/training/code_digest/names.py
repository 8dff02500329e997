"""What a name means at a place in a definition, through scopes, imports and packages."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from structnets.training.code_digest.bindings import Bindings
from structnets.training.code_digest.modules import (
    Definition,
    Foreign,
    Library,
    Module,
    OwnModule,
    Reference,
)

_TYPING = ("typing.", "typing_extensions.")
_FOR_CHECKERS = ("Generic", "Protocol", "final", "no_type_check", "override", "overload", "cast")


@dataclass(frozen=True)
class Effects:
    """What the import of a module does besides defining names."""

    module: str


Node = Definition | OwnModule | Effects


@dataclass
class NormalForm:
    """Text of a definition and what it refers to.

    Attributes
    ----------
    text : str
        Equal for definitions that differ in nothing that computes.
    nodes : list
        The definitions and modules that ``Own(k)`` in the text stands for.
    """

    text: str = ""
    nodes: list[Node] = field(default_factory=list)


@dataclass
class Scope:
    """A function, comprehension or class body.

    Attributes
    ----------
    bindings : Bindings
        Names it binds.
    of_class : str or None
        The class' name if it is the body of one.
    has_fields : bool
        Whether annotations in it may make fields.
    """

    bindings: Bindings
    of_class: str | None = None
    has_fields: bool = False

    def binds(self, name: str) -> bool:
        """Say whether it binds a name to anything but one import."""
        return name in self.bindings.names or len(self.bindings.imports.get(name, ())) > 1


class Names:
    """Resolves the names in statements of one module, and numbers what they refer to.

    Parameters
    ----------
    library : Library
        Own packages.
    module : Module
        Where the statements stand.
    number : int, optional
        Of the definition there; None for statements that define nothing.
    """

    def __init__(self, library: Library, module: Module, number: int | None = None) -> None:
        self.library, self.module = library, module
        self.definition = None if number is None else Definition(module.name, number)
        self.form = NormalForm()
        self._left_out: list[Definition] = []
        self._scopes: list[Scope] = []

    def reference(self, found: Reference) -> str:
        """Return the text of what a name stands for."""
        if isinstance(found, Foreign):
            return f"Foreign({found.name})"
        if isinstance(found, OwnModule):
            return f"Own({_number(self.form.nodes, found)})"
        if found.definition == self.definition:
            return f"Self({found.ordinal})"
        if self.library.is_aside(found.definition.module, self.library.name(found)):
            return f"Aside({_number(self._left_out, found.definition)},{found.ordinal})"
        return f"Own({_number(self.form.nodes, found.definition)},{found.ordinal})"

    def _stands_for(self, node: ast.expr) -> tuple[Reference | None, list[str]]:
        """Return what a dotted name begins with, and the attributes that follow it."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        found = self._look_up(node.id) if isinstance(node, ast.Name) else None
        while attributes and isinstance(found, OwnModule):
            inner = self.library.find(found.name, attributes[0])
            if inner is None:
                break
            found, attributes = inner, attributes[1:]
        if isinstance(found, Foreign):
            found, attributes = Foreign(".".join([found.name, *attributes])), []
        return found, attributes

    def _look_up(self, name: str) -> Reference | None:
        for depth, scope in enumerate(reversed(self._scopes)):
            if scope.of_class and depth:
                continue
            if name in scope.bindings.global_names:
                break
            if scope.binds(name):
                return None
            if name in scope.bindings.imports:
                return self.library.follow(scope.bindings.imports[name][0])
        return self.library.find(self.module.name, name)

    def _is_typing(self, node: ast.expr, *names: str) -> bool:
        found, _ = self._stands_for(node)
        return isinstance(found, Foreign) and found.name in {
            f"{module}{name}" for module in _TYPING for name in names or _FOR_CHECKERS
        }

    def _bindings(self, nodes: Iterable[ast.AST], parameters: Iterable[str] = ()) -> Bindings:
        bindings = Bindings(self.module.name, self.module.is_package)
        bindings.names |= dict.fromkeys(parameters)
        return bindings.of(nodes)


def _number(known: list[Any], node: Any) -> int:
    """Return the place of a node among the known ones, which it joins."""
    if node not in known:
        known.append(node)
    return known.index(node)
