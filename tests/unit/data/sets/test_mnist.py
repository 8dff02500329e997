"""MNIST from original files: the real ones, and made ones with each fault."""

import hashlib

import numpy as np
import pytest

from structnets.data.sets.mnist import FILES, load_mnist


def test_real_files_are_the_published_ones(data_root):
    for file in FILES.values():
        content = (data_root / "mnist" / file.name).read_bytes()
        assert len(content) == file.size
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == file.md5


def test_real_mnist(data_root):
    arrays = load_mnist(data_root)
    images, labels = arrays["train_images"], arrays["train_labels"]
    assert images.shape == (60_000, 1, 28, 28)
    assert arrays["test_images"].shape == (10_000, 1, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    # The mean and deviation that everybody normalizes MNIST by.
    assert images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert images.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_made_files_without_checksums(made_mnist):
    arrays = load_mnist(made_mnist, verify_checksums=False)
    assert arrays["train_images"].shape == (20, 1, 28, 28)
    assert arrays["test_labels"].tolist() == list(range(10))


def test_missing_files_say_where_to_get_them(made_mnist):
    for key in ("train_labels", "test_images"):
        (made_mnist / "mnist" / FILES[key].name).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(made_mnist)
    message = str(caught.value)
    for key in ("train_labels", "test_images"):
        file = FILES[key]
        assert f"{file.mirrors[0]}{file.name}" in message
        assert file.sha256 in message
        assert f"put it at {made_mnist / 'mnist' / file.name}" in message
    assert FILES["train_images"].name not in message


def test_wrong_checksum_is_refused(made_mnist):
    with pytest.raises(ValueError, match=r"train-images.* is not the published file.*expected 99"):
        load_mnist(made_mnist)


def test_counts_must_match(made_mnist, make_idx):
    make_idx(made_mnist / "mnist" / FILES["train_labels"].name, np.arange(19) % 10)
    with pytest.raises(ValueError, match=r"20 images, .*train-labels.* 19 labels"):
        load_mnist(made_mnist, verify_checksums=False)


def test_labels_must_be_digits(made_mnist, make_idx):
    make_idx(made_mnist / "mnist" / FILES["test_labels"].name, np.arange(10) + 1)
    with pytest.raises(ValueError, match=r"t10k-labels.* has label 10 at index 9; allowed: 0\.\.9"):
        load_mnist(made_mnist, verify_checksums=False)


def test_images_must_be_28_by_28(made_mnist, make_idx):
    make_idx(made_mnist / "mnist" / FILES["test_images"].name, np.zeros((10, 32, 32)))
    with pytest.raises(ValueError, match=r"t10k-images.*\(32, 32\) pixels"):
        load_mnist(made_mnist, verify_checksums=False)
