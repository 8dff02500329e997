"""ImageNet's originals: both layouts say the same; classes rank by bytes; faults are named."""

import io
import shutil
import tarfile

import pytest
from scipy.io import savemat

from structnets.data.originals.devkit import validation_classes
from structnets.data.originals.imagenet_archives import tar_bytes, write_archives, write_devkit
from structnets.data.originals.tars import FileRange
from structnets.data.sets.imagenet import (
    RELEASED_TEN,
    compare_with_released,
    find_originals,
    rank_classes,
    select_classes,
)
from tests.made_imagenet import WNIDS, encoded, made_classes, write_tree

TRAIN, VAL = made_classes(4), made_classes(2, start=100)


@pytest.fixture
def tree(tmp_path):
    write_tree(tmp_path / "tree" / "train", TRAIN)
    write_tree(tmp_path / "tree" / "val", VAL)
    return tmp_path / "tree"


@pytest.fixture
def archives(tmp_path):
    write_archives(tmp_path / "archives", TRAIN, VAL)
    return tmp_path / "archives"


def contents(classes):
    return {wnid: sorted(file.read() for file in files) for wnid, files in classes.items()}


def fake(sizes):
    return {wnid: [FileRange("x", "x", 0, size) for size in of] for wnid, of in sizes.items()}


def test_archives_and_folders_say_the_same(tree, archives):
    folders, tars = find_originals(tree, partial=True), find_originals(archives, partial=True)
    assert contents(folders.train) == contents(tars.train)
    assert contents(folders.test) == contents(tars.test)
    assert tars.counts() == (10, 6)


def test_flat_validation_images_need_the_development_kit(tree, archives):
    shutil.rmtree(tree / "val")
    (tree / "val").mkdir()
    images = [(wnid, content) for wnid, files in VAL.items() for content in files.values()]
    for number, (_, content) in enumerate(images, 1):
        (tree / "val" / f"ILSVRC2012_val_{number:08d}.JPEG").write_bytes(content)
    with pytest.raises(FileNotFoundError, match=r"devkit_t12\.tar\.gz is missing"):
        find_originals(tree, partial=True)
    write_devkit(tree, sorted(VAL), [wnid for wnid, _ in images])
    assert contents(find_originals(tree, partial=True).test) == contents(
        find_originals(archives, partial=True).test
    )


def test_rank_is_by_bytes_not_by_number():
    classes = fake({"n1": [10], "n2": [3, 3, 3], "n3": [4, 6]})
    assert rank_classes(classes) == [("n1", 10), ("n3", 10), ("n2", 9)]
    assert select_classes(classes, 2) == ["n1", "n3"]
    with pytest.raises(ValueError, match="4 classes are asked for, but only 3"):
        select_classes(classes, 4)


def test_real_ranks(data_root):
    """By bytes the largest class has 37 images; by number it would be another, of 61."""
    originals = find_originals(data_root / "imagenet")
    ranked = rank_classes(originals.train)
    assert ranked[:2] == [("n02086240", 1_212_697), ("n02087394", 1_196_531)]
    numbers = {wnid: len(files) for wnid, files in originals.train.items()}
    assert max(numbers, key=numbers.__getitem__) == "n03445777"
    assert select_classes(originals.train, 2) == ["n02086240", "n02087394"]
    assert compare_with_released(originals.train) == "not comparable: 20 of 1000 classes"


def test_comparison_with_the_released_classes():
    sizes = {f"n{number:08d}": [1] for number in range(990)}
    large = {wnid: [5] for wnid in RELEASED_TEN}
    assert compare_with_released(fake(sizes | large)) == "equal"
    other = large | {RELEASED_TEN[0]: [1], "n00000007": [9]}
    assert compare_with_released(fake(sizes | other)) == (
        f"different: n00000007 chosen in place of {RELEASED_TEN[0]}"
    )


def test_development_kit_by_hand(tmp_path):
    write_devkit(tmp_path, ["a", "b", "c"], ["b", "a", "a", "c"])
    path = tmp_path / "ILSVRC2012_devkit_t12.tar.gz"
    assert validation_classes(path, verify_checksum=False) == ["b", "a", "a", "c"]
    with pytest.raises(ValueError, match=r"not the published file: .*expected fa75699e"):
        validation_classes(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"nothing", "is not compressed by gzip"),
        (lambda: tar_bytes({"x": b""}, "w:gz"), "lacks ILSVRC2012_devkit_t12/data/ILSVRC2012_v"),
    ],
)
def test_damaged_development_kits(archives, make, message):
    (archives / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(make())
    with pytest.raises(ValueError, match=message):
        find_originals(archives, partial=True)


def test_unknown_class_numbers_and_tables(tmp_path):
    path = tmp_path / "ILSVRC2012_devkit_t12.tar.gz"
    data = "ILSVRC2012_devkit_t12/data/"
    truth = f"{data}ILSVRC2012_validation_ground_truth.txt"
    path.write_bytes(tar_bytes({truth: b"1\n", f"{data}meta.mat": b"no table" * 50}, "w:gz"))
    with pytest.raises(ValueError, match=r"meta\.mat is not a MATLAB file"):
        validation_classes(path, verify_checksum=False)
    stream = io.BytesIO()
    savemat(stream, {"synsets": 1})
    path.write_bytes(tar_bytes({truth: b"1\n", f"{data}meta.mat": stream.getvalue()}, "w:gz"))
    with pytest.raises(ValueError, match=r"meta\.mat is no table of classes"):
        validation_classes(path, verify_checksum=False)
    write_devkit(tmp_path, ["a"], ["a"])
    with tarfile.open(path) as archive:
        file = archive.extractfile(f"{data}meta.mat")
        assert file is not None
        meta = file.read()
    path.write_bytes(tar_bytes({truth: b"1\n2\n", f"{data}meta.mat": meta}, "w:gz"))
    with pytest.raises(ValueError, match="has an entry that is no class: 2"):
        validation_classes(path, verify_checksum=False)


def test_missing_originals_say_what_belongs_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"ILSVRC2012_img_train\.tar.*train/<wnid>.*https:"):
        find_originals(tmp_path)


@pytest.mark.parametrize(
    ("split", "message"),
    [("train", "class n00000001 is missing from train"), ("val", "missing from val")],
)
def test_missing_class(tree, split, message):
    shutil.rmtree(tree / split / WNIDS[1])
    with pytest.raises(ValueError, match=message):
        find_originals(tree, partial=True)


@pytest.mark.parametrize("split", ["train", "val"])
def test_empty_class(tree, split):
    for file in (tree / split / WNIDS[1]).iterdir():
        file.unlink()
    with pytest.raises(ValueError, match=f"class {WNIDS[1]} of {split} is empty"):
        find_originals(tree, partial=True)


def test_other_names(tree, archives):
    (tree / "train" / "cats").mkdir()
    with pytest.raises(ValueError, match="holds 'cats', which is no class"):
        find_originals(tree, partial=True)
    path = archives / "ILSVRC2012_img_val.tar"
    path.write_bytes(tar_bytes({"ILSVRC2012_val_00000007.JPEG": encoded()}))
    with pytest.raises(ValueError, match="with a number of 1 to 6"):
        find_originals(archives, partial=True)
    (archives / "ILSVRC2012_img_train.tar").write_bytes(tar_bytes({"n1.zip": b""}))
    with pytest.raises(ValueError, match=r"member 'n1\.zip' is not named <wnid>\.tar"):
        find_originals(archives, partial=True)


def test_truncated_archive(archives):
    path = archives / "ILSVRC2012_img_train.tar"
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(ValueError, match=r"img_train\.tar.* is (truncated|damaged)"):
        find_originals(archives, partial=True)
