"""The stage that prepares ImageNet, on archives in the original layout and on folders."""

import json

import pytest

from pipelines.prepare import main, prepare
from structnets.data.originals.imagenet_archives import write_archives
from structnets.data.prepared.manifest import load_manifest
from structnets.data.prepared.shards import ShardedSplit
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.data.sets.preparation import Preparation
from tests.made_imagenet import WNIDS, encoded, made_classes, write_tree

PART = {"partial": True}


@pytest.fixture
def root(tmp_path):
    """Archives with one image of every kind of fault."""
    train = made_classes(4)
    train[WNIDS[1]] |= {
        "png.JPEG": encoded(kind="PNG"),
        "cmyk.JPEG": encoded(mode="CMYK"),
        "grey.JPEG": encoded(mode="L"),
        "truncated.JPEG": encoded(size=(64, 64))[:-200],
    }
    write_archives(tmp_path / "originals" / "imagenet", train, made_classes(2, start=100))
    return tmp_path / "originals"


def words(root, out, prepare):
    request = json.dumps({"name": "imagenet", "prepare": prepare})
    return ["--data-root", str(root), "--out", str(out), "--data-json", request]


def test_archives_with_broken_images(root, tmp_path, caplog):
    assert main([*words(root, tmp_path / "out", PART), "--workers", "2"]) == 0
    manifest = load_manifest(tmp_path / "out")
    assert manifest["classes"] == sorted(WNIDS)
    assert {entry["file"]: entry["reason"].split(":")[0] for entry in manifest["quarantined"]} == {
        "png.JPEG": "no JPEG",
        "truncated.JPEG": "cannot be read as a JPEG",
    }
    assert manifest["converted"] == {"CMYK": 1, "grey": 1}
    assert manifest["counts"]["train"] == {"n00000001": 6, "n00000002": 4, "n00000003": 2}
    assert manifest["counts"]["test"] == dict.fromkeys(sorted(WNIDS), 2)
    assert manifest["source"]["released_ten_classes"] == "not comparable: 3 of 1000 classes"
    assert "no JPEG: it is a PNG" in caplog.text


def test_photographs_pass_through_archives_of_the_original_layout(tmp_path):
    request = '{"name": "photo_shards", "prepare": {"geometry": "squash128"}}'
    for out in ("out", "again"):
        assert main(["--data-json", request, "--out", str(tmp_path / out)]) == 0
    manifest = load_manifest(tmp_path / "out")
    assert manifest["digest"] == load_manifest(tmp_path / "again")["digest"]
    assert manifest["image_shape"] == [3, 128, 128]
    names = list(find_dataset("photo_shards").classes)
    assert manifest["classes"] == names
    expected = {"train": dict.fromkeys(names, 8), "test": dict.fromkeys(names, 4)}
    assert manifest["counts"] == expected
    assert manifest["source"]["photographs"] == names


def test_real_classes_are_chosen_by_bytes(data_root, tmp_path):
    manifest = prepare(
        Preparation("imagenet", {**PART, "classes": 10, "geometry": "short256"}, data_root),
        tmp_path / "out",
    )
    assert len(manifest["classes"]) == 10
    assert {"n02086240", "n02087394", "n02115641"} <= set(manifest["classes"])
    # 49 images there are, but they are small.
    assert "n03000684" not in manifest["classes"]
    assert manifest["quarantined"] == []
    assert set(manifest["counts"]["test"].values()) == {4}
    test = ShardedSplit(tmp_path / "out", "test")
    assert min(test.heights.min(), test.widths.min()) == 256


@pytest.mark.slow
def test_real_archives_and_folders_make_the_same(data_root, tmp_path):
    train, val = (
        {
            folder.name: {file.name: file.read_bytes() for file in sorted(folder.iterdir())[:6]}
            for folder in sorted((data_root / "imagenet" / split).iterdir())
        }
        for split in ("train", "val")
    )
    write_archives(tmp_path / "tars" / "imagenet", train, val)
    write_tree(tmp_path / "tree" / "imagenet" / "train", train)
    write_tree(tmp_path / "tree" / "imagenet" / "val", val)
    made = [
        prepare(
            Preparation("imagenet", {**PART, "classes": 10}, tmp_path / kind),
            tmp_path / f"{kind}_out",
        )
        for kind in ("tars", "tree")
    ]
    assert made[0]["classes"] == made[1]["classes"]
    shards = [manifest["files"]["train_shard00000.bin"] for manifest in made]
    assert shards[0] == shards[1]
    assert made[0]["statistics"] == made[1]["statistics"]


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ({}, "devkit_t12.tar.gz is not the published file"),
        ({**PART, "classes": 10}, "10 classes are asked for, but only 3 are there"),
        ({**PART, "classes": 30}, "allowed: 1000, 100, 20, 10"),
        ({**PART, "geometry": "square"}, 'allowed: "squash256", "squash128", "short256"'),
    ],
)
def test_a_user_s_fault_is_one_line(root, tmp_path, capsys, prepare, message):
    assert main(words(root, tmp_path / "out", prepare)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_part_is_never_called_whole(data_root, tmp_path):
    with pytest.raises(ValueError, match="holds 602 training and 80 test images of imagenet, expe"):
        prepare(Preparation("imagenet", {}, data_root), tmp_path / "out")


def test_a_truncated_archive_is_one_line(root, tmp_path, capsys):
    path = root / "imagenet" / "ILSVRC2012_img_val.tar"
    path.write_bytes(path.read_bytes()[:-10_000])
    assert main(words(root, tmp_path / "out", PART)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "ILSVRC2012_img_val.tar is" in line
