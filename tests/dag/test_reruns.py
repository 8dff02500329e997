"""What makes a job run again, and what does not: with made results, rendered for real."""

import pytest

from structnets.specs.sweep import sweep_id
from structnets.specs.target import load_targets
from tests.made_results import WORKFLOW, floor, publish

RENDER = ("--profile", "profiles/test", "figure6")


@pytest.fixture
def rendered(clone, snakemake):
    """Render Figure 6 in smoke from made results, as a first call does."""
    publish(clone / "results", [r.spec for r in floor("smoke")])
    (clone / "results" / "tracking.json").write_text("{}")
    snakemake(*RENDER)
    return clone


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_life_of_a_rendering(rendered, jobs, snakemake):
    table = rendered / "workflow" / "targets" / "figure6.yaml"
    experiment = rendered / "workflow" / "experiments" / "chapter3" / "mnist_rfnn.yaml"
    assert (rendered / "results" / "tables" / "figure6.html").is_file()
    assert "Nothing to be done" in snakemake(*RENDER)

    for file in (table, experiment):
        file.write_text("# a comment\n" + file.read_text())
    assert jobs(*RENDER) == {}

    replace(table, "label: RFNN\n", "label: Structured\n")
    assert jobs(*RENDER) == {"figure6": 1}
    replace(table, "label: Structured\n", "label: RFNN\n")
    assert jobs(*RENDER) == {}

    replace(experiment, "epochs: 2", "epochs: 3")
    changed = jobs(*RENDER)
    assert changed["train_chapter3_workers1_0"] == 1
    assert "train_chapter3_workers2_nodes2_0" not in changed
    replace(experiment, "epochs: 3", "epochs: 2")
    assert jobs(*RENDER) == {}

    assert jobs(*RENDER, "--config", "seeds=2")["figure6"] == 1


@pytest.mark.slow
def test_a_table_of_other_things_is_made_again_where_times_alone_count(rendered, jobs):
    by_times = (*RENDER, "--rerun-triggers", "mtime")
    assert jobs(*by_times) == {}
    table = rendered / "workflow" / "targets" / "figure6.yaml"
    replace(table, "label: RFNN\n", "label: Structured\n")
    assert jobs(*by_times) == {"figure6": 1}
    replace(table, "label: Structured\n", "label: RFNN\n")
    assert jobs(*by_times) == {}


@pytest.mark.slow
def test_report_holds_table_and_figure_with_captions(rendered, snakemake):
    sweep = sweep_id(load_targets(WORKFLOW / "targets").sweeps["sweep_rfnn_basis"], "smoke")
    folder = rendered / "results" / "sweeps" / sweep
    folder.mkdir(parents=True)
    names = "trials.csv result.json best.json figure.svg figure.png figure.csv"
    for name in names.split():
        (folder / name).write_text("a,b\n1,2\n")
    targets = ("figure6", "sweep_rfnn_basis")
    snakemake("--profile", "profiles/test", *targets, "--report", "report.html")
    page = (rendered / "report.html").read_text()
    for words in ("results/figures/figure6.svg", "results/tables/figure6.html", "trials.csv"):
        assert words in page
    assert "Figure 6: MNIST with few training images" in page
