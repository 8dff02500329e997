"""The net of a training as MLflow's logged model: raw file in, label or score out.

What is logged is the small folder of `structnets.training.trained_net`, which
``mlflow.pyfunc.load_model`` loads by the name of that module: no code and no pickle is in it.
"""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.tracking import descriptions, lines
from structnets import __version__
from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json
from structnets.identity import prepared_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

# Larger weights stay in the results: copying them would take longer than a second.
LARGEST = 128 << 20
_LOADER = "structnets.training.trained_net"
_PACKAGES = ("torch", "numpy", "pillow")
_OF_VOLUMES = ("nibabel", "nilearn", "simpleitk", "scikit-image", "scipy")

log = logging.getLogger("structnets.tracking")


def log_model(client: MlflowClient, mlflow_run_id: str, line: Mapping[str, Any]) -> None:
    """Log the net of a published run, once; say in a tag why if it cannot be.

    Parameters
    ----------
    line : mapping
        As `lines.model_line` writes it.
    """
    from mlflow.entities import LoggedModelOutput

    run = client.get_run(mlflow_run_id)
    if run.outputs is not None and run.outputs.model_outputs:
        return
    folder, prepared = Path(line["from"]), Path(line["prepared"])
    if reason := _why_not(folder):
        client.set_tag(mlflow_run_id, "model", reason)
        return
    with tempfile.TemporaryDirectory(prefix="structnets-") as temporary:
        packed = Path(temporary) / "model"
        try:
            of = read_json(folder / "spec.json")["data"]
            spec = _pack(folder, prepared / prepared_name(of), Path(temporary) / "net", packed)
        except Exception as error:  # of this machine, not of MLflow: trying again would not help
            client.set_tag(mlflow_run_id, "model", f"not logged: {error}")
            return
        name = folder.name.replace("/", "-")
        _discard_unfinished(client, run.info.experiment_id, mlflow_run_id)
        model = client.create_logged_model(
            run.info.experiment_id,
            name,
            mlflow_run_id,
            tags={"run_id": folder.name},
            params={"model": spec["model"]["name"], "data": spec["data"]["name"]},
            model_type="regressor" if spec["metric"] == "mae" else "classifier",
        )
        note = descriptions.of_model(model.model_id, read_json(folder / "result.json"))
        client.set_logged_model_tags(model.model_id, lines.described(note))
        client.log_model_artifacts(model.model_id, str(packed))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(mlflow_run_id, [LoggedModelOutput(model.model_id, line["step"])])


def _why_not(folder: Path) -> str:
    size = (folder / "model.pt").stat().st_size
    if size > LARGEST:
        return (
            f"not logged: weights of {size / 1e6:,.0f} MB stay in the results, where "
            "`structnets.training.trained_net` reads them"
        )
    return ""


def _discard_unfinished(client: MlflowClient, experiment: str, mlflow_run_id: str) -> None:
    """Delete what a process left that was killed while it logged the net of this run."""
    for model in client.search_logged_models([experiment], f"source_run_id = '{mlflow_run_id}'"):
        client.delete_logged_model(model.model_id)


def _pack(run: Path, prepared: Path, net: Path, packed: Path) -> Mapping[str, Any]:
    """Write the model as MLflow stores it; return the spec of its training."""
    from structnets.training.input_facts import answer_facts
    from structnets.training.trained_net import RawFiles, save_net

    spec, manifest = read_json(run / "spec.json"), load_manifest(prepared)
    save_net(run, prepared, net)
    raw_files = RawFiles(spec, manifest)
    volumes = raw_files.of_scans
    standardized = spec["recipe"].get("standardize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow says of type hints and of its own imports
        from mlflow import pyfunc

        pyfunc.save_model(
            str(packed),
            loader_module=_LOADER,
            data_path=str(net),
            signature=_signature(answer_facts(spec, manifest)),
            input_example=_example(spec, manifest, prepared, volumes),
            pip_requirements=_requirements(volumes),
            metadata={
                "run_id": run.name,
                "classes": list(manifest["classes"]),
                "input": raw_files.takes,
                "input_shape": list(raw_files.shape),
                "statistics": manifest["statistics"] if standardized else None,
                "commit": read_json(run / "result.json")["git"]["sha"],
            },
        )
    return spec


def _signature(facts: Mapping[str, Any]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import Array, DataType, Map

    probabilities = ColSpec(Map(DataType.double), "probabilities")
    if "score" in facts:
        answer = Schema([ColSpec("double", "estimate")])
    elif "several" in facts:
        answer = Schema([ColSpec(Array(DataType.string), "labels"), probabilities])
    else:
        answer = Schema([ColSpec("string", "label"), probabilities])
    return ModelSignature(Schema([ColSpec("binary", "file")]), answer)


def _requirements(volumes: bool) -> list[str]:
    names = _PACKAGES + (_OF_VOLUMES if volumes else ())
    return [f"structnets=={__version__}", *(f"{name}=={metadata.version(name)}" for name in names)]


def _example(
    spec: Mapping[str, Any], manifest: Mapping[str, Any], prepared: Path, volumes: bool
) -> Any:
    """Return one file as an example: a test picture of a published set, else a made-up one.

    Pictures and scans of one's own are not put into MLflow.
    """
    import pandas as pd

    content = _ellipsoid() if volumes else _picture(spec, manifest, prepared)
    return pd.DataFrame({"file": [content]})


def _picture(spec: Mapping[str, Any], manifest: Mapping[str, Any], prepared: Path) -> bytes:
    from PIL import Image

    channels, height, width = manifest["image_shape"]
    stored = prepared / "test_images.npy"
    if spec["chapter"] is not None and stored.is_file():
        pixels = np.load(stored, mmap_mode="r")[0]
    else:
        ramp = np.linspace(0, 255, width, dtype=np.uint8)
        pixels = np.broadcast_to(ramp, (channels, height, width))
    shown = pixels[0] if channels == 1 else np.transpose(pixels, (1, 2, 0))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(file, "PNG")
    return file.getvalue()


def _ellipsoid() -> bytes:
    """Return a NIfTI volume on the MNI152 2 mm grid that is nobody's head."""
    import gzip

    import nibabel

    from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE

    axes = (np.linspace(-1.25, 1.25, size) for size in MNI_SHAPE)
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    inside = np.clip(1 - (x**2 + y**2 + z**2), 0, 1)
    volume = nibabel.Nifti1Image((255 * inside).astype(np.uint8), MNI_AFFINE)
    return gzip.compress(volume.to_bytes(), 1)
