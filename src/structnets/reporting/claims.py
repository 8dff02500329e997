"""Verdicts on the thesis' claims, computed from paired runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from structnets.reporting.intervals import slope, student_interval, wilson
from structnets.reporting.markdown import escaped
from structnets.reporting.quantities import Measured, Quantity
from structnets.specs.claim import Claim, Relation, load_claims

Word = Literal["supported", "contradicted", "undecided", "not run"]
LEAST = 3
"""Paired seeds without which nothing is decided."""
_PROTOCOLS = {False: "thesis", True: "reduced"}


@dataclass(frozen=True)
class Verdict:
    """What runs say of one claim under one protocol.

    Attributes
    ----------
    claim, chapter, statement, where : str
        The claim.
    protocol : {'thesis', 'reduced'}
        Whose runs.
    verdict : {'supported', 'contradicted', 'undecided', 'not run'}
        Supported: the whole 95 % interval is on the claim's side, of every relation. Contradicted:
        that of one is wholly on the other.
    difference : float or None
        Mean over paired seeds of what the deciding relation is about.
    interval : list of float or None
        Its interval by Student's t; over the people held out in a cross-validation, by Wilson for
        a rate, the widest of its repetitions.
    n : int
        Number of paired seeds, or of people.
    why : str
        What keeps it from being decided; else empty.
    run_ids : list of str
        The runs of all relations.
    note : str or None
        What readers are to know.
    """

    claim: str
    chapter: int
    statement: str
    where: str
    protocol: Literal["thesis", "reduced"]
    verdict: Word
    difference: float | None = None
    interval: list[float] | None = None
    n: int = 0
    why: str = ""
    run_ids: list[str] = field(default_factory=list)
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """What runs say of one relation."""

    verdict: Word
    difference: float | None = None
    interval: tuple[float, float] | None = None
    n: int = 0
    why: str = ""
    run_ids: tuple[str, ...] = ()


def side(relation: Relation, interval: tuple[float, float]) -> Word:
    """Compare an interval with what a relation says of the value."""
    low, high = interval
    if relation.near is not None:
        least, most = relation.near - (relation.by or 0), relation.near + (relation.by or 0)
    else:
        least = relation.above if relation.above is not None else -math.inf
        most = relation.below if relation.below is not None else math.inf
    if least < low and high < most:
        return "supported"
    return "contradicted" if high < least or low > most else "undecided"


def outcome(relation: Relation, measured: Measured, reduced: bool) -> Outcome:
    """Decide one relation."""
    points = {
        place: [measured.quantity(address, reduced) for address in addresses]
        for place, addresses in relation.points().items()
    }
    quantities = [quantity for pair in points.values() for quantity in pair]
    runs = tuple(sorted({run for quantity in quantities for run in quantity.run_ids}))
    seeds = sorted(set.intersection(*(set(quantity.by_seed) for quantity in quantities)))
    if unlike := _unlike(quantities):
        return Outcome("undecided", why=unlike, run_ids=runs)
    if not any(quantity.by_seed for quantity in quantities):
        return Outcome("not run")
    if any(quantity.right for quantity in quantities):
        return _over_people(relation, quantities, runs)
    if not seeds:
        return Outcome("undecided", why="some of its cells were not run", run_ids=runs)
    values = [_at_seed(relation, points, seed) for seed in seeds]
    mean = statistics.fmean(values)
    interval = (min(values), max(values)) if relation.exact else student_interval(values)
    why = _untrained(quantities)
    if not why and (interval is None or (len(seeds) < LEAST and not relation.exact)):
        why = f"{len(seeds)} paired seed{'s' * (len(seeds) > 1)}; {LEAST} are needed"
    return _decided(relation, mean, interval, len(seeds), why, runs)


def _decided(
    relation: Relation,
    value: float,
    interval: tuple[float, float] | None,
    n: int,
    why: str,
    runs: tuple[str, ...],
) -> Outcome:
    """Return what an interval says of a relation; undecided if something speaks against it."""
    word: Word = "undecided" if why or interval is None else side(relation, interval)
    if word == "undecided" and not why:
        why = "the interval reaches over the limit"
    return Outcome(word, value, interval, n, why, runs)


def _unlike(quantities: Sequence[Quantity]) -> str:
    """Say why quantities are not compared, their data being of several versions; else nothing."""
    if refused := [quantity.refusal for quantity in quantities if quantity.refusal]:
        return refused[0]
    versions: dict[str, set[str]] = {}
    for name, digest in filter(None, (quantity.data for quantity in quantities)):
        versions.setdefault(name, set()).add(digest)
    several = [f"{len(of)} versions of {name}" for name, of in versions.items() if len(of) > 1]
    return f"its runs were measured on {', '.join(several)}" if several else ""


def _at_seed(relation: Relation, points: dict[float, list[Quantity]], seed: int) -> float:
    """Return what a relation is about for one seed."""
    values = []
    for pair in points.values():
        first, *rest = (quantity.by_seed[seed] for quantity in pair)
        second = rest[0] if rest else 0.0
        values.append(first / second if relation.ratio else first - second)
    if not relation.slope:
        return values[0]
    places = [math.log(place) if relation.logarithmic else place for place in points]
    return slope(places, values)


def _over_people(
    relation: Relation, quantities: Sequence[Quantity], runs: tuple[str, ...]
) -> Outcome:
    """Decide a relation of rates in a cross-validation by the people held out.

    Its folds are no samples: those of a repetition share most of their training data, and another
    repetition holds out the same people once more.
    """
    first, *rest = (quantity.right for quantity in quantities)
    numbers = sorted(set(first).intersection(*rest))
    if relation.slope or relation.ratio or not numbers:
        return Outcome("undecided", why="some of its cells were not run", run_ids=runs)
    means, intervals, people = [], [], 0
    for number in numbers:
        right = [quantity.right[number] for quantity in quantities]
        people = len(right[0])
        if len(right) == 1:
            means.append(100.0 * sum(right[0]) / people)
            intervals.append(wilson(sum(right[0]), people))
        else:
            differences = [100.0 * (a - b) for a, b in zip(*right, strict=True)]
            means.append(statistics.fmean(differences))
            intervals.append(student_interval(differences) or (-math.inf, math.inf))
    widest = min(low for low, _ in intervals), max(high for _, high in intervals)
    return _decided(relation, statistics.fmean(means), widest, people, _untrained(quantities), runs)


def _untrained(quantities: Sequence[Quantity]) -> str:
    """Say how many runs ended where guessing does; nothing if none."""
    untrained = sum(quantity.untrained for quantity in quantities)
    return f"{untrained} of its runs did not train" if untrained else ""


_WORST: list[Word] = ["contradicted", "undecided", "not run", "supported"]


def decide(claim: Claim, chapter: int, measured: Measured, reduced: bool) -> Verdict:
    """Decide a claim under one protocol; the worst of its relations decides."""
    outcomes = [outcome(one, measured, reduced) for one in claim.relations(reduced)]
    about = (claim.id, chapter, claim.statement, claim.where, _PROTOCOLS[reduced])
    runs = sorted({run for one in outcomes for run in one.run_ids})
    if all(one.verdict == "not run" for one in outcomes):
        why = claim.open or "none of its cells was run"
        return Verdict(*about, "not run", why=why, note=claim.note)  # type: ignore[arg-type]
    chosen = min(outcomes, key=lambda one: _WORST.index(one.verdict))
    word, why = chosen.verdict, chosen.why
    if word == "not run":
        word, why = "undecided", "some of its relations were not run"
    return Verdict(
        *about,  # type: ignore[arg-type]
        word,
        chosen.difference,
        list(chosen.interval) if chosen.interval else None,
        chosen.n,
        why,
        runs,
        claim.note,
    )


def verdicts(claims: Path, ledger: Path, targets: Path, experiments: Path) -> list[Verdict]:
    """Decide every claim under the thesis' protocol, and under a reduced one where there are runs.

    Parameters
    ----------
    claims, ledger, targets, experiments : pathlib.Path
        Folders of ``workflow/``.

    Raises
    ------
    ValueError
        If a claim names a cell that there is not.
    """
    measured = Measured(ledger, targets, experiments)
    found = []
    for chapter, claim in load_claims(claims):
        found.append(decide(claim, chapter, measured, False))
        reduced = decide(claim, chapter, measured, True)
        if reduced.verdict != "not run":
            found.append(reduced)
    return found


def markdown(found: Sequence[Verdict]) -> str:
    """Write the table that RESULTS.md begins with."""
    lines = [
        "## What the thesis claims, and what runs say",
        "",
        "A claim is supported if the whole 95 % interval of the mean paired difference (Student's "
        f"t, n − 1, {LEAST} paired seeds or more) lies on its side, contradicted if it lies wholly "
        "on the other, else undecided. A claim of several relations is as strong as the weakest, "
        "whose numbers are shown. Runs of the thesis' protocol and of a reduced one decide apart. "
        "What is arithmetic and no sample, as memory and exact inverses are, is decided by one "
        "measurement; its interval is from the least to the greatest. A cross-validation is "
        "decided by the people held out, as further repetitions hold out the same ones: n counts "
        "them, and the interval is the widest of its repetitions.",
        "",
        "| claim | where | says | protocol | verdict | difference | 95 % interval | n |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        said = f"**{one.verdict}**" + (f": {escaped(one.why)}" if one.why else "")
        statement = escaped(one.statement) + (f" *{escaped(one.note)}*" if one.note else "")
        shown = "" if one.difference is None else _signed(one.difference)
        span = _span(one.interval) if one.interval else ""
        lines.append(
            f"| {one.claim} | {escaped(one.where)} | {statement} | {one.protocol} | {said} | "
            f"{shown} | {span} | {one.n or ''} |"
        )
    return "\n".join(lines)


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _span(interval: Sequence[float]) -> str:
    return f"{_signed(interval[0])} to {_signed(interval[1])}"
