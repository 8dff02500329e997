"""Descriptions of runs, in Markdown: what a run is, where it counts, how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.reporting.numbers import spent_s
from structnets.specs.resolved import ResolvedSpec, ResolvedSweep

# A cell as a stage is told it: target/row/column.
_WITHOUT_CELL = "Of no table."
_SMOKE = (
    "> **Preset smoke**: built-in data and few steps. It shows that everything works together; "
    "unless its description says otherwise, its numbers are no result."
)


def of_training(
    spec: ResolvedSpec, cells: Sequence[str], result: Mapping[str, Any] | None = None
) -> str:
    """Describe a training, and its outcome once there is one.

    Parameters
    ----------
    spec : dict
        Resolved spec.
    cells : sequence of str
        Where it counts: ``target/row/column``, or only ``target``.
    result : mapping, optional
        What ``result.json`` holds.
    """
    size = spec["data"].get("train_size")
    data = find_dataset(spec["data"]["name"])
    seen = "all training images" if size is None else f"{size:,} training images"
    if data.cohort:
        seen = f"the fold that seed {spec['seed']} holds out is its test set"
    lines = [
        f"`{spec['model']['name']}` on `{spec['data']['name']}` ({seen}), seed {spec['seed']}.",
        "",
        f"*Data:* {data.note}.",
        "",
    ]
    if result is not None:
        lines += [_outcome(spec, result), ""]
    if spec["preset"] == "smoke":
        lines += [_SMOKE, ""]
    lines += ["**Where it counts**", ""]
    lines += [f"- {_place(cell)}" for cell in cells] or [_WITHOUT_CELL]
    lines += ["", "**Make it again**", "", "```", *_again(spec, cells), "```"]
    return "\n".join(lines)


def _outcome(spec: ResolvedSpec, result: Mapping[str, Any]) -> str:
    metric, hardware = spec["metric"], result["hardware"]
    split = spec["recipe"]["evaluation"]["split"]
    return (
        f"**{metric} {result['metrics'][metric]:.4g}** on the {split} set · "
        f"{result['parameters']['trained']:,} trained parameters · {spent_s(result):,.0f} s on "
        f"{hardware['name']} ({hardware['class']})"
    )


_ANSWERS = {"mae": "an estimate of the score", "map": "labels and a probability of each"}


def of_model(model_id: str, result: Mapping[str, Any]) -> str:
    """Describe a logged model: what it was trained on, how well it does, and how it is asked."""
    spec, metric = result["spec"], result["spec"]["metric"]
    answers = _ANSWERS.get(metric, "a label and probabilities")
    return "\n".join(
        [
            f"`{spec['model']['name']}` trained on `{spec['data']['name']}`, seed {spec['seed']}: "
            f"{metric} {result['metrics'][metric]:.4g} on its test set (preset {spec['preset']}).",
            "",
            "It takes raw files, pictures or NIfTI volumes as its data were, and answers with "
            f"{answers}:",
            "",
            "```python",
            "import mlflow, pandas as pd",
            "",
            f'model = mlflow.pyfunc.load_model("models:/{model_id}")',
            'model.predict(pd.DataFrame({"file": [open("new_file", "rb").read()]}))',
            "```",
        ]
    )


def _place(cell: str) -> str:
    target, *place = cell.split("/")
    return f"`{target}`" + (f", row `{place[0]}`, column `{place[1]}`" if len(place) == 2 else "")


def _again(spec: ResolvedSpec, cells: Sequence[str]) -> list[str]:
    lines = [
        "# from spec.json among the artifacts of this run, with plain torch:",
        "structnets train spec.json --data <prepared data> --out <folder>",
    ]
    placed = [cell.split("/") for cell in cells if cell.count("/") == 2]
    if placed:
        target, row, column = placed[0]
        words = ["structnets", "reproduce", target, row, column, "--seed", str(spec["seed"])]
        lines = ["# in a checkout:", f"{shlex.join(words)} --preset {spec['preset']} --run", *lines]
    return lines


def of_sweep(sweep: ResolvedSweep, best: Mapping[str, Any], metric: str) -> str:
    """Describe a sweep by what was searched and what was found."""
    base = sweep["base"]
    found = ", ".join(f"{key} {value}" for key, value in best["params"].items())
    lines = [
        f"**{sweep['title']}**: {len(sweep['points'])} trials of `{base['model']['name']}` on "
        f"`{base['data']['name']}`, preset {sweep['preset']}.",
        "",
        f"**Best:** {metric} {best['value']:.4g} with {found} (trial `{best['trial']}`); this "
        "run has its metric and parameters.",
        "",
        "Trials are listed below this run. The saved view *Trials of …* (under *Views*, above the "
        "list of runs) shows them in parallel coordinates. They are measured on images held out "
        "of the training set; the test set is never read.",
        "",
        "```",
        f"snakemake --profile profiles/local {sweep['name']} --config preset={sweep['preset']}",
        "```",
    ]
    return "\n".join(lines)


def of_trial(sweep_id: str, name: str, params: Mapping[str, Any]) -> str:
    """Describe one trial."""
    tried = ", ".join(f"{key} {value}" for key, value in params.items())
    return f"Trial `{name}` of the sweep `{sweep_id}`: {tried}."


def of_target(target: str, preset: str, title: str, caption: str, provenance: str) -> str:
    """Describe a table, figure or analysis; the links to its runs follow it."""
    lines = [f"**{title}**" if title else f"**{target}**", ""]
    lines += [text for paragraph in (caption, provenance) if paragraph for text in (paragraph, "")]
    options = "" if preset == "drawn" else f" --config preset={preset}"
    return "\n".join(
        [*lines, "```", f"snakemake --profile profiles/local {target}{options}", "```"]
    )


def of_cross_validation(spec: ResolvedSpec, cell: str, folds: int, pooled: bool) -> str:
    """Describe the run above the folds of one cell."""
    scored = (
        "Its scores are over the predictions of all held-out subjects at once (pooled)."
        if pooled
        else "Not all folds of a repetition are there yet: its scores are means over those there."
    )
    return (
        f"Cross-validation of `{spec['model']['name']}` on `{spec['data']['name']}`, cell "
        f"{_place(cell)}: {folds} runs, each of which holds out one fold. {scored}"
    )
