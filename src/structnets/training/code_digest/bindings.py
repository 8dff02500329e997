"""Which names statements bind, and to what imports bind theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Imported:
    """What an import binds a name to: a module, or a name in it."""

    module: str
    name: str | None = None


class Bindings(ast.NodeVisitor):
    """Names that statements bind in their own scope.

    Parameters
    ----------
    module : str
        Of the statements, for relative imports.
    is_package : bool
        Whether that module is a package.

    Attributes
    ----------
    names : dict of str to None
        Bound other than by an import, in order.
    imports : dict of str to list of Imported
        Bound by imports.
    stars : list of str
        Modules all of whose names are imported.
    outer : set of str
        Declared global or nonlocal, and so not bound here.
    global_names : set of str
        Those of them that are the module's.
    """

    def __init__(self, module: str, is_package: bool) -> None:
        self._package = module if is_package else module.rpartition(".")[0]
        self.names: dict[str, None] = {}
        self.imports: dict[str, list[Imported]] = {}
        self.stars: list[str] = []
        self.outer: set[str] = set()
        self.global_names: set[str] = set()

    def of(self, nodes: Iterable[ast.AST]) -> Bindings:
        """Take the names that nodes bind."""
        for node in nodes:
            self.visit(node)
        for name in self.outer:
            self.names.pop(name, None)
        return self

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Take its name; what is in it is of another scope."""
        self.names[node.name] = None
        self._visit_all([*node.decorator_list, node.args])

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Take its name."""
        self.names[node.name] = None
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Look at its defaults alone."""
        self._visit_all([node.args])

    def visit_arg(self, node: ast.arg) -> None:
        """Pass over a parameter."""

    def visit_ListComp(self, node: ast.AST) -> None:
        """Take what it assigns in passing (``:=``): that is bound outside of it."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.visit(inner.target)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_Name(self, node: ast.Name) -> None:
        """Take a name that is stored or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self.names[node.id] = None

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Take the name of a caught error."""
        self._named(node, node.name)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        """Take what a pattern captures."""
        self._named(node, node.name)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Take the rest of a mapping."""
        self._named(node, node.rest)

    def visit_Global(self, node: ast.Global) -> None:
        """Leave names to the module."""
        self.outer.update(node.names)
        self.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Leave names to an outer function."""
        self.outer.update(node.names)

    def visit_Import(self, node: ast.Import) -> None:
        """Take the modules."""
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            self._import(alias.asname or whole, Imported(whole))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Take the names."""
        module = node.module or ""
        if node.level:
            above = self._package.split(".")[: len(self._package.split(".")) - node.level + 1]
            module = ".".join([*above, *([module] if module else [])])
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(module)
            else:
                self._import(alias.asname or alias.name, Imported(module, alias.name))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _named(self, node: ast.AST, name: str | None) -> None:
        if name is not None:
            self.names[name] = None
        self.generic_visit(node)

    def _import(self, name: str, imported: Imported) -> None:
        known = self.imports.setdefault(name, [])
        if imported not in known:
            known.append(imported)
