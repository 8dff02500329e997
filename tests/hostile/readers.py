"""The readers that hostile files are given to, by the names of `tests.hostile.files`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _pickle(path: Path) -> Any:
    from structnets.data.originals.pickles import read_plain_pickle

    return read_plain_pickle(path.read_bytes(), str(path))


def _tar(path: Path) -> Any:
    from structnets.data.originals.tars import list_tar

    return list_tar(path)


def _idx(path: Path) -> Any:
    from structnets.data.originals.idx import read_idx

    return read_idx(path)


def _prediction(path: Path) -> Any:
    from structnets.metrics.boundary.inputs import read_prediction

    return read_prediction(path)


def _jpeg(path: Path) -> Any:
    """Decode as a preparation does; what is refused stands in the list of quarantined files."""
    from structnets.data.originals.verified_image import BrokenImageError, decode_verified, fit

    try:
        return fit(decode_verified(path.read_bytes())[0], "short256")
    except BrokenImageError as error:
        raise ValueError(f"{path}: left out: {error}") from error


def _mat(path: Path) -> Any:
    from structnets.data.originals.boundary_truth import read_bsds_truth

    return read_bsds_truth(path)


def _parquet(path: Path) -> Any:
    from structnets.data.sets.cifar_jpeg import read_image_table

    return read_image_table(path)


def _nifti(path: Path) -> Any:
    from structnets.imaging.volumes import read_volume

    return read_volume(path)


def _flirt(path: Path) -> Any:
    from structnets.imaging.flirt import _read_matrix

    return _read_matrix(path)


def _yaml(path: Path) -> Any:
    from structnets.specs.experiment import load_experiment
    from structnets.specs.validation import load_yaml

    return load_experiment(load_yaml(path), str(path))


def _json(path: Path) -> Any:
    from structnets.files import read_json

    return read_json(path)


def _spec(path: Path) -> Any:
    from structnets.files import read_json
    from structnets.specs.spec import validate

    return validate(read_json(path))


def _weights(path: Path) -> Any:
    from structnets.training.tensor_files import read_model

    return read_model(path)


def _result(path: Path) -> Any:
    from structnets.training.stated_result import read_result

    return read_result(path)


def _ledger(path: Path) -> Any:
    from structnets.reporting.ledger import read_ledger

    return read_ledger(path.parent)


def _lock(path: Path) -> Any:
    from pipelines.cluster.run_lock import _Watch

    watch = _Watch(stale=1e9, user=os.geteuid())
    return {"void": watch.void(path)}


def _marker(path: Path) -> Any:
    from pipelines.cluster.launch import _read_marker

    return {"believed": _read_marker(path)}


def _address(path: Path) -> Any:
    from pipelines.tracking.health import trouble

    logging.disable()
    said = trouble(path.read_text(), timeout=2)
    if said is None:
        return None
    raise OSError(f"{path}: {said}")


def _photo(path: Path) -> Any:
    """Decode as a study of one's own pictures does; what is refused is left out of it."""
    from structnets.data.originals.picture import decode_picture
    from structnets.data.originals.verified_image import BrokenImageError, fit

    try:
        return fit(decode_picture(path.read_bytes(), 224).image, "short224")
    except BrokenImageError as error:
        raise ValueError(f"{path}: left out: {error}") from error


def _table(path: Path) -> Any:
    from structnets.pictures.found import in_table

    return in_table(path)


def _participants(path: Path) -> Any:
    from structnets.cohorts.sheet import read_labels

    return read_labels(path, "participant_id", lambda row: row["group"] or None, ["group"])


def _study(path: Path) -> Any:
    from structnets.specs.study.model import load_study

    return load_study(path)


READERS: dict[str, Callable[[Path], Any]] = {
    "pickle": _pickle,
    "tar": _tar,
    "gz": _idx,
    "idx": _idx,
    "png": _prediction,
    "jpeg": _jpeg,
    "npy": _prediction,
    "mat": _mat,
    "parquet": _parquet,
    "nifti": _nifti,
    "flirt": _flirt,
    "yaml": _yaml,
    "json": _json,
    "spec": _spec,
    "weights": _weights,
    "result": _result,
    "ledger": _ledger,
    "lock": _lock,
    "marker": _marker,
    "address": _address,
    "photo": _photo,
    "table": _table,
    "participants": _participants,
    "study": _study,
}
