"""Which statements can only raise, and which classes make fields of annotations."""

from __future__ import annotations

import ast

from structnets.training.code_digest.modules import Definition, Foreign, Found, is_words
from structnets.training.code_digest.names import Names

_BASES_WITHOUT_FIELDS = ("torch.", "abc.", "enum.", "typing.Generic", "typing.Protocol")


class Checks(Names):
    """Tells statements that do not compute."""

    def _only_checks(self, statement: ast.stmt) -> bool:
        """Say whether a statement can only raise; what it assigns in passing may be used."""
        return self._checks(statement) and not any(
            isinstance(node, ast.NamedExpr) for node in ast.walk(statement)
        )

    def _checks(self, statement: ast.stmt) -> bool:
        if isinstance(statement, (ast.Raise, ast.Assert)):
            return True
        if isinstance(statement, (ast.If, ast.For)):
            return all(self._checks(inner) for inner in (*statement.body, *statement.orelse))
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            found, attributes = self._stands_for(statement.value.func)
            return isinstance(found, Found) and not attributes and self._is_check(found.definition)
        return False

    def _is_check(self, definition: Definition) -> bool:
        """Say whether a definition is a function that can only raise."""
        known = self.library.checks
        if definition not in known:
            known[definition] = False  # one that calls itself is none
            other, (statement, *more) = self._elsewhere(definition)
            if isinstance(statement, ast.FunctionDef) and not (more or statement.decorator_list):
                body = [inner for inner in statement.body if not is_words(inner)]
                known[definition] = bool(body) and all(map(other._only_checks, body))
        return known[definition]

    def _elsewhere(self, definition: Definition) -> tuple[Checks, list[ast.stmt]]:
        """Return the names of another definition, and its statements."""
        module = self.library.module(definition.module)
        assert module is not None
        return Checks(self.library, module, definition.number), self.library.statements(definition)

    def _has_fields(self, node: ast.ClassDef) -> bool:
        """Say whether annotations of a class may make fields, as in a dataclass."""
        if any(not self._is_typing(decorator) for decorator in node.decorator_list):
            return True
        for base in map(unsubscripted, node.bases):
            found, _ = self._stands_for(base)
            if isinstance(found, Foreign) and not found.name.startswith(_BASES_WITHOUT_FIELDS):
                return True
            if isinstance(found, Found) and found.definition != self.definition:
                other, statements = self._elsewhere(found.definition)
                if any(isinstance(s, ast.ClassDef) and other._has_fields(s) for s in statements):
                    return True
        return False


def unsubscripted(node: ast.expr) -> ast.expr:
    """Return a generic class without its parameters, which compute nothing."""
    return node.value if isinstance(node, ast.Subscript) else node
