"""Table files: the rows, columns and thesis values of one table or figure, and its floor.

A file ``workflow/targets/<target>.yaml`` of kind ``table`` or ``figure`` says which run stands in
which cell: a row names an experiment file, a column lays overrides over it (the number of training
images, say). The floor lists what a preset runs unless more is asked for.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from structnets.specs.resolved import Preset
from structnets.specs.target_file import TargetFile
from structnets.specs.validation import Strict

Everything = Literal["all"]
# What a column may show of a row's model; the rest is measured by runs.
COUNTS = ("parameters", "collapsed_parameters", "spatial_filters")
Better = Literal["higher", "lower"]
RecipeKind = Literal["gradient", "closed_form"]


class Row(Strict):
    """One row: the runs of an experiment, or values the thesis quotes from others."""

    key: str = Field(pattern=r"^[a-z0-9_]+$", description="This short name is unique in the table.")
    label: str = Field(description="The row is called this where it is shown.")
    experiment: str | None = Field(
        default=None,
        description="The experiment file has this path, relative to the folder of experiments; "
        "null: the values are reported.",
    )
    overrides: dict[str, Any] = Field(
        default={}, description="These overrides are laid over the experiment and the column's."
    )
    presets: dict[Preset, dict[str, Any]] = Field(
        default={},
        description="These overrides are laid over those of the experiment's preset, for this "
        "row alone.",
    )
    runs_in: list[Preset] = Field(
        default=["smoke", "small", "paper"],
        description="The row has runs in these presets. Those in which its data are not what "
        "its label says are left out.",
    )
    reported: dict[str, float] | None = Field(
        default=None,
        description="These values are quoted by the thesis from others, by column; such a row "
        "is never run.",
    )
    source: str | None = Field(
        default=None, description="The reported values are taken from this source."
    )

    @model_validator(mode="after")
    def _run_or_reported(self) -> Row:
        if (self.experiment is None) == (self.reported is None):
            raise ValueError(f"row {self.key!r} needs either experiment or reported")
        if self.reported is not None and self.source is None:
            raise ValueError(f"row {self.key!r} has reported values and so needs a source")
        return self


class Column(Strict):
    """One column: overrides that all rows share."""

    key: str = Field(pattern=r"^[a-z0-9_]+$", description="This short name is unique in the table.")
    label: str = Field(description="The column is called this where it is shown.")
    x: float | None = Field(
        default=None,
        description="In a figure, the column's points lie at this place of the horizontal axis.",
    )
    metric: str | None = Field(
        default=None,
        description="This metric is shown instead of the table's; it may also be a count of the "
        f"row's model: {', '.join(COUNTS)}.",
    )
    digits: int | None = Field(
        default=None,
        ge=0,
        le=6,
        description="Its numbers are shown with so many decimals; null: as many as the table's.",
    )
    better: Better | None = Field(
        default=None,
        description="Its numbers are better the higher or the lower they are; null: as the "
        "table's.",
    )
    overrides: dict[str, Any] = Field(
        default={}, description="These overrides are laid over the experiment."
    )
    recipe: dict[RecipeKind, dict[str, Any]] = Field(
        default={},
        description="These overrides are laid over the recipe of a row whose recipe is of the "
        "kind they are listed under.",
    )
    presets: list[Preset] = Field(
        default=["smoke", "small", "paper"],
        description="The column has runs in these presets. Those in which its data are not what "
        "its label says are left out.",
    )


class ThesisValue(Strict):
    """A number of the thesis that needs a word."""

    value: float = Field(description="The thesis has this number.")
    note: str = Field(description="The note says what is uncertain about the number.")


class Floor(Strict):
    """Runs a preset makes without being asked for more."""

    rows: list[str] | Everything = Field(description="The rows of these keys are run, or all.")
    columns: list[str] | Everything = Field(
        description="The columns of these keys are run, or all."
    )
    seeds: list[int] = Field(
        min_length=1, description="Every cell has one run for each of these seeds."
    )


class Plot(Strict):
    """How the cells are drawn."""

    kind: Literal["accuracy_curve"] = Field(
        description="The cells are drawn as this kind of picture."
    )
    x_label: str = Field(description="The horizontal axis has these words, with its unit.")
    y_label: str = Field(description="The vertical axis has these words, with its unit.")
    thesis_rows: list[str] = Field(
        default=[], description="The thesis values of these rows are drawn, too, as dashed lines."
    )


class Table(TargetFile):
    """One target."""

    kind: Literal["table", "figure"] = Field(
        description="A target of kind table is tabulated; one of kind figure is drawn as well."
    )
    chapter: int | None = Field(
        default=None,
        ge=3,
        le=6,
        description="The file belongs to this chapter of the thesis; null: it is one's own.",
    )
    title: str = Field(description="The title is one line of words and is shown above the result.")
    caption: str = Field(description="The caption says what is shown and how it was measured.")
    metric: str = Field(
        default="accuracy",
        description="The cells hold the value that has this key among the metrics of a run's "
        "result.json.",
    )
    unit: str = Field(
        description="The metric has this unit: %, or an empty text where it is a part of one."
    )
    better: Better = Field(
        default="higher",
        description="Numbers are better the higher they are, as accuracies, or the lower, as "
        "errors.",
    )
    result_in_smoke: bool = Field(
        default=False,
        description="In smoke too the numbers are results, since nets are trained to the end "
        "there; false: cells of smoke only say that their runs went through.",
    )
    digits: int = Field(
        default=2, ge=0, le=6, description="Numbers are shown with so many decimals."
    )
    row_label: str = Field(
        default="", description="The rows are called this together, Model for example."
    )
    column_label: str = Field(
        default="", description="The columns are called this together, Training images for example."
    )
    rows: list[Row] = Field(min_length=1, description="The table has these rows, in their order.")
    columns: list[Column] = Field(
        min_length=1, description="The table has these columns, in their order."
    )
    thesis: dict[str, dict[str, float | ThesisValue]] = Field(
        default={},
        description="The thesis has these values, by the key of the row, then of the column.",
    )
    floor: dict[Preset, list[Floor]] = Field(
        description="Each preset has these runs without being asked for more."
    )
    plot: Plot | None = Field(
        default=None,
        description="The cells are drawn in this way, which a figure needs; null: they are not "
        "drawn.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        rows, columns = [r.key for r in self.rows], [c.key for c in self.columns]
        _unique(rows, "row")
        _unique(columns, "column")
        for key, values in self.thesis.items():
            _known([key], rows, "row", "thesis")
            _known(values, columns, "column", f"thesis.{key}")
        for row in self.rows:
            _known(row.reported or {}, columns, "column", f"row {row.key}.reported")
        for preset, floors in self.floor.items():
            for floor in floors:
                _known(_listed(floor.rows), self.run_rows(preset), "row", f"floor.{preset}")
                columns_run = self.run_columns(preset)
                _known(_listed(floor.columns), columns_run, "column", f"floor.{preset}")
        if (self.kind == "figure") != (self.plot is not None):
            raise ValueError("plot belongs to kind 'figure', and a figure needs one")
        _known(self.plot.thesis_rows if self.plot else [], rows, "row", "plot.thesis_rows")
        return self

    def digits_of(self, column: Column) -> int:
        """Return the decimals of a column's numbers."""
        return self.digits if column.digits is None else column.digits

    def falls_short(self, column: Column, gap: float | None) -> bool:
        """Say whether a gap to the thesis, ours minus its, is more than half a point worse.

        Counts are neither better nor worse.
        """
        if gap is None or column.metric in COUNTS:
            return False
        worse = gap if (column.better or self.better) == "lower" else -gap
        return worse > (0.5 if self.unit == "%" else 0.005)

    def row(self, key: str) -> Row:
        """Return the row called `key`."""
        return next(row for row in self.rows if row.key == key)

    def column(self, key: str) -> Column:
        """Return the column called `key`."""
        return next(column for column in self.columns if column.key == key)

    def metric_of(self, column: str) -> str:
        """Return the key of the metric a column shows."""
        return self.column(column).metric or self.metric

    def rows_of(self, preset: str) -> list[Row]:
        """List the rows that a preset runs, not quoted ones."""
        return [row for row in self.rows if row.reported is None and preset in row.runs_in]

    def columns_of(self, preset: str) -> list[Column]:
        """List the columns that show runs of a preset, not counts."""
        shown = (column for column in self.columns if preset in column.presets)
        return [column for column in shown if column.metric not in COUNTS]

    def run_rows(self, preset: str) -> list[str]:
        """List the keys of `rows_of`."""
        return [row.key for row in self.rows_of(preset)]

    def run_columns(self, preset: str) -> list[str]:
        """List the keys of `columns_of`."""
        return [column.key for column in self.columns_of(preset)]

    def thesis_value(self, row: str, column: str) -> float | None:
        """Return the number the thesis gives for a cell (a quoted one for a reported row)."""
        reported = self.row(row).reported
        if reported is not None:
            return reported.get(column)
        value = self.thesis.get(row, {}).get(column)
        return value.value if isinstance(value, ThesisValue) else value

    def thesis_note(self, row: str, column: str) -> str | None:
        """Return what is to be said about the thesis value of a cell."""
        value = self.thesis.get(row, {}).get(column)
        return value.note if isinstance(value, ThesisValue) else None


def _listed(keys: list[str] | Everything) -> list[str]:
    return [] if keys == "all" else keys  # type: ignore[return-value]


def _unique(keys: list[str], what: str) -> None:
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"{what} keys must be unique; repeated: {', '.join(doubled)}")


def _known(keys: Any, allowed: list[str], what: str, place: str) -> None:
    for key in keys:
        if key not in allowed:
            raise ValueError(f"{place}: unknown {what} {key!r}; allowed: {', '.join(allowed)}")
