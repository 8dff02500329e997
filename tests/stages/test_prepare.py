"""The stage that prepares data: built-in sets, and what it says of every set."""

import pytest

from pipelines.prepare import main, prepare
from structnets.data.prepared.manifest import load_manifest
from structnets.data.sets.entries.catalogue import DATASETS, find_dataset
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.entries import FORMS
from structnets.forms.splits.stored import load_split
from structnets.forms.writing import verify

BUILT_IN = [name for name in DATASETS.names() if find_dataset(name).built_in]
QUICK = [name for name in BUILT_IN if name != "photo_shards"]


def test_which_sets_are_built_in():
    assert BUILT_IN == ["digits", "photo_crops", "photo_shards", "made_boundaries"]


@pytest.mark.parametrize("name", QUICK)
def test_every_built_in_set_is_made_once(name, tmp_path):
    words = ["--data-json", f'{{"name": "{name}", "prepare": {{}}}}', "--out", str(tmp_path / name)]
    assert main(words) == 0
    manifest = load_manifest(tmp_path / name)
    assert manifest["dataset"] == name
    assert "scikit-" in str(manifest["source"])
    assert verify(tmp_path / name) == []
    facts = find_dataset(name)
    assert tuple(sorted(manifest["files"])) == tuple(sorted(FORMS[facts.form].files))
    if facts.form == "splits":
        assert ("statistics" in manifest) == (facts.image_shape[0] == 3)
        assert len(load_split(tmp_path / name, "train")[0]) == facts.train_count
    else:
        images = [manifest["counts"][split]["images"] for split in ("train", "val", "test")]
        assert images == [facts.train_count - images[1], images[1], facts.test_count]
    before = (tmp_path / name / "manifest.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (tmp_path / name / "manifest.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ('{"name": "digits"}', "notes.txt"),
        ('{"name": "oasis_ad126"}', "prepare it with python -m pipelines.prepare_mri"),
        ('{"name": "mnist"}', "mnist needs --data-root"),
        ('{"name": "mnits"}', "unknown data set 'mnits' (did you mean mnist?)"),
    ],
)
def test_a_user_s_fault_is_one_line(tmp_path, capsys, request_, message):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["--data-json", request_, "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_is_missing_alone_is_fetched(made_mnist, tmp_path, monkeypatch):
    names = [original.file.name for original in find_dataset("mnist").originals]
    (made_mnist / "mnist" / names[2]).rename(tmp_path / names[2])
    fetched = []

    def fetch(file, folder, *, progress):
        fetched.append(file.name)
        (tmp_path / file.name).rename(folder / file.name)

    monkeypatch.setattr("structnets.data.originals.download.download", fetch)
    asked = Preparation("mnist", {}, made_mnist, verify_checksums=False)
    with pytest.raises(FileNotFoundError, match=names[2]):
        prepare(asked, tmp_path / "mnist")
    prepare(asked, tmp_path / "mnist", download=True)
    assert fetched == [names[2]]


def test_scratch_is_removed_and_remarks_are_shown(tmp_path, monkeypatch, caplog):
    places = []

    def read(asked):
        places.append(asked.scratch)
        content = real(asked)
        return Content(content.data, content.source, remarks=["look here"])

    real = DATASETS.load(find_dataset("digits"))
    monkeypatch.setattr("structnets.data.sets.digits.read", read)
    prepare(Preparation("digits"), tmp_path / "digits")
    assert "look here" in caplog.text
    assert not places[0].exists()
