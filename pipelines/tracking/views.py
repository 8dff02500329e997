"""Saved views of MLflow's pages: charts that are there before anybody clicks.

MLflow (3.17) keeps a named view of an experiment's runs as one of its tags, and lists them under
"Views". The value is JSON: a name, when it was saved, and the state of the page as a text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

PREFIX = "mlflow.sharedViewState."
# MLflow refuses longer values of tags.
LONGEST = 5000
_SECTION = "charts"


def tag_of(
    key: str, name: str, charts: Sequence[dict[str, Any]], runs: str, order: str, at: int
) -> dict[str, str]:
    """Return the tag of a saved view; none if it were too long for one.

    Parameters
    ----------
    key : str
        By which links name it; one of the same key is replaced.
    name : str
        As people see it.
    charts : sequence of dict
        As `parallel_coordinates`, `bars` and `lines` make them.
    runs : str
        Filter of the runs, as in MLflow's search field.
    order : str
        Metric by which runs are listed, the highest first. In order of time MLflow would fold
        trials into the run of their sweep, and draw that alone.
    at : int
        When it was saved, in milliseconds since the epoch.
    """
    section = {"uuid": _SECTION, "name": name, "display": True, "isReordered": False}
    state = {
        "searchFilter": runs,
        "orderByKey": f"metrics.`{order}`",
        "orderByAsc": False,
        "compareRunCharts": list(charts),
        "compareRunSections": [{**section, "columns": 1, "deleted": False, "isGenerated": False}],
        "runsHiddenMode": "SHOW_ALL",
    }
    saved = {"name": name, "createdAt": at, "updatedAt": at, "state": json.dumps(state)}
    value = json.dumps(saved)
    return {PREFIX + key: value} if len(value) <= LONGEST else {}


def parallel_coordinates(params: Sequence[str], metric: str, title: str) -> dict[str, Any]:
    """Return a chart with an axis for each parameter, a metric last, and a line for each run."""
    axes = {"selectedParams": list(params), "selectedMetrics": [metric]}
    return {**_card("PARALLEL", "parallel", title), **axes, "showAllRuns": True}


def bars(metric: str, title: str) -> dict[str, Any]:
    """Return a chart with a bar for each run."""
    return {**_card("BAR", f"bars-{metric}", title), "metricKey": metric}


def lines(metric: str, title: str) -> dict[str, Any]:
    """Return a chart with the course of a metric, a line for each run."""
    axes = {"metricKey": metric, "selectedMetricKeys": [metric], "xAxisKey": "step"}
    return {**_card("LINE", f"lines-{metric}", title), **axes}


def _card(kind: str, uuid: str, title: str) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": uuid,
        "displayName": title,
        "metricSectionId": _SECTION,
        "runsCountToCompare": 100,
        "deleted": False,
        "isGenerated": False,
    }


def of_trainings() -> dict[str, str]:
    """Return the tag of the view of an experiment's trainings."""
    charts = [
        bars("accuracy", "Accuracy on the test set (%)"),
        lines("train_loss", "Training loss"),
        bars("images_per_s", "Images a second"),
    ]
    name, runs = "Accuracy, loss and speed", "attributes.status = 'FINISHED'"
    return tag_of("trainings", name, charts, runs, "accuracy", 1)


def of_sweep(sweep_id: str, params: Sequence[str], metric: str, at: int) -> dict[str, str]:
    """Return the tag of the view of a sweep's trials."""
    charts = [
        parallel_coordinates(params, metric, f"{metric} by what was tried"),
        bars(metric, metric),
    ]
    name, runs = f"Trials of {sweep_id}", f"tags.sweep = '{sweep_id}'"
    return tag_of(f"trials-{sweep_id}", name, charts, runs, metric, at)
