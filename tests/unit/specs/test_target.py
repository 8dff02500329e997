"""Target files: their kinds, the list of them, and what is refused."""

import pytest
import yaml

from structnets.specs.configuration import load_configuration
from structnets.specs.target import KINDS, load_analysis, load_drawing, load_target, load_targets
from tests.made_results import WORKFLOW
from tests.unit.made_table import TABLE

DRAWING = {
    "target": "own",
    "kind": "drawing",
    "title": "T",
    "caption": "C.",
    "drawing": "frame_atoms",
}


def written(folder, **content):
    path = folder / f"{content.get('target', 'own')}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_every_committed_file_is_listed_once():
    found = load_targets(WORKFLOW / "targets").describe()
    files = [path.stem for path in (WORKFLOW / "targets").iterdir()]
    assert [one["target"] for one in found] == sorted(files)
    assert {one["kind"] for one in found} == set(KINDS)


def test_thesis_tables_and_figures_are_all_there():
    names = {one["target"] for one in load_targets(WORKFLOW / "targets").describe()}
    assert {f"table{n}" for n in range(1, 10)} <= names
    assert {f"figure{n}" for n in range(1, 23)} <= names


def test_description_by_hand(tmp_path):
    written(tmp_path, **TABLE)
    written(tmp_path, **DRAWING)
    drawing, table = load_targets(tmp_path).describe()
    everything = ["smoke", "small", "paper"]
    assert drawing == {
        "target": "own", "kind": "drawing", "chapter": None, "title": "T", "rows": [],
        "columns": [], "presets": everything,
    }  # fmt: skip
    assert (table["rows"], table["columns"]) == (["net", "quoted"], ["n100", "n200"])
    assert (table["kind"], table["presets"]) == ("figure", everything[:2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "drawn"}, "kind is 'drawn'; a target has one of table, figure, analysis"),
        ({"kind": None}, "kind is None; a target has one of"),
        ({"drawing": "stability"}, "stability is measured; its target is of kind analysis"),
        ({"drawing": "frame_atom"}, "did you mean frame_atoms"),
        ({"drawing": "nowhere.at:all"}, "there is no module 'nowhere'"),
        (
            {"data": True},
            "data: unknown key; allowed here: target, interpretations, kind, chapter, title",
        ),
    ],
)
def test_mistake_is_named(tmp_path, change, message):
    path = written(tmp_path, **{**DRAWING, **change})
    with pytest.raises(ValueError, match=r"own\.yaml") as caught:
        load_target(path)
    assert message in str(caught.value)


def test_file_that_is_no_mapping_is_named(tmp_path):
    (tmp_path / "own.yaml").write_text("- 1\n")
    with pytest.raises(ValueError, match=r"own\.yaml: kind is None"):
        load_targets(tmp_path)


def test_target_of_another_kind_is_named(tmp_path):
    path = written(tmp_path, **DRAWING)
    assert load_drawing(path).files == ("svg", "png", "csv")
    with pytest.raises(ValueError, match="is a target of kind drawing, not analysis"):
        load_analysis(path)


def test_empty_folder_and_other_endings_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileNotFoundError, match=r"holds no target, <target>\.yaml"):
            load_targets(folder)
    written(tmp_path, **DRAWING)
    (tmp_path / "._own.yaml").write_bytes(b"\0")
    assert list(load_targets(tmp_path).drawings) == ["own"]
    (tmp_path / "more.yml").touch()
    with pytest.raises(ValueError, match=r"more\.yml: the file of a target ends in \.yaml"):
        load_targets(tmp_path)


@pytest.mark.parametrize("key", ["tables", "analyses"])
def test_old_keys_of_the_configuration_name_the_new(key):
    with pytest.raises(ValueError, match=f"{key}=x: .* name it by targets=DIR"):
        load_configuration({key: "x"})
