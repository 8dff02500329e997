"""The stage that prepares built-in data."""

import pytest

from pipelines.prepare_builtin import BUILTIN, main
from structnets.data.prepared.arrays import load_manifest, load_split, verify
from structnets.data.sets.catalogue import DATASETS


@pytest.mark.parametrize("name", BUILTIN)
def test_every_built_in_set_is_made_once(name, tmp_path):
    words = ["--name", name, "--out", str(tmp_path / name)]
    assert main([*words, "--data-json", f'{{"name": "{name}", "prepare": {{}}}}']) == 0
    manifest = load_manifest(tmp_path / name)
    assert manifest["dataset"] == name
    assert "scikit-" in str(manifest["source"])
    assert verify(tmp_path / name) == []
    facts = DATASETS[name]
    if facts.form == "splits":
        assert ("statistics" in manifest) == (facts.image_shape[0] == 3)
        assert len(load_split(tmp_path / name, "train")[0]) == facts.train_count
    else:
        images = [manifest["counts"][split]["images"] for split in ("train", "val", "test")]
        assert images == [facts.train_count - images[1], images[1], facts.test_count]
    before = (tmp_path / name / "manifest.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (tmp_path / name / "manifest.json").stat().st_mtime_ns == before


def test_a_user_s_fault_is_one_line(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["--name", "digits", "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare_builtin: ")
    assert "notes.txt" in line
