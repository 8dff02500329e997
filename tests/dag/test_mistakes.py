"""Mistakes in the files and on the command line are explained before anything runs."""

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
            "captoin: unknown key; allowed here: target, kind, chapter, title, caption",
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
        ("presett=small", "presett: unknown key; allowed here: preset, rows"),
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
