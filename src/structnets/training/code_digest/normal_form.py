"""The normal form of a definition: what of its syntax computes, without names of places.

Left out are docstrings, annotations, messages of errors, checks that only raise, imports, and what
only type checkers or tools read. A name of another definition is replaced by its number among those
that are referred to, the definition's own names by theirs, a name of a foreign module by its dotted
name. Local names, parameters and attributes stay. The text is our own, since that of `ast.dump`
differs between versions of Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from structnets.training.code_digest.checks import Checks, unsubscripted
from structnets.training.code_digest.modules import Foreign, is_for_checkers, is_words
from structnets.training.code_digest.names import NormalForm, Scope

# Fields that compute nothing, or that not every version of Python has.
_SILENT = {"annotation", "returns", "type_comment", "type_params", "ctx", "kind"}
# Methods of classes that no run calls: for tools that look for them by name.
_FOR_TOOLS = {"__prepare_scriptable__"}
_FIELD_KINDS = ("ClassVar", "InitVar", "KW_ONLY")
_PLACE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*:[A-Za-z_]\w*")  # package.module:object


class Writer(Checks):
    """Writes the normal form of statements of one module.

    Parameters
    ----------
    library : Library
        Own packages.
    module : Module
        Where the statements stand.
    number : int, optional
        Of the definition there; None for statements that define nothing.
    """

    def write(self, statements: Iterable[ast.stmt]) -> NormalForm:
        """Return the normal form of the statements."""
        self.form.text = self._list(statements)
        return self.form

    def _list(self, nodes: Iterable[Any]) -> str:
        return ",".join(text for node in nodes if (text := self._text(node)))

    def _text(self, node: Any) -> str:
        """Return the text of a node, a list or a field; empty if it does not compute."""
        if isinstance(node, list):
            return f"[{self._list(node)}]"
        if not isinstance(node, ast.AST):
            return ascii(node)
        write = getattr(self, f"_write_{type(node).__name__}", self._plain)
        return write(node)

    def _plain(self, node: ast.AST) -> str:
        fields = (
            f"{name}={self._text(value)}"
            for name, value in ast.iter_fields(node)
            if name not in _SILENT and value is not None and value != []
        )
        return f"{type(node).__name__}({','.join(fields)})"

    def _nothing(self, node: ast.AST) -> str:
        return ""

    _write_Pass = _write_Assert = _write_Global = _nothing  # noqa: N815

    # Names

    def _write_Name(self, node: ast.Name) -> str:  # noqa: N802
        found, _ = self._stands_for(node)
        return f"Name({node.id})" if found is None else self.reference(found)

    def _write_Attribute(self, node: ast.Attribute) -> str:  # noqa: N802
        found, attributes = self._stands_for(node)
        if found is None:
            return f"Attribute({self._text(node.value)},{node.attr})"
        text = self.reference(found)
        for attribute in attributes:
            text = f"Attribute({text},{attribute})"
        return text

    def _write_Constant(self, node: ast.Constant) -> str:  # noqa: N802
        if isinstance(node.value, str) and _PLACE.fullmatch(node.value):
            module, _, name = node.value.partition(":")
            found = self.library.find(module, name)
            if found is not None and not isinstance(found, Foreign):
                return f"Place({self.reference(found)})"
        return f"Constant({node.value!a})"

    def _write_Import(self, node: ast.Import | ast.ImportFrom) -> str:  # noqa: N802
        """Write an import only if something else may bind its name too."""
        known = self._bindings([node]).imports
        texts = []
        for name, targets in known.items():
            if self._scopes and not self._scopes[-1].binds(name):
                continue
            bound = self._write_Name(ast.Name(name, ast.Store()))
            texts.append(f"Import({bound},{self.reference(self.library.follow(targets[0]))})")
        return ",".join(texts)

    _write_ImportFrom = _write_Import  # noqa: N815

    # Scopes

    def _within(self, scope: Scope, *parts: Iterable[Any]) -> str:
        self._scopes.append(scope)
        try:
            return ";".join(self._list(part) for part in parts)
        finally:
            self._scopes.pop()

    def _write_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:  # noqa: N802
        if any(self._is_typing(decorator, "overload") for decorator in node.decorator_list):
            return ""
        around = self._scopes[-1].of_class if len(self._scopes) == 1 else None
        if around and node.name in _FOR_TOOLS:
            return ""
        if around and self.library.is_aside(self.module.name, f"{around}.{node.name}"):
            return f"Aside({node.name})"
        decorators = self._list(d for d in node.decorator_list if not self._is_typing(d))
        signature, names = self._signature(node.args)
        body = self._within(Scope(self._bindings(node.body, names)), node.body)
        kind = type(node).__name__
        return f"{kind}({self._own_name(node.name)},[{decorators}],{signature},[{body}])"

    _write_AsyncFunctionDef = _write_FunctionDef  # noqa: N815

    def _write_Lambda(self, node: ast.Lambda) -> str:  # noqa: N802
        signature, names = self._signature(node.args)
        body = self._within(Scope(self._bindings([node.body], names)), [node.body])
        return f"Lambda({signature},{body})"

    def _signature(self, arguments: ast.arguments) -> tuple[str, list[str]]:
        """Write parameters and, in the scope outside, their defaults."""
        kinds = (
            [a.arg for a in arguments.posonlyargs],
            [a.arg for a in arguments.args],
            [arguments.vararg.arg] if arguments.vararg else [],
            [a.arg for a in arguments.kwonlyargs],
            [arguments.kwarg.arg] if arguments.kwarg else [],
        )
        defaults = f"[{self._list(arguments.defaults)}],[{self._list(arguments.kw_defaults)}]"
        return f"{kinds},{defaults}", [name for names in kinds for name in names]

    def _write_ClassDef(self, node: ast.ClassDef) -> str:  # noqa: N802
        decorators = self._list(d for d in node.decorator_list if not self._is_typing(d))
        bases = [base for base in map(unsubscripted, node.bases) if not self._is_typing(base)]
        outside = f"[{decorators}],{self._text(bases)},{self._text(node.keywords)}"
        scope = Scope(
            self._bindings(node.body), of_class=node.name, has_fields=self._has_fields(node)
        )
        return f"Class({self._own_name(node.name)},{outside},[{self._within(scope, node.body)}])"

    def _write_ListComp(self, node: Any) -> str:  # noqa: N802
        first = self._text(node.generators[0].iter)
        scope = Scope(self._bindings(generator.target for generator in node.generators))
        inner = [
            [g.target, *([g.iter] if number else []), g.ifs, g.is_async]
            for number, g in enumerate(node.generators)
        ]
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return f"{type(node).__name__}({first},{self._within(scope, *inner, made)})"

    _write_SetComp = _write_DictComp = _write_GeneratorExp = _write_ListComp  # noqa: N815

    def _own_name(self, name: str) -> str:
        """Return a local name as it is, that of the definition itself by its number."""
        return name if self._scopes else self._write_Name(ast.Name(name, ast.Store()))

    # Statements

    def _write_Assign(self, node: ast.Assign) -> str:  # noqa: N802
        return f"Assign({self._text(node.targets)},{self._text(node.value)})"

    def _write_AnnAssign(self, node: ast.AnnAssign) -> str:  # noqa: N802
        scope = self._scopes[-1] if self._scopes else None
        if scope is not None and scope.has_fields:
            words = set(re.findall(r"\w+", ast.unparse(unsubscripted(node.annotation))))
            kind = next((kind for kind in _FIELD_KINDS if kind in words), "")
            return f"Field({kind},{self._text(node.target)},{self._text(node.value)})"
        if node.value is None:
            return ""
        return f"Assign([{self._text(node.target)}],{self._text(node.value)})"

    def _write_Expr(self, node: ast.Expr) -> str:  # noqa: N802
        return "" if is_words(node) or self._only_checks(node) else self._plain(node)

    def _write_Raise(self, node: ast.Raise) -> str:  # noqa: N802
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return f"Raise({'' if kind is None else self._text(kind)})"

    def _write_If(self, node: ast.If) -> str:  # noqa: N802
        if is_for_checkers(node):
            return self._list(node.orelse)
        return "" if self._only_checks(node) else self._plain(node)

    def _write_For(self, node: ast.For) -> str:  # noqa: N802
        return "" if self._only_checks(node) else self._plain(node)

    def _write_Call(self, node: ast.Call) -> str:  # noqa: N802
        if self._is_typing(node.func, "cast") and len(node.args) == 2:
            return self._text(node.args[1])
        return self._plain(node)
