"""Cohorts of brain volumes in the plan, and the scans each waits for."""

import functools

from structnets.cohorts.content import UNLISTED
from structnets.cohorts.fold_sizes import refuse_few_inside, subjects_of_classes
from structnets.cohorts.request import CohortRequest

COHORTS = {
    name: (
        STUDY.request
        if isinstance(STUDY, CohortPlan) and STUDY.data == data
        else CohortRequest(data["name"], data["prepare"])
    )
    for name, data in preparations(by_subject=True).items()
}
SUBJECTS = f"{CONFIG.prepared}/subjects"
# Grids and numbers of folds share registered scans.
OF_SUBJECTS = {request.subjects_name(): request for request in COHORTS.values()}


def data_json(request, of_scans=False):
    """Return the data object of a request, for a stage: all of it, or what concerns a scan."""
    prepare = request.of_scans() if of_scans else request.prepare
    name = request.scans_of if of_scans else request.name
    return identity.canonical_json({"name": name, "prepare": prepare})


@functools.cache
def listed(name):
    """Return the scans of a prepared cohort."""
    request = COHORTS[name]
    try:
        if request.content == UNLISTED:
            raise ValueError(CONTENTS.troubles.get(request.listed_as(), UNLISTED))
        return request.list_scans(Path(CONFIG.data_root)).scans
    except (ValueError, OSError) as error:
        raise WorkflowError(str(error))


@functools.cache
def scan_files(subjects):
    """Return the files of the scans in a folder of registered ones, by name.

    A cohort that cannot be listed tells so where it is asked for.
    """
    found = {}
    for name, request in COHORTS.items():
        if request.name != "simulated_cohort" and request.subjects_name() == subjects:
            try:
                found |= {scan.name: str(scan.path) for scan in listed(name)}
            except WorkflowError:
                continue
    return found


def scan_file(wildcards):
    """Return the file of a scan, whose change has it registered again."""
    try:
        return scan_files(wildcards.subjects)[wildcards.scan]
    except KeyError:
        raise WorkflowError(
            f"no cohort of {wildcards.subjects} has the scan {wildcards.scan}"
        )


def registered(name):
    """Return the registered scans a prepared cohort waits for."""
    request = COHORTS[name]
    if request.name == "simulated_cohort":
        return []
    return [
        f"{SUBJECTS}/{request.subjects_name()}/{scan.name}.json"
        for scan in listed(name)
    ]


def tables_of(name):
    """Return the tables of labels of a prepared cohort.

    Of one's own cohort they count by what is in them, which its name tells, and not by their age.
    """
    request = COHORTS[name]
    if request.name == "simulated_cohort":
        return []
    tables = map(str, request.tables(Path(CONFIG.data_root)))
    return [ancient(path) if request.content else path for path in tables]


def refuse_few_inner(spec):
    """Stop before anything runs if a training could not choose among its parameters."""
    name, recipe = identity.prepared_name(spec["data"]), spec["recipe"]
    if name not in COHORTS or recipe["kind"] != "closed_form":
        return
    request = COHORTS[name]
    if request.name != "simulated_cohort":
        try:
            subjects = subjects_of_classes(listed(name), request.classes)
            refuse_few_inside(subjects, request.folds, recipe["folds"])
        except ValueError as error:
            raise WorkflowError(str(error))


def tell_changes():
    """Say of cohorts of one's own what has changed since they were prepared last."""
    for request in COHORTS.values():
        scans = (
            STUDY.scans()
            if isinstance(STUDY, CohortPlan) and request is STUDY.request
            else CONTENTS.scans.get(request.listed_as())
        )
        data = {"name": request.name, "prepare": request.prepare}
        if (
            request.content
            and scans
            and (said := changed_since(Path(CONFIG.prepared), data, scans))
        ):
            logger.warning(f"{request.name}: {said}.")


if workflow.is_main_process:
    tell_changes()
