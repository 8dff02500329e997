"""Names that follow from content: digests, run ids, data variants (standard library only).

A *resolved spec* is the plain JSON object that `structnets.specs` produces; everything here
works on it without pydantic, so that a training needs only torch and numpy.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(content: Any) -> str:
    """Serialise to the one JSON text that equal contents share (sorted keys, no spaces)."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `content` (64 hexadecimal digits)."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def science(spec: dict[str, Any]) -> dict[str, Any]:
    """Return `spec` without the keys that are off (null, false or empty).

    Run ids are digests of this, so that an option added later, off by default, leaves the ids
    of earlier runs alone.
    """
    kept = {k: science(v) if isinstance(v, dict) else v for k, v in spec.items()}
    return {k: v for k, v in kept.items() if not (v is None or v is False or v in ({}, []))}


def spec_digest(spec: dict[str, Any]) -> str:
    """Return the digest of the science of a resolved spec."""
    return digest(science(spec))


def data_variant(spec: dict[str, Any]) -> str:
    """Name the part of the training set a spec uses: ``n300``, or ``full``."""
    size = spec["data"].get("train_size")
    return "full" if size is None else f"n{size}"


def prepared_name(data: dict[str, Any]) -> str:
    """Return the folder of a prepared data set: its name, plus a digest of any parameters."""
    prepare = data.get("prepare") or {}
    return f"{data['name']}-{digest(prepare)[:8]}" if prepare else data["name"]


def run_id(spec: dict[str, Any]) -> str:
    """Return ``<model>-<data>-<variant>-s<seed>-<digest8>`` of a resolved spec."""
    short = spec_digest(spec)[:8]
    model, data = spec["model"]["name"], spec["data"]["name"]
    return f"{model}-{data}-{data_variant(spec)}-s{spec['seed']}-{short}"
