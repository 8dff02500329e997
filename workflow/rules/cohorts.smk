"""Cohorts of brain volumes in the plan, and the scans each waits for."""

from structnets.cohorts.request import CohortRequest

COHORT_FILES = ("volumes.npy", "labels.npy", "subjects.json", "folds.csv")
COHORTS = {
    name: CohortRequest(data["name"], data["prepare"])
    for name, data in preparations(
        "simulated_cohort", "oasis_ad126", "adni", "cohort"
    ).items()
}
SUBJECTS = f"{CONFIG.prepared}/subjects"
# Grids and numbers of folds share registered scans.
OF_SUBJECTS = {request.subjects_name(): request for request in COHORTS.values()}


def data_json(request):
    """Return the data object of a request, for a stage."""
    return identity.canonical_json({"name": request.name, "prepare": request.prepare})


def registered(name):
    """Return the registered scans a prepared cohort waits for."""
    request = COHORTS[name]
    if request.name == "simulated_cohort":
        return []
    try:
        scans = request.list_scans(Path(CONFIG.data_root)).scans
    except (ValueError, OSError) as error:
        raise WorkflowError(str(error))
    return [f"{SUBJECTS}/{request.subjects_name()}/{scan.name}.json" for scan in scans]
