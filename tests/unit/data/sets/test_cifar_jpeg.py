"""CIFAR-10 from parquet files of JPEGs: real ones, and made ones with each fault."""

import io

import numpy as np
import pytest

from structnets.data.sets.cifar_jpeg import load_cifar_jpeg, read_image_table

pa = pytest.importorskip("pyarrow")


def encoded(color=(200, 30, 60), size=(32, 32), mode="RGB", kind="JPEG"):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", size, color).convert(mode).save(stream, kind)
    return stream.getvalue()


def write_table(path, rows, columns=("image", "label")):
    from pyarrow import parquet

    images = [{"bytes": content, "path": "x"} for content, _ in rows]
    values = (pa.array(images), pa.array([label for _, label in rows]))
    parquet.write_table(pa.table(dict(zip(columns, values, strict=True))), path)
    return path


def test_real_files(real_jpegs):
    images, labels = real_jpegs
    assert images.shape == (10_000, 3, 32, 32)
    np.testing.assert_array_equal(np.bincount(labels), 1000)
    np.testing.assert_allclose(images.mean((0, 2, 3)) / 255, [0.494, 0.485, 0.450], atol=2e-3)


def test_made_files(tmp_path):
    folder = tmp_path / "cifar10_jpeg"
    folder.mkdir()
    for file, count in (("train.parquet", 3), ("test.parquet", 2)):
        write_table(folder / file, [(encoded(), label) for label in range(count)])
    arrays, source = load_cifar_jpeg(tmp_path)
    assert arrays["train_labels"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(arrays["test_images"].mean((0, 2, 3)), [200, 30, 60], atol=2)
    assert source["decoder"].startswith("Pillow ")
    assert set(source["files"]) == {"train.parquet", "test.parquet"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded()[:200], "cannot be read as a JPEG"),
        (b"\xff\xd8\xff\xe0 nothing", "cannot be read as a JPEG|no JPEG"),
        (b"", "no JPEG"),
        (None, "no image"),
        (encoded(kind="PNG"), "no JPEG"),
        (encoded(mode="L"), "mode L; expected 32x32 RGB"),
        (encoded(mode="CMYK"), "mode CMYK"),
        (encoded(size=(32, 31)), r"\(32, 31\) pixels"),
    ],
)
def test_a_broken_image_is_named(tmp_path, content, message):
    path = write_table(tmp_path / "made.parquet", [(encoded(), 0), (content, 1)])
    with pytest.raises(ValueError, match=rf"made\.parquet, row 1: .*({message})"):
        read_image_table(path)


@pytest.mark.parametrize("label", [10, -1, None])
def test_a_wrong_label_is_named(tmp_path, label):
    path = write_table(tmp_path / "made.parquet", [(encoded(), 0), (encoded(), label)])
    with pytest.raises(ValueError, match=rf"row 1: label {label}; allowed: 0\.\.9"):
        read_image_table(path)


def test_other_files_are_refused(tmp_path):
    path = write_table(tmp_path / "made.parquet", [(encoded(), 0)], ("img", "label"))
    with pytest.raises(ValueError, match=r"lacks the column image\.bytes"):
        read_image_table(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"made\.parquet cannot be read as a parquet file"):
        read_image_table(path)


def test_missing_files_say_what_belongs_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.parquet, .*test\.parquet missing: "):
        load_cifar_jpeg(tmp_path)
