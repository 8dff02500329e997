"""Who imports whom among our own modules, read from their syntax: nothing is imported for it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "src" / "structnets").rglob("*.py"))
PIPELINES = sorted((ROOT / "pipelines").rglob("*.py"))

Arrow = tuple[str, str]


def name_of(file: Path) -> str:
    """Dotted name of a module, the package's own for its ``__init__``."""
    start = ROOT / "src" if file in LIBRARY else ROOT
    parts = file.relative_to(start).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, package: str = "") -> set[str]:
    """Every dotted name a module imports anywhere in it, functions included.

    What is imported *from* a module may be a name in it or a module below it, so both
    ``module`` and ``module.name`` are among them. `package` resolves relative imports.
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = [*above, node.module] if node.level else [node.module]
            module = ".".join(part for part in start if part)
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def arrows(files: list[Path]) -> set[Arrow]:
    """Pairs of modules among `files`, the importing one first."""
    modules = {name_of(file): file for file in files}
    found = set()
    for name, file in modules.items():
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        names = imported(file.read_text(), package) & modules.keys()
        # `from room import module` needs the room's own file too, but means the module.
        below = {other for other in names if any(n.startswith(f"{other}.") for n in names)}
        names -= {other for other in below if modules[other].name == "__init__.py"}
        found |= {(name, other) for other in names - {name}}
    return found
