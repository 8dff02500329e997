"""The report of a study: one HTML page that needs nothing else, to read, print and send."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.reporting.study_results import Measured, StudyResults, wilson

MOST_MISTAKES, EXAMPLES, MOST_CLASSES = 12, 3, 40
_FEW_TESTED = 200
_STYLE = """
:root { --ink: #1b1b1b; --soft: #5f5f5f; --line: #d9d9d9; --head: #f5f5f5; --warn: #8a4b00;
  --warnpaper: #fff6e5; --blue: 0, 114, 178; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff;
  margin: 2rem auto; padding: 0 1.5rem; max-width: 62rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem;
  border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
.soft, figcaption { color: var(--soft); } .question { font-size: 1.1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: right; }
thead th { background: var(--head); } tbody th { text-align: left; font-weight: 600; }
.interval { color: var(--soft); font-size: .85rem; display: block; white-space: nowrap; }
.warn { background: var(--warnpaper); border-left: 4px solid #e69f00; color: var(--warn);
  padding: .5rem .9rem; margin: .6rem 0; }
.result { font-size: 1.1rem; border-left: 4px solid rgb(var(--blue)); padding: .4rem .9rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; }
.pictures figure { margin: 0; width: 9.5rem; } .pictures img { width: 100%; height: 9rem;
  object-fit: contain; background: var(--head); }
figcaption { font-size: .82rem; line-height: 1.3; }
.confusion td, .confusion th { padding: .15rem .4rem; font-size: .8rem; min-width: 1.2rem; }
.confusion thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
.confusion td.right { outline: 2px solid rgb(var(--blue)); outline-offset: -2px; }
pre { background: var(--head); padding: .7rem .9rem; overflow-x: auto; font-size: .85rem; }
img.curve { max-width: 100%; }
@media print { body { margin: 0; max-width: none; font-size: 12px; } h2 { break-after: avoid; }
  figure, tr, .warn { break-inside: avoid; } pre { white-space: pre-wrap; } }
"""


@dataclass(frozen=True)
class Naming:
    """What the page calls pictures: their files' names, or pseudonyms."""

    shown: Mapping[str, str]

    @classmethod
    def of(cls, names: Iterable[str], pseudonyms: bool) -> Naming:
        """Return pseudonyms, numbers in the order of the names, or the names themselves."""
        ordered = sorted(set(names))
        digits = len(str(len(ordered)))
        return cls(
            {
                name: f"picture-{number:0{digits}d}" if pseudonyms else name
                for number, name in enumerate(ordered, 1)
            }
        )

    def __call__(self, name: str) -> str:
        """Return what a picture is called."""
        return self.shown.get(name, name)


def study_page(
    results: StudyResults, prepared: Path, curve: bytes, naming: Naming, again: Sequence[str]
) -> str:
    """Write the report.

    Parameters
    ----------
    results : StudyResults
        What was measured.
    prepared : Path
        Folder of the prepared pictures.
    curve : bytes
        Accuracy against the number of pictures, an SVG file.
    naming : Naming
        What pictures are called.
    again : sequence of str
        Commands that make it once more, and that use what was trained.

    Returns
    -------
    str
        HTML. Whatever comes from the user's data is escaped.
    """
    study = results.planned.study
    images, names = ShardedSplit(prepared, "test"), _names(prepared)
    title = study.study.replace("_", " ")
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="question">{escape(study.question)}</p>' if study.question else "",
        *_verdict(results),
        "<h2>Result</h2>",
        _table(results),
        _figure(curve),
        *_differences(results),
        "<h2>Pictures</h2>",
        *_data(results, images, naming),
        "<h2>What is taken for what</h2>",
        *_confusions(results),
        "<h2>The most wrong pictures</h2>",
        *_mistakes(results, images, names, naming),
        "<h2>How to make it again, and use it</h2>",
        _pre(again),
        *_origin(results),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def findings(results: StudyResults) -> tuple[list[str], list[str]]:
    """Return in whole sentences what to beware of, and what was found, of the largest size."""
    size, tested = results.sizes[-1], results.tested
    scores = {row: results.score(row, size) for row in results.rows}
    beware = list(results.planned.gathered.warnings)
    if broken := results.manifest["quarantined"]:
        beware.append(f"{len(broken)} files could not be read as pictures and were left out.")
    best = max(scores, key=lambda row: scores[row].mean)
    low, high = wilson(scores[best].mean / 100 * tested, tested)
    if tested < _FEW_TESTED:
        beware.insert(
            0,
            f"Only {tested} pictures were tested: one of them is {100 / tested:.1f} points. From "
            f"so few, {scores[best].mean:.1f} % could as well be {low:.0f} to {high:.0f} % in "
            "other pictures of the same kind.",
        )
    if any(score.n < 3 for score in scores.values()):
        count = min(score.n for score in scores.values())
        beware.append(
            f"Every training ran with {count} seed{'s' if count > 1 else ''}: how much chance does "
            "cannot be told well. Give seeds: 3 or more."
        )
    said = [
        f"Trained on {size:,} pictures, {row} gives the right answer to {shown(score)} of the "
        f"{tested:,} tested ones."
        for row, score in scores.items()
    ]
    said.append(
        f"Always answering the class that is most frequent in training would be right in "
        f"{results.majority:.1f} %."
    )
    for row, score in scores.items():
        if wilson(score.mean / 100 * tested, tested)[0] <= results.majority:
            beware.append(f"{row} cannot be told from always giving the most frequent answer.")
    return beware, said


def shown(score: Measured, unit: str = " %") -> str:
    """Write a mean with its interval in words."""
    if score.low is None or score.high is None:
        why = "one seed" if score.n == 1 else f"{score.n} seeds, all alike"
        return f"{score.mean:.1f}{unit} ({why}: no interval)"
    return (
        f"{score.mean:.1f}{unit} (95 % interval {score.low:.1f} to {score.high:.1f}, "
        f"{score.n} seeds)"
    )


def _verdict(results: StudyResults) -> list[str]:
    beware, said = findings(results)
    return [
        *(f'<p class="warn">{escape(text)}</p>' for text in beware),
        f'<p class="result">{escape(" ".join(said))}</p>',
    ]


def _table(results: StudyResults) -> str:
    unequal = len(set(results.manifest["counts"]["test"].values())) > 1
    heads = "".join(f"<th>{escape(row)}</th>" for row in results.rows)
    lines = []
    for size in results.sizes:
        cells = []
        for row in results.rows:
            score = results.score(row, size)
            more = [] if score.low is None else [f"{score.low:.1f} to {score.high:.1f}"]
            if unequal:
                balanced = results.score(row, size, "balanced_accuracy").mean
                more.append(f"balanced {balanced:.1f}")
            more = [f'<span class="interval">{text}</span>' for text in more]
            cells.append(f"<td><b>{score.mean:.1f}</b>{''.join(more)}</td>")
        lines.append(f"<tr><th>{size:,}</th>{''.join(cells)}<td>{results.majority:.1f}</td></tr>")
    balanced = (
        " Balanced: every class counts alike, however many of its pictures were tested."
        if unequal
        else ""
    )
    return (
        f'<div class="scroll"><table><thead><tr><th>training pictures</th>{heads}'
        f"<th>most frequent class</th></tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        f'<p class="soft">Right answers to the {results.tested:,} tested pictures in percent: the '
        "mean over seeds, each of which draws other training pictures and first weights, and its "
        f"95 % interval (Student's t). The interval does not tell how other tested pictures "
        f"would do.{balanced}</p>"
    )


def _figure(curve: bytes) -> str:
    data = base64.b64encode(curve).decode()
    return (
        f'<img class="curve" alt="Accuracy against the number of training pictures" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _differences(results: StudyResults) -> list[str]:
    first, *others = results.rows
    lines = []
    for other in others:
        for size in results.sizes:
            found = results.difference(first, other, size)
            if found.low is None or found.high is None:
                verdict = "undecided: one seed, or all alike"
            elif found.low > 0:
                verdict = f"{first} is better"
            elif found.high < 0:
                verdict = f"{other} is better"
            else:
                verdict = "undecided: the interval has 0 in it"
            ends = "" if found.low is None else f"{found.low:+.1f} to {found.high:+.1f}"
            lines.append(
                f"<tr><th>{escape(first)} − {escape(other)}</th><td>{size:,}</td>"
                f"<td>{found.mean:+.1f}</td><td>{ends}</td>"
                f'<td style="text-align:left">{escape(verdict)}</td></tr>'
            )
    if not lines:
        return []
    return [
        "<h2>Differences</h2>",
        '<div class="scroll"><table><thead><tr><th>rows</th><th>training pictures</th><th>points'
        f"</th><th>95 % interval</th><th>verdict</th></tr></thead><tbody>{''.join(lines)}</tbody>"
        "</table></div>",
        '<p class="soft">Pairs of trainings with the same seed, and so the same training pictures.'
        "</p>",
    ]


def _data(results: StudyResults, images: ShardedSplit, naming: Naming) -> list[str]:
    counts = results.manifest["counts"]
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{counts['train'][name]:,}</td>"
        f"<td>{counts['test'][name]:,}</td></tr>"
        for name in results.classes
    )
    totals = "".join(f"<td>{sum(counts[split].values()):,}</td>" for split in ("train", "test"))
    return [
        '<div class="scroll"><table><thead><tr><th>class</th><th>for training</th><th>for testing'
        f"</th></tr></thead><tbody>{lines}<tr><th>all</th>{totals}</tr></tbody></table></div>",
        *_left_out(results, naming),
        *_examples(results, images),
    ]


def _left_out(results: StudyResults, naming: Naming) -> list[str]:
    left_out = [*results.planned.gathered.left_out]
    left_out += [(entry["file"], entry["reason"]) for entry in results.manifest["quarantined"]]
    converted = results.manifest["converted"]
    parts = []
    if left_out:
        reasons = Counter(reason for _, reason in left_out)
        lines = "".join(
            f"<tr><th>{escape(reason)}</th><td>{count:,}</td><td style='text-align:left'>"
            f"{escape(', '.join(_some([naming(n) for n, r in left_out if r == reason])))}</td></tr>"
            for reason, count in reasons.items()
        )
        parts.append(
            "<h3>Left out</h3><div class='scroll'><table><thead><tr><th>why</th><th>how many</th>"
            f"<th>which</th></tr></thead><tbody>{lines}</tbody></table></div>"
        )
    else:
        parts.append("<p>Nothing was left out.</p>")
    if converted:
        said = ", ".join(f"{count:,} of {kind}" for kind, count in sorted(converted.items()))
        parts.append(f"<p>Turned into RGB of 8 bits: {escape(said)}.</p>")
    return parts


def _some(names: Sequence[str], most: int = 8) -> list[str]:
    return [*names[:most], *([f"and {len(names) - most:,} more"] if len(names) > most else [])]


def _examples(results: StudyResults, images: ShardedSplit) -> list[str]:
    classes = results.classes[:8]
    shown_images = []
    for label, name in enumerate(classes):
        for row in np.flatnonzero(images.labels == label)[: 1 if len(classes) > 4 else EXAMPLES]:
            shown_images.append(_picture(images, int(row), escape(name)))
    return [
        "<h3>As the nets see them</h3>",
        f'<div class="pictures">{"".join(shown_images)}</div>',
    ]


def _picture(images: ShardedSplit, row: int, caption: str) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(images.pixels(row)).save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    return (
        f'<figure><img alt="" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _confusions(results: StudyResults) -> list[str]:
    classes, size = results.classes, results.sizes[-1]
    if len(classes) > MOST_CLASSES:
        return [f"<p>{len(classes)} classes are too many to show; see results.json.</p>"]
    parts = []
    for row in results.rows:
        counts = results.confusion(row, size)
        rates = counts / counts.sum(1, keepdims=True).clip(1)
        heads = "".join(f"<th>{escape(name)}</th>" for name in classes)
        lines = []
        for truth, name in enumerate(classes):
            cells = "".join(
                f"<td{' class=right' if truth == answer else ''} "
                f'style="background:rgba(var(--blue),{0.75 * rates[truth, answer]:.2f})">'
                f"{counts[truth, answer] or ''}</td>"
                for answer in range(len(classes))
            )
            lines.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
        parts.append(
            f"<h3>{escape(row)}, trained on {size:,} pictures</h3>"
            f'<div class="scroll"><table class="confusion"><thead><tr><th></th>{heads}</tr></thead>'
            f"<tbody>{''.join(lines)}</tbody></table></div>"
        )
    parts.append(
        '<p class="soft">True classes downwards, answers across; counts of all seeds together. '
        "Right answers are framed.</p>"
    )
    return parts


def _mistakes(
    results: StudyResults, images: ShardedSplit, names: Sequence[str], naming: Naming
) -> list[str]:
    parts = []
    for row in results.rows:
        wrong = results.mistakes(row, results.sizes[-1], images.labels, MOST_MISTAKES)
        parts.append(f"<h3>{escape(row)}</h3>")
        if not wrong:
            parts.append("<p>Every tested picture was answered rightly.</p>")
            continue
        figures = [
            _picture(
                images,
                mistake.position,
                f"{escape(mistake.truth)}, answered <b>{escape(mistake.answer)}</b> "
                f"({100 * mistake.probability:.0f} %)<br>{escape(naming(names[mistake.position]))}",
            )
            for mistake in wrong
        ]
        parts.append(f'<div class="pictures">{"".join(figures)}</div>')
    parts.append(
        '<p class="soft">Surest wrong answers first. The percentage is what the net says, mean '
        "over the seeds; it is not calibrated.</p>"
    )
    return parts


def _names(prepared: Path) -> list[str]:
    return (prepared / "test_names.txt").read_text().splitlines()


def _pre(lines: Sequence[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _origin(results: StudyResults) -> list[str]:
    first = next(iter(results.results.values()))
    versions = ", ".join(f"{name} {text}" for name, text in first["versions"].items())
    hours = sum(result["wall_s"] for result in results.results.values()) / 3600
    machines = sorted({result["hardware"]["name"] for result in results.results.values()})
    best = {
        row: next(iter(results.runs_of(row, results.sizes[-1]).values()))["run_id"]
        for row in results.rows
    }
    runs = "".join(
        f"<li>{escape(row)}: <code>{escape(run)}</code></li>" for row, run in best.items()
    )
    return [
        f"<p>Runs of the largest size, first seed:</p><ul>{runs}</ul>",
        f'<p class="soft">{len(results.results)} trainings, {hours:.2f} hours of computing on '
        f"{escape(', '.join(machines))}; {escape(versions)}. Content of the pictures: "
        f"<code>{results.planned.gathered.pictures.digest[:16]}</code>; prepared: "
        f"<code>{results.manifest['digest'][:16]}</code>.</p>",
    ]
