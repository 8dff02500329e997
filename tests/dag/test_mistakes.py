"""Mistakes in the files and on the command line are explained before anything runs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "experiments/chapter3/mnist_cnn.yaml",
            "  epochs: 1000",
            "  epoch: 1000",
            "recipe.gradient.epoch: unknown key; allowed here: kind, optimizer, schedule, epochs",
        ),
        (
            "targets/figure6.yaml",
            "caption: ",
            "captoin: ",
            "captoin: unknown key; allowed here: target, interpretations, kind, chapter, title",
        ),
        (
            "targets/sweep_rfnn_basis.yaml",
            "reduction_factor: 3",
            "reduction: 3",
            "asha.reduction: unknown key; allowed here: grace_epochs, reduction_factor",
        ),
    ],
)
def test_unknown_key_lists_the_allowed(clone, snakemake, file, old, new, message):
    path = clone / "workflow" / file
    path.write_text(path.read_text().replace(old, new, 1))
    text = snakemake("-n", "all", code=1)
    assert message in text
    assert path.name in text or "figure6, row cnn_b" in text


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rows=rfn", "rows=rfn: no table has it; allowed: all, alexnet"),
        ("preset=large", "preset: Input should be 'smoke', 'small' or 'paper'"),
        ("presett=small", "presett: unknown key; allowed here: preset, study, rows"),
        ("targets=nowhere", "nowhere holds no target, <target>.yaml"),
        ("tables=workflow/tables", "lie in one folder now; name it by targets=DIR"),
    ],
)
def test_mistake_on_the_command_line(snakemake, setting, message):
    assert message in snakemake("-n", "all", "--config", setting, code=1)


def test_missing_originals_stop_everything_before_it_starts(snakemake, clone):
    words = ("prepare_digits", "prepare_mnist", "prepare_bsds500", "--cores", "1")
    text = snakemake(*words, "--config", "data_root=nowhere", code=1)
    assert text.count("sha256 ") == 4
    assert "BSR_bsds500.tgz, unpack it, and put it at nowhere/bsds500/BSDS500/data" in text
    assert not list((clone / "data").rglob("manifest.json"))


def test_plan_says_what_is_missing_and_how_large_it_is(clone, environment):
    """At its end, which the fixture's forked process has none of."""
    words = ("-n", "prepare_digits", "prepare_mnist", "prepare_bsds500")
    command = (sys.executable, "-m", "snakemake", *words, "--config", "data_root=nowhere")
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    text = done.stderr
    assert done.returncode == 0, text
    # MNIST's four files have 11,594,722 bytes, BSDS500's archive 70,763,455.
    assert "Missing originals, 82 MB in all:" in text
    assert text.count("sha256 ") == 4
    assert "put it at nowhere/bsds500/BSDS500/data (70763455 bytes to get)" in text
    assert "digits lacks" not in text


def test_wrong_target_gets_the_nearest_name_and_the_list(snakemake):
    text = snakemake("-n", "figur6", code=1)
    assert "unknown target 'figur6' (did you mean figure6" in text
    assert "targets: all, class_kept, demo_brain, demo_digits, demo_outlines, figure1" in text
    assert "No rule to produce" not in text


@pytest.mark.parametrize("option", ["--forcerun", "--until", "--omit-from", "--prioritize"])
def test_wrong_rule_after_an_option_gets_the_nearest_name(snakemake, option):
    text = snakemake("-n", "table7", option, "render_tabel", code=1)
    assert f"{option} names no rule 'render_tabel'" in text
    assert "No rule to produce" not in text


def test_rows_that_a_target_lacks_are_refused(snakemake):
    text = snakemake("-n", "table7", "--config", "rows=rfnn", code=1)
    assert "rows=rfnn: table7 has no such row to run in the preset smoke; its rows: hcnn" in text
