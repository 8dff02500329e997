"""CIFAR from original files: real parts, made ones, and each fault."""

import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from structnets.data.sets import cifar
from structnets.data.sets.cifar import load_cifar, read_batch
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries.known_file import KnownFile
from structnets.files import sha256_file

FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


def batch(count=4, **changes):
    content = {"data": np.zeros((count, 3072), np.uint8), "labels": [0] * count, **changes}
    return pickle.dumps(content, protocol=2)


def test_real_part_of_cifar10(data_root):
    arrays, source = load_cifar(data_root, "cifar10", partial=True)
    assert arrays["train_images"].shape == (1000, 3, 32, 32)
    assert arrays["test_images"].shape == (300, 3, 32, 32)
    np.testing.assert_array_equal(np.bincount(arrays["train_labels"]), 100)
    # Means near those everybody standardises CIFAR-10 by, channels in the order red, green, blue.
    means = arrays["train_images"].mean((0, 2, 3)) / 255
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=5e-3)
    assert set(source["files"]) == {"data_batch_1", "test_batch", "batches.meta"}


def test_images_are_where_the_jpegs_show_them(data_root, real_jpegs):
    """The same test image, compressed, lies in another file: rows are rows, red is red."""
    compressed, labels = real_jpegs
    arrays, _ = load_cifar(data_root, "cifar10", partial=True)
    image = arrays["test_images"][0].reshape(-1).astype(np.float32)
    rows = compressed.reshape(len(compressed), -1).astype(np.float32)
    nearest = (np.square(rows).sum(1) - 2 * rows @ image).argmin()
    assert 10 * np.log10(255**2 / np.square(rows[nearest] - image).mean()) > 25
    assert labels[nearest] == arrays["test_labels"][0]


def test_real_part_of_cifar100(data_root):
    content = (data_root / "cifar100" / FOLDERS["cifar100"] / "test").read_bytes()
    images, labels = read_batch(content, "test", "fine_labels", 100)
    assert images.shape == (20, 3, 32, 32)
    assert labels.max() > 9


@pytest.mark.parametrize("name", FOLDERS)
def test_made_parts(made_cifar, name):
    arrays, source = load_cifar(made_cifar, name, partial=True)
    assert arrays["train_images"].shape == (12, 3, 32, 32)
    assert arrays["test_labels"].tolist() == list(range(6))
    assert all(array.flags.writeable for array in arrays.values())
    file = next(iter(source["files"]))
    path = made_cifar / name / FOLDERS[name] / file
    assert source["files"][file]["sha256"] == sha256_file(path)


def test_planes_by_hand():
    rows = np.zeros((1, 3072), np.uint8)
    rows[0, 1024 + 32 * 2 + 5] = 7
    images, _ = read_batch(batch(1, data=rows), "made", "labels", 10)
    assert np.argwhere(images).tolist() == [[0, 1, 2, 5]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (batch(data=np.zeros((4, 3071), np.uint8)), r"data \(4, 3071\), expected .*\(N, 3072\)"),
        (batch(data=np.zeros((4, 3, 32, 32), np.uint8)), r"data \(4, 3, 32, 32\)"),
        (batch(data=[1, 2]), "data list"),
        (batch(labels=[0, 1]), "4 images, but labels 2"),
        (batch(labels={}), "4 images, but labels dict"),
        (batch(labels=[0, 1, 10, 2]), r"label 10 at index 2; allowed: 0\.\.9"),
        (batch(labels=[0, 1, 2, 2.0]), "label 2.0 at index 3"),
        (batch(labels=[0, -1, 2, 2]), "label -1 at index 1"),
        (pickle.dumps([1], 2), "must be a dict with data and labels"),
        (batch()[:-20], "no whole pickle"),
        (batch(data=np.zeros((4, 3072))), "array of type 'f8'"),
    ],
)
def test_bad_batches(content, message):
    with pytest.raises(ValueError, match=f"made .*{message}"):
        read_batch(content, "made", "labels", 10)


def test_hostile_batch_runs_nothing(made_cifar, tmp_path):
    path = made_cifar / "cifar10" / FOLDERS["cifar10"] / "data_batch_2"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "hacked").encode() + b"'\ntR.")
    with pytest.raises(ValueError, match=r"data_batch_2 is refused: it asks for os\.system"):
        load_cifar(made_cifar, "cifar10", partial=True)
    assert not (tmp_path / "hacked").exists()


def test_missing_files_say_where_to_get_them(made_cifar, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        load_cifar(made_cifar, "cifar10")
    message = str(caught.value)
    assert "data_batch_1, data_batch_3, data_batch_4, data_batch_5 missing" in message
    assert cifar.RELEASES["cifar10"].archive.sha256 in message
    assert '{"partial": true}' in message
    with pytest.raises(FileNotFoundError, match=r"cifar-100-python\.tar\.gz missing"):
        load_cifar(tmp_path, "cifar100", partial=True)


@pytest.mark.parametrize("file", ["test_batch", "batches.meta", "data_batch_2"])
def test_a_part_needs_tests_names_and_some_training_images(made_cifar, file):
    (made_cifar / "cifar10" / FOLDERS["cifar10"] / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        load_cifar(made_cifar, "cifar10", partial=True)


def test_a_whole_copy_must_be_the_published_one(made_cifar):
    with pytest.raises(ValueError, match=r"train is not the published file: .*expected md5 16019"):
        load_cifar(made_cifar, "cifar100")


def test_other_classes_are_refused(made_cifar):
    path = made_cifar / "cifar100" / FOLDERS["cifar100"] / "meta"
    path.write_bytes(pickle.dumps({"fine_label_names": ["cat"]}))
    with pytest.raises(ValueError, match=r"meta must name the classes apple, .*got \['cat'\]"):
        load_cifar(made_cifar, "cifar100", verify_checksums=False)


def test_the_archive_itself_is_read(made_cifar, monkeypatch):
    folder = made_cifar / "cifar100" / FOLDERS["cifar100"]
    expected, _ = load_cifar(made_cifar, "cifar100", verify_checksums=False)
    path = folder.parent / "cifar-100-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file in folder.iterdir():
            archive.add(file, f"{folder.name}/{file.name}")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    with pytest.raises(ValueError, match="is not the published file"):
        load_cifar(made_cifar, "cifar100", verify_checksums=False)
    known = KnownFile(path.name, path.stat().st_size, "", sha256_file(path), ())
    monkeypatch.setitem(
        cifar.RELEASES, "cifar100", replace(cifar.RELEASES["cifar100"], archive=known)
    )
    arrays, _ = load_cifar(made_cifar, "cifar100", verify_checksums=False)
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_a_whole_data_set_and_a_part_are_told_apart():
    whole, part = (50_000, 10_000), (1000, 10_000)
    check_whole("cifar10", whole, {}, "here")
    check_whole("cifar10", part, {"partial": True}, "here")
    with pytest.raises(ValueError, match=r"here holds 1000 training .*, expected 50000"):
        check_whole("cifar10", part, {}, "here")
    with pytest.raises(ValueError, match="which is all: leave out"):
        check_whole("cifar10", whole, {"partial": True}, "here")
