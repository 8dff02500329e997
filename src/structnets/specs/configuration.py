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

    mem_mb: int = Field(
        ge=1, description="A training is granted so much memory on each node, in MB."
    )
    runtime: int = Field(ge=1, description="A training is stopped after so many minutes.")


class Configuration(Strict):
    """What a user sets. Nothing here but the preset enters a digest."""

    preset: Preset = Field(default="smoke", description="The preset is smoke, small or paper.")
    study: str | None = Field(
        default=None,
        description="The study is described by this YAML file, anywhere; null: there is none.",
    )
    rows: list[str] | None = Field(
        default=None,
        description="These rows are run, given as a,b or all; null: those of the preset's floor.",
    )
    columns: list[str] | None = Field(
        default=None,
        description="These columns are run, given as a,b or all; null: those of the preset's "
        "floor.",
    )
    seeds: int | None = Field(
        default=None,
        ge=1,
        description="Every cell is run with the seeds 0 to n - 1; null: with those of the "
        "preset's floor.",
    )
    seed_offset: int = Field(
        default=0,
        ge=0,
        description="The seeds of the networks in figures are higher by this number; a figure "
        "can so be made of several trainings. What looks at no network is measured once more, "
        "and the trials of a search have higher seeds.",
    )
    ledger: Literal["use", "ignore"] = Field(
        default="use",
        description="With use, runs that have a line in the ledger are not trained again; with "
        "ignore, they are.",
    )
    results: str = Field(
        default="results", description="Everything published lies below this folder."
    )
    scratch: str = Field(
        default="scratch", description="Checkpoints and spools lie below this folder."
    )
    prepared: str = Field(
        default="data/prepared", description="Prepared data lie below this folder."
    )
    data_root: str = Field(
        default="data/original",
        description="The original files of data sets lie below this folder.",
    )
    download: bool = Field(
        default=False, description="If true, missing originals are fetched into data_root."
    )
    workers: dict[Preset, dict[str, int]] = Field(
        default={},
        description="One training has so many processes, by preset and model; the key default "
        "is for all other models, which have 1 without it.",
    )
    cpus_per_worker: int = Field(
        default=1, ge=1, description="Each process of a training has so many CPU threads."
    )
    gpus_per_worker: int = Field(
        default=0, ge=0, description="Each process of a training has so many GPUs."
    )
    nodes: int | None = Field(
        default=None,
        ge=1,
        description="One training has at most so many nodes; null: as many as its experiment "
        "file asks for.",
    )
    sizes: dict[Literal["small", "medium", "large"], Size] = Field(
        default={
            "small": Size(mem_mb=4000, runtime=60),
            "medium": Size(mem_mb=16000, runtime=720),
            "large": Size(mem_mb=64000, runtime=2880),
        },
        description="Each size class has this memory and time.",
    )
    sweep_cpus: int = Field(
        default=2, ge=1, description="A sweep spreads its trials over so many CPUs."
    )
    analysis_cpus: int = Field(default=2, ge=1, description="One analysis has so many CPU threads.")
    job_lines: bool = Field(
        default=False,
        description="The terminal shows one line a job and a bar with what is left.",
    )
    warm_cluster: bool = Field(
        default=False, description="If true, one local Ray cluster is shared by the jobs of a call."
    )
    fork_jobs: bool = Field(
        default=False,
        description="If true, the jobs of a call are forked from a process that has imported "
        "libraries once.",
    )
    few_processes: bool = Field(
        default=False,
        description="If true, jobs of smoke and of studies start few processes, since a training "
        "of one process is run in its job's own and a sweep of smoke makes one trial at a time.",
    )
    targets: str = Field(
        default="workflow/targets", description="Target files are read from this folder."
    )
    experiments: str = Field(
        default="workflow/experiments", description="Experiment files are read from this folder."
    )
    ledger_root: str = Field(
        default="workflow/ledger", description="The ledger is read from this folder."
    )

    @field_validator("rows", "columns", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    @property
    def is_lean(self) -> bool:
        """Say whether sweeps start few processes."""
        return self.few_processes and self.preset == "smoke"

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
