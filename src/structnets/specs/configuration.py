"""The workflow's configuration (``workflow/config/config.yaml`` and ``--config``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from structnets.specs.renamed import refuse_old_keys
from structnets.specs.resolved import Preset
from structnets.specs.validation import Strict, checked


class Size(Strict):
    """What Slurm grants a training of a size class."""

    mem_mb: int = Field(ge=1, description="Memory on each node, in MB.")
    runtime: int = Field(ge=1, description="Time limit in minutes.")


class Configuration(Strict):
    """What a user sets. Nothing here but the preset enters a digest."""

    preset: Preset = Field(default="smoke", description="smoke, small or paper.")
    rows: list[str] | None = Field(
        default=None, description="Rows instead of the floor's: a,b or all."
    )
    columns: list[str] | None = Field(
        default=None, description="Columns instead of the floor's: a,b or all."
    )
    seeds: int | None = Field(
        default=None, ge=1, description="Seeds 0 to n - 1 instead of the floor's."
    )
    ledger: Literal["use", "ignore"] = Field(
        default="use", description="use: runs in the ledger are not trained again."
    )
    results: str = Field(default="results", description="Root of everything published.")
    scratch: str = Field(default="scratch", description="Root of checkpoints and spools.")
    prepared: str = Field(default="data/prepared", description="Root of prepared data.")
    data_root: str = Field(default="data/original", description="Where the original files lie.")
    download: bool = Field(default=False, description="Fetch missing originals into data_root.")
    workers: dict[Preset, dict[str, int]] = Field(
        default={}, description="Processes of one training, per preset and model; default: 1."
    )
    cpus_per_worker: int = Field(default=1, ge=1, description="CPU threads of each process.")
    gpus_per_worker: int = Field(default=0, ge=0, description="GPUs of each process.")
    nodes: int | None = Field(
        default=None, ge=1, description="Nodes of one training at most, whatever it asks for."
    )
    sizes: dict[Literal["small", "medium", "large"], Size] = Field(
        default={
            "small": Size(mem_mb=4000, runtime=60),
            "medium": Size(mem_mb=16000, runtime=720),
            "large": Size(mem_mb=64000, runtime=2880),
        },
        description="Memory and time of the size classes.",
    )
    sweep_cpus: int = Field(default=2, ge=1, description="CPUs a sweep spreads its trials over.")
    analysis_cpus: int = Field(default=2, ge=1, description="CPU threads of one analysis.")
    warm_cluster: bool = Field(
        default=False, description="Share one local Ray cluster between the jobs of this call."
    )
    targets: str = Field(default="workflow/targets", description="Folder of target files.")
    experiments: str = Field(
        default="workflow/experiments", description="Folder of experiment files."
    )
    ledger_root: str = Field(default="workflow/ledger", description="Folder of the ledger.")

    @field_validator("rows", "columns", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    def workers_of(self, model: str) -> int:
        """Return the number of processes that train a model under the chosen preset."""
        chosen = self.workers.get(self.preset, {})
        return chosen.get(model, chosen.get("default", 1))


def load_configuration(content: dict[str, Any], checkout: str = "") -> Configuration:
    """Validate the workflow's configuration.

    Parameters
    ----------
    content : dict
        As it is written.
    checkout : str
        Where the files of the workflow lie that `content` does not place elsewhere; left out of
        paths where it is the working folder.

    Raises
    ------
    ValueError
        Listing what is allowed.
    """
    refuse_old_keys(content)
    if checkout and not Path.cwd().samefile(checkout):
        content = {**_below(checkout), **content}
    return checked(Configuration, content, "the workflow configuration (--config)")


def _below(checkout: str) -> dict[str, Any]:
    """Return the default folders of the workflow's own files in a checkout."""
    defaults = {name: field.default for name, field in Configuration.model_fields.items()}
    own = {name: text for name, text in defaults.items() if str(text).startswith("workflow/")}
    return {name: str(Path(checkout, text)) for name, text in own.items()}
