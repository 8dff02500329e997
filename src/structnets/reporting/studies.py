"""The plan of a study, whatever it is of."""

from __future__ import annotations

import os
from pathlib import Path

from structnets.cohorts.content import memory_of
from structnets.reporting.cohort_plan import CohortPlan, plan_cohort
from structnets.reporting.study_plan import (
    PINNED,
    StudyPlan,
    lists_folder,
    plan_study,
    remember,
)
from structnets.specs.cohort_study import is_cohort_study
from structnets.specs.configuration import Configuration


def plan_any_study(configuration: Configuration) -> StudyPlan | CohortPlan | None:
    """Read the study that a configuration names and list its data; None if it names none.

    Raises
    ------
    ValueError, OSError
        As `plan_study` and `plan_cohort` say.
    """
    if configuration.study is not None and is_cohort_study(Path(configuration.study)):
        lists = lists_folder(configuration.scratch)
        pinned = os.environ.get(PINNED)
        planned = plan_cohort(configuration, lists, pinned)
        if not pinned:
            remember(planned, configuration, memory_of(planned.request, Path(), lists))
        return planned
    return plan_study(configuration)
