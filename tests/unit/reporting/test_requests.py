import pytest

from structnets.reporting.requests import (
    cell_key,
    cell_spec,
    load_experiments,
    requested_specs,
)
from tests.made_results import floor


def places(requests):
    return [(r.row, r.column, r.spec["seed"]) for r in requests]


def test_seed_does_not_enter_the_cell_key_but_the_column_does(table, experiments):
    keys = {
        cell_key(cell_spec(table, experiments, "small", "net", column, seed))
        for column in ("n100", "n200")
        for seed in (0, 1)
    }
    assert len(keys) == 2


def test_column_overrides_experiment_and_recipe_by_kind(table, experiments):
    spec = cell_spec(table, experiments, "small", "net", "n100", seed=3)
    assert (spec["data"]["train_size"], spec["recipe"]["epochs"], spec["seed"]) == (100, 9, 3)
    assert cell_spec(table, experiments, "small", "net", "n200")["recipe"]["epochs"] == 7


def test_preset_comes_last(table, experiments):
    data = cell_spec(table, experiments, "smoke", "net", "n200")["data"]
    assert (data["name"], data["train_size"]) == ("digits", 50)


def test_floor_by_hand(table, experiments):
    found = places(requested_specs(table, experiments, "small"))
    assert found == [("net", "n100", 0), ("net", "n100", 1), ("net", "n200", 0)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"seeds": range(2)}, {("n100", 0), ("n100", 1), ("n200", 0), ("n200", 1)}),
        ({"columns": ["n200"]}, {("n200", 0), ("n200", 1)}),
        ({"columns": ["all"], "seeds": [4]}, {("n100", 4), ("n200", 4)}),
        ({"rows": ["of_another_table"]}, set()),
    ],
)
def test_more_than_the_floor(table, experiments, more, expected):
    found = places(requested_specs(table, experiments, "small", **more))
    assert {(column, seed) for _, column, seed in found} == expected


def test_counts_are_no_runs(counting_table, experiments):
    found = places(requested_specs(counting_table, experiments, "small", columns=["all"]))
    assert {column for _, column, _ in found} == {"n100", "n200"}


def test_floors_of_figure6():
    assert [(r.row, r.column) for r in floor("smoke")] == [
        ("rfnn", "n300"),
        ("cnn_b", "n300"),
        ("scattering", "n300"),
    ]
    assert len(floor("small")) == 4 * (3 + 1)
    assert len(floor("paper")) == 8 * 8 * 3
    assert {r.spec["data"]["name"] for r in floor("smoke")} == {"digits"}
    assert {r.spec["data"]["name"] for r in floor("paper")} == {"mnist"}


def test_epochs_of_figure6_go_with_the_number_of_images():
    gradient = [r.spec for r in floor("paper") if r.row == "rfnn"]
    epochs = {spec["data"]["train_size"]: spec["recipe"]["epochs"] for spec in gradient}
    assert epochs == {300: 1000, 1000: 300, 2000: 200, 5000: 150} | dict.fromkeys(
        (10000, 20000, 40000, 60000), 100
    )


def test_error_names_the_cell(table, experiments):
    row = table.rows[0].model_copy(update={"overrides": {"model": {"name": "cnn_c"}}})
    broken = table.model_copy(update={"rows": [row]})
    with pytest.raises(ValueError, match="table0, row net, column n100") as caught:
        cell_spec(broken, experiments, "small", "net", "n100")
    assert "unknown model 'cnn_c'" in str(caught.value)


def test_preset_of_a_row_is_laid_over_the_experiment_s(table, experiments):
    own = {"smoke": {"data": {"train_size": 7}, "recipe": {"epochs": 9}}}
    row = table.rows[0].model_copy(update={"presets": own})
    changed = table.model_copy(update={"rows": [row]})
    spec = cell_spec(changed, experiments, "smoke", "net", "n100")
    assert (spec["data"]["name"], spec["data"]["train_size"]) == ("digits", 7)
    assert spec["recipe"]["epochs"] == 9
    same = [cell_spec(which, experiments, "small", "net", "n100") for which in (changed, table)]
    assert same[0] == same[1]


def test_preset_without_floor_lists_those_with(table, experiments):
    with pytest.raises(ValueError, match="no preset 'paper'; allowed: small, smoke"):
        requested_specs(table, experiments, "paper")


def test_reported_row_is_not_run(table, experiments):
    with pytest.raises(ValueError, match="reported, not run"):
        cell_spec(table, experiments, "small", "quoted", "n100")


def test_missing_experiment_names_who_wants_it(folder, table):
    (folder / "experiments" / "net.yaml").unlink()
    with pytest.raises(FileNotFoundError, match=r"net\.yaml, named by table0\.net, is missing"):
        load_experiments(folder / "experiments", [table])


def test_experiment_of_another_chapter_is_refused(folder, table):
    file = folder / "experiments" / "net.yaml"
    file.write_text(file.read_text().replace("chapter: 3", "chapter: 4"))
    with pytest.raises(ValueError, match="chapter 4; table0 needs 3"):
        load_experiments(folder / "experiments", [table])
