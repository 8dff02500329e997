"""The stage that draws figures without a training."""

import pytest

from pipelines import draw_figure
from tests.made_results import WORKFLOW


@pytest.mark.parametrize("away", [False, True])
def test_figure_is_drawn_whether_mlflow_is_there_or_not(tmp_path, monkeypatch, capsys, away):
    logged = []

    def log_target(uri, results, target, **given):
        if away:
            raise ConnectionError("MLflow is away")
        logged.append((target, sorted(given["files"])))

    monkeypatch.setattr("pipelines.tracking.log_target", log_target)
    roots = ["--results", str(tmp_path / "r"), "--scratch", str(tmp_path / "s")]
    words = ["--targets", str(WORKFLOW / "targets"), "--target", "figure17"]
    assert draw_figure.main([*words, *roots]) == 0
    names = sorted(path.name for path in (tmp_path / "r" / "figures").iterdir())
    assert names == ["figure17.csv", "figure17.png", "figure17.svg"]
    assert logged == ([] if away else [("figure17", [f"figures-{name}" for name in names])])
