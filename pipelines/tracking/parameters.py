"""Parameters as MLflow shows them: what somebody chose, in numbers where there are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from structnets.identity import science
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.spec import Spec


def chosen(spec: ResolvedSpec) -> dict[str, Any]:
    """Return what a spec says beyond the defaults, without what is off.

    Kinds stay also where they are the default, since the rest is read by them.
    """
    kept = Spec.model_validate(spec).model_dump(mode="json", exclude_defaults=True)
    kept.setdefault("recipe", {})["kind"] = spec["recipe"]["kind"]
    kept["metric"] = spec["metric"]
    return science(kept)


def final_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores of a published run under the names that MLflow shows everywhere.

    A score of the test set is called as in ``result.json`` and in tables, ``accuracy``; one of
    held-out training images as in curves and sweeps, ``val_accuracy``.
    """
    prefix = "" if result["spec"]["recipe"]["evaluation"]["split"] == "test" else "val_"
    scores = {f"{prefix}{name}": float(value) for name, value in result["metrics"].items()}
    return {
        **scores,
        "parameters": float(result["parameters"]["trained"]),
        "train_s": float(result["train_s"]),
        "peak_memory_mb": float(result["peak_memory_mb"]),
    }


def numeric(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the points of a sweep with one number per name, as parallel coordinates take them.

    A list becomes one entry for each place, ``sigmas`` becomes ``sigma_1``, ``sigma_2`` …; a list
    that has one number throughout in every point becomes that number, ``order``.

    Parameters
    ----------
    points : sequence of mapping
        Option → value, the same options in all.
    """
    alike = {
        name
        for name in {name for point in points for name in point}
        if all(_is_one_number(point.get(name)) for point in points)
    }
    return [_spread(point, alike) for point in points]


def _is_one_number(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(v == value[0] for v in value)


def _spread(point: Mapping[str, Any], alike: set[str]) -> dict[str, Any]:
    spread: dict[str, Any] = {}
    for name, value in point.items():
        one = name.removesuffix("s")
        if name in alike:
            spread[one] = value[0]
        elif isinstance(value, list):
            spread |= {f"{one}_{place}": entry for place, entry in enumerate(value, start=1)}
        else:
            spread[name] = value
    return spread
