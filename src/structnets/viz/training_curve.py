"""Loss and learning rate of one run against the epoch."""

from __future__ import annotations

import csv
from pathlib import Path

from structnets.viz.style import COLOURS, figure, footnote, save


def draw_training_curve(curves: Path, stem: Path, *, title: str, note: str = "") -> list[Path]:
    """Draw a run's ``curves.csv``: the loss (and validation accuracy), and the learning rate.

    Parameters
    ----------
    curves : pathlib.Path
        File with the columns epoch, train_loss, lr and perhaps val_accuracy.
    stem : pathlib.Path
        Path without ending; ``.svg`` and ``.png`` are written.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If the file has no epochs (a closed-form run, say).
    """
    with curves.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{curves} has no epochs to draw")
    epochs = [int(row["epoch"]) for row in rows]
    with figure(2, 1, (6.4, 4.4), sharex=True, height_ratios=(3, 1)) as (drawing, (top, bottom)):
        top.plot(epochs, [float(row["train_loss"]) for row in rows], color=COLOURS[0])
        top.set(title=title, ylabel="training loss", yscale="log")
        checked = [(e, float(r["val_accuracy"])) for e, r in zip(epochs, rows, strict=True)
                   if r.get("val_accuracy")]  # fmt: skip
        if checked:
            right = top.twinx()
            right.plot(*zip(*checked, strict=True), color=COLOURS[1], marker="o", markersize=3)
            right.set_ylabel("validation accuracy (%)", color=COLOURS[1])
            right.grid(visible=False)
        bottom.plot(epochs, [float(row["lr"]) for row in rows], color=COLOURS[2])
        bottom.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
        footnote(drawing, note)
        return save(drawing, stem)
