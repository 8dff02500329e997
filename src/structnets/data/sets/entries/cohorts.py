"""Cohorts of brain volumes: each scan is registered by a job of its own."""

from structnets.data.sets.entries.entry import Allowed, DatasetEntry

_READ = "structnets.cohorts.request:CohortRequest"
# The grid of MNI152 at 2 mm; a coarser one averages over its cubes.
_MNI = (1, 91, 109, 91)
_OF_COHORTS: dict[str, Allowed] = {"grid_mm": (4, 6, 8), "folds": (2, 3, 4, 5, 8)}
# What is taken where a parameter is left out; to say so is to leave it out.
_DEFAULTS: dict[str, bool | int | str] = {
    **{"grid_mm": 2, "folds": 10, "field_of_view": "whole", "bias_field": True, "strip": True},
    **{"registration": "simpleitk", "sessions": "first", "exclude_failed": False},
}
_OF_SCANS: dict[str, Allowed] = {
    **_OF_COHORTS,
    "bias_field": (False,),
    "strip": (False,),
    "registration": ("flirt",),
    "sessions": ("all",),
    "exclude_failed": (True,),
    "exclude": (list,),
    "keep": (list,),
}
_OF_USERS: dict[str, Allowed] = {
    **_OF_SCANS,
    "folds": (int,),
    "field_of_view": ("brain",),
    "layout": ("folder",),
    "label_column": (str,),
    "classes": (str,),
    "content": (str,),
    "covariates": (str,),
    "leave_out": (str,),
    "regress_out": (str,),
}
_OF_SCORES = {key: allowed for key, allowed in _OF_USERS.items() if key != "classes"}


def _cohort(
    note: str,
    classes: tuple[str, ...],
    count: int,
    parameters: dict[str, Allowed] = _OF_SCANS,
    *,
    listed: bool = False,
    form: str = "cohort",
) -> DatasetEntry:
    return DatasetEntry(
        _READ,
        note,
        _MNI,
        classes,
        count,
        form=form,
        parameters=parameters,
        minutes=60,
        memory_mb=4000,
        by_subject=True,
        listed=listed,
        defaults={key: value for key, value in _DEFAULTS.items() if key in parameters},
    )


ENTRIES: dict[str, DatasetEntry] = {
    "simulated_cohort": _cohort(
        "made brains of which half are shrunken; built in", ("control", "patient"), 24, _OF_COHORTS
    ),
    "oasis_ad126": _cohort("OASIS-1 at 60 and above; Table 5", ("normal", "alzheimer"), 126),
    "adni": _cohort("ADNI's folders; Table 5", ("CN", "AD"), 0, {**_OF_SCANS, "split": (str,)}),
    # The parameters name its classes.
    "cohort": _cohort(
        "a cohort of one's own, in BIDS or a plain folder",
        ("negative", "positive"),
        0,
        _OF_USERS,
        listed=True,
    ),
    "cohort_scores": _cohort(
        "a cohort of one's own whose people have a score each, in BIDS or a plain folder",
        ("score",),
        0,
        _OF_SCORES,
        listed=True,
        form="scores",
    ),
}
