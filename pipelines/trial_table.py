"""What became of the trials of a search, as Ray Tune tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.cluster.trials import METRIC, SPEED
from structnets.models.counting import count_parameters
from structnets.specs.resolved import GradientSpec, ResolvedSweep
from structnets.specs.sweep import trial_specs

if TYPE_CHECKING:
    from ray.tune import ResultGrid


def table_of(sweep: ResolvedSweep, grid: ResultGrid) -> list[dict[str, Any]]:
    """List what became of each trial, in the order of the sweep's points."""
    rows, specs = [], trial_specs(sweep)
    for result in grid:
        index = (result.config or {})["trial"]
        curve, begun = _curve(result)
        rows.append(
            {
                "trial": index,
                **sweep["points"][index],
                "epochs": curve[-1].epoch if curve else 0,
                "accuracy": curve[-1].accuracy if curve else None,
                "parameters": count_parameters(specs[index]),
                "step_s": _step_seconds(specs[index], result),
                "stopped_early": bool(curve)
                and curve[-1].epoch < sweep["base"]["recipe"]["epochs"],
                "error": str(result.error) if result.error else "",
                "curve": curve,
                "begun": begun,
            }
        )
    return sorted(rows, key=lambda row: row["trial"])


class Point(NamedTuple):
    """What a trial reported after an epoch, and when, in milliseconds since the epoch."""

    epoch: int
    accuracy: float
    at: int


def _curve(result: Any) -> tuple[list[Point], int | None]:
    """Return the points of a trial, each epoch once, and when it began."""
    frame = result.metrics_dataframe
    if frame is None or METRIC not in frame:
        return [], None
    columns = (frame["epoch"].astype(int), frame[METRIC], frame["timestamp"] * 1000)
    points = {
        epoch: Point(epoch, value, int(at)) for epoch, value, at in zip(*columns, strict=True)
    }
    first = frame.iloc[0]
    begun = int(1000 * (first["timestamp"] - first["time_this_iter_s"]))
    return sorted(points.values()), begun


def _step_seconds(spec: GradientSpec, result: Any) -> float | None:
    """Return the seconds a trial took per step, evaluation left out; None if it reported none."""
    speed = (result.metrics or {}).get(SPEED)
    return spec["recipe"]["batch_size"] / speed if speed else None
