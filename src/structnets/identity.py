"""Names that follow from content: digests, run ids, data variants (standard library only).

A *resolved spec* is the plain JSON object that `structnets.specs.spec` produces; everything here
works on it without pydantic, so that a training needs only torch and numpy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(content: Any) -> str:
    """Serialise to the one JSON text that equal contents share (sorted keys, no spaces)."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `content` (64 hexadecimal digits)."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def science(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return `spec` without the keys that are off (null, false or empty).

    Ids of runs, analyses and sweeps are digests of this, so that an option added later, off by
    default, leaves earlier ids alone.
    """
    kept = {k: science(v) if isinstance(v, dict) else v for k, v in spec.items()}
    return {k: v for k, v in kept.items() if not (v is None or v is False or v in ({}, [], ()))}


def spec_digest(spec: Mapping[str, Any]) -> str:
    """Return the digest of the science of a resolved spec."""
    return digest(science(spec))


def data_variant(spec: Mapping[str, Any]) -> str:
    """Name the part of the training set a spec uses: ``n300``, or ``full``."""
    size = spec["data"].get("train_size")
    return "full" if size is None else f"n{size}"


def chapter_name(chapter: int | None) -> str:
    """Name what runs of a thesis chapter belong to: ``chapter3``; ``own`` if they are of none."""
    return "own" if chapter is None else f"chapter{chapter}"


def short_name(name: str) -> str:
    """Return how names of files show a name: of ``package.module:Object``, ``object``."""
    return name.rpartition(":")[2].lower() if ":" in name else name


def prepared_name(data: Mapping[str, Any]) -> str:
    """Return the folder of a prepared data set: its name, plus a digest of any parameters.

    Of ``package.module:Object`` the digest is over the whole path too: two packages may call
    different data alike.
    """
    prepare, short = data.get("prepare") or {}, short_name(data["name"])
    if short != data["name"]:
        return f"{short}-{digest([data['name'], prepare])[:8]}"
    return f"{short}-{digest(prepare)[:8]}" if prepare else short


def run_id(spec: Mapping[str, Any]) -> str:
    """Return ``<model>-<data>-<variant>-s<seed>-<digest8>`` of a resolved spec."""
    short = spec_digest(spec)[:8]
    model, data = (short_name(spec[part]["name"]) for part in ("model", "data"))
    return f"{model}-{data}-{data_variant(spec)}-s{spec['seed']}-{short}"


def analysis_id(resolved: Mapping[str, Any]) -> str:
    """Return ``<target>-<preset>-<digest8>`` of a resolved analysis, or of its ledger line.

    The digest is over what is asked of which runs; title, caption and labels do not enter. Of an
    analysis of no runs it is also over how often it was measured before, from the second time on.
    """
    asked = {key: resolved[key] for key in ("target", "preset", "analysis", "options")}
    asked["repeat"] = resolved.get("repeat")
    runs = [[model["key"], model["run_id"]] for model in resolved["models"]]
    short = digest(science({**asked, "models": runs}))[:8]
    return f"{resolved['target']}-{resolved['preset']}-{short}"


def sweep_id(resolved: Mapping[str, Any]) -> str:
    """Return ``<name>-<preset>-<digest8>`` of a resolved sweep; its title does not enter."""
    keys = ("name", "preset", "metric", "seed", "asha", "base")
    points = [science(point) for point in resolved["points"]]
    short = digest(science({**{key: resolved[key] for key in keys}, "points": points}))[:8]
    return f"{resolved['name']}-{resolved['preset']}-{short}"
