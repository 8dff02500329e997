"""Targets: what can be asked for by name, one YAML file each, whatever its kind.

A folder ``workflow/targets/`` holds ``<target>.yaml``; listing the folder lists the rule names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field

from structnets.specs.analysis import Analysis
from structnets.specs.drawing import Drawing
from structnets.specs.resolved import Preset
from structnets.specs.sweep import Sweep
from structnets.specs.table import Table
from structnets.specs.validation import checked, load_yaml

Target = Annotated[Table | Analysis | Drawing | Sweep, Field(discriminator="kind")]
KINDS: dict[str, type[Table | Analysis | Drawing | Sweep]] = {
    "table": Table,
    "figure": Table,
    "analysis": Analysis,
    "drawing": Drawing,
    "sweep": Sweep,
}
PRESETS: tuple[Preset, ...] = get_args(Preset)
_T = TypeVar("_T", bound=Table | Analysis | Drawing | Sweep)


@dataclass(frozen=True)
class Targets:
    """The targets of a folder, by name.

    Attributes
    ----------
    tables : dict of str to Table
        Tables, and figures whose points are cells.
    analyses : dict of str to Analysis
        Figures of trained networks.
    drawings : dict of str to Drawing
        Figures drawn by code.
    sweeps : dict of str to Sweep
        Searches over a model's options.
    """

    tables: dict[str, Table]
    analyses: dict[str, Analysis]
    drawings: dict[str, Drawing]
    sweeps: dict[str, Sweep]

    @property
    def all(self) -> dict[str, Table | Analysis | Drawing | Sweep]:
        """Every target, by name, sorted."""
        found = {**self.tables, **self.analyses, **self.drawings, **self.sweeps}
        return dict(sorted(found.items()))

    def describe(self) -> list[dict[str, Any]]:
        """List every target as ``target, kind, chapter, title, rows, columns, presets``.

        Rows and columns are the keys of a table's; others have none. A drawing is the same in
        every preset.
        """
        return [
            {
                "target": name,
                "kind": target.kind,
                "chapter": target.chapter,
                "title": target.title,
                "rows": [row.key for row in target.rows] if isinstance(target, Table) else [],
                "columns": [c.key for c in target.columns] if isinstance(target, Table) else [],
                "presets": _presets(target),
            }
            for name, target in self.all.items()
        ]


def _presets(target: Table | Analysis | Drawing | Sweep) -> list[str]:
    if isinstance(target, Drawing):
        return list(PRESETS)
    named = target.floor if isinstance(target, Table) else target.presets
    return [preset for preset in PRESETS if preset in named]


def load_target(path: Path) -> Table | Analysis | Drawing | Sweep:
    """Read and check the file of one target, which must be called as its ``target``.

    Raises
    ------
    ValueError
        If the file is not valid, or its target is not called as the file.
    """
    content = load_yaml(path)
    kind = content.get("kind") if isinstance(content, dict) else None
    if kind not in KINDS:
        raise ValueError(
            f"{path}: kind is {kind!r}; a target has one of {', '.join(KINDS)} as its kind"
        )
    target = checked(KINDS[kind], content, str(path))
    if target.target != path.stem:
        raise ValueError(f"{path}: target is {target.target!r}; it must be {path.stem!r}")
    return target


def load_table(path: Path) -> Table:
    """Read and check the file of a table, or of a figure whose points are cells.

    Raises
    ------
    ValueError
        As `load_target`, or if the target is of another kind.
    """
    return _of_kind(Table, "table or figure", path)


def load_analysis(path: Path) -> Analysis:
    """Read and check the file of an analysis; raises as `load_table`."""
    return _of_kind(Analysis, "analysis", path)


def load_drawing(path: Path) -> Drawing:
    """Read and check the file of a drawing; raises as `load_table`."""
    return _of_kind(Drawing, "drawing", path)


def _of_kind(wanted: type[_T], words: str, path: Path) -> _T:
    target = load_target(path)
    if not isinstance(target, wanted):
        raise ValueError(f"{path} is a target of kind {target.kind}, not {words}")
    return target


def load_targets(directory: Path) -> Targets:
    """Read every target of a folder.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or it holds no target.
    ValueError
        If a file is not valid, or is not called as its target.
    """
    paths = sorted(path for path in directory.glob("[!.]*") if path.suffix in (".yaml", ".yml"))
    if not paths:
        raise FileNotFoundError(
            f"{directory} holds no target, <target>.yaml; give the folder that does (targets=DIR)"
        )
    for path in paths:
        if path.suffix == ".yml":
            raise ValueError(f"{path}: the file of a target ends in .yaml; rename it")
    found = {path.stem: load_target(path) for path in paths}

    def of(kind: type[_T]) -> dict[str, _T]:
        return {name: target for name, target in found.items() if isinstance(target, kind)}

    return Targets(of(Table), of(Analysis), of(Drawing), of(Sweep))
