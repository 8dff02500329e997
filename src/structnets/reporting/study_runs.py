"""What studies of pictures and of cohorts share: their jobs, their places, their results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structnets.identity import digest, spec_digest
from structnets.specs.cohort_study import CohortRun
from structnets.specs.study.resolution import StudyRun
from structnets.training.stated_result import read_result

FEWEST_JOBS = 2


class PlannedStudy:
    """A study whose runs are known, and where what it makes lies."""

    @property
    def name(self) -> str:
        """Name of the study."""
        raise NotImplementedError

    def marker(self, job: str, results: str) -> Path:
        """Return the file that says that a job is done."""
        return Path(results) / "studies" / self.name / "jobs" / job

    def report(self, results: str) -> Path:
        """Return the report."""
        return Path(results) / "studies" / self.name / "report.html"

    def deal(
        self, runs: Sequence[StudyRun] | Sequence[CohortRun], most: int
    ) -> dict[str, list[str]]:
        """Deal runs out in turn to jobs of about `most`; a job is named after its runs."""
        names = list(dict.fromkeys(run.run_id for run in runs))
        count = min(len(names), max(FEWEST_JOBS, -(-len(names) // most)))
        dealt = [names[number::count] for number in range(count)]
        return {f"train_{self.name}_{digest(part)[:8]}": part for part in dealt}


def results_of(
    runs: Sequence[StudyRun] | Sequence[CohortRun], results: Path, data_digest: str, what: str
) -> dict[str, dict[str, Any]]:
    """Read what runs published, by run id.

    Parameters
    ----------
    runs : sequence of StudyRun or CohortRun
        All of them.
    results : pathlib.Path
        Root of the results.
    data_digest : str
        Of the prepared data that there are.
    what : str
        What the error calls these.

    Raises
    ------
    FileNotFoundError
        If a run is not there.
    ValueError
        If a result is of another spec, or was measured on other data.
    """
    found = {}
    for run in runs:
        path = results / "runs" / run.run_id / "result.json"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: call the study again to train the run")
        result = read_result(path)
        if result["spec_digest"] != spec_digest(run.spec):
            raise ValueError(
                f"{path} is of another spec: remove its folder and call the study again"
            )
        if result["data_digest"] != data_digest:
            raise ValueError(
                f"{path} was measured on other prepared {what} ({result['data_digest'][:8]}) than "
                f"there are ({data_digest[:8]}): remove its folder and call the study again"
            )
        found[run.run_id] = result
    return found
