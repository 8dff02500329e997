"""Links between a rendered target and the MLflow runs of its trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.tracking import store
from pipelines.tracking.experiments import CHAPTERS

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Without it MLflow's pages open in the view of assistants, whatever kind an experiment has.
_VIEW = "?workflowType=machine_learning"


def links_of(client: MlflowClient, line: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Find the MLflow runs of a target's training runs.

    Returns
    -------
    tags : dict
        For the rendering: the run ids, and a description with a link to each (which is what the
        MLflow page shows on top).
    linked : list of str
        MLflow ids of the training runs that were found.
    """
    wanted = dict.fromkeys(line["run_ids"])
    found: dict[str, tuple[str, str]] = {}
    for run in store.all_runs(client, CHAPTERS):
        run_id = run.data.tags.get("run_id", "")
        if run_id in wanted and run_id not in found:
            found[run_id] = (run.info.experiment_id, run.info.run_id)
    rows = [
        "- [{}](#/experiments/{}/runs/{}?workflowType=machine_learning)".format(
            run_id, *found[run_id]
        )
        if run_id in found
        else f"- {run_id} (made elsewhere, from the ledger)"
        for run_id in wanted
    ]
    told = [f"Runs in {line['target']}:", "", *rows] if rows else []
    tags = {
        "run_ids": " ".join(wanted),
        "mlflow_run_ids": " ".join(mlflow_id for _, mlflow_id in found.values()),
        "mlflow.note.content": "\n".join([*line.get("note", []), *told]),
    }
    return tags, [mlflow_id for _, mlflow_id in found.values()]
