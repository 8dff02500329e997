"""Textured blobs: deterministic per index, what each difficulty promises, textures' splits."""

import numpy as np
import pytest
from PIL import Image

from structnets.data.sets.textured_blobs import DIFFICULTIES, TexturedBlobs, match_ranks
from structnets.data.sets.textures import hold_out_classes, load_textures


@pytest.fixture(scope="module")
def textures():
    return load_textures(None)


@pytest.fixture(params=DIFFICULTIES)
def blobs(request, textures):
    return TexturedBlobs(request.param, 48, seed=1, textures=textures)


def test_sample_is_a_function_of_seed_and_index(blobs, textures):
    other = TexturedBlobs(blobs.difficulty, 48, seed=1, textures=textures)
    for index in (7, 3, 10**9):
        assert np.array_equal(blobs[index].image, other[index].image)
    assert not np.array_equal(blobs[0].image, blobs[1].image)
    assert not np.array_equal(
        TexturedBlobs(blobs.difficulty, 48, seed=2, textures=textures)[0].image, blobs[0].image
    )


def test_workers_parts_make_up_the_stream(blobs):
    whole = blobs.batch(0, 6)
    parts = [blobs.batch(first, 2) for first in (4, 0, 2)]
    for kind in range(3):
        assert np.array_equal(whole[kind], np.concatenate([parts[n][kind] for n in (1, 2, 0)]))


def test_form(blobs):
    for array in blobs.batch(0, 4):
        assert array.shape == (4, 1, 48, 48)
        assert array.dtype == np.float32
        assert 0 <= array.min() < array.max() <= 1


def test_boundary_lies_on_the_rim_of_the_mask(blobs):
    sample = blobs[2]
    mask, boundary = sample.mask[0] > 0, sample.boundary[0] > 0
    assert not (boundary & ~mask).any()
    inner = mask & ~boundary
    grown = inner.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            shifted = np.roll(inner, step, axis)
            index = [slice(None)] * 2
            index[axis] = 0 if step == 1 else -1
            shifted[tuple(index)] = False
            grown |= shifted
    assert not (grown & ~mask).any()


def test_difficulties_share_their_shapes(textures):
    masks = [TexturedBlobs(name, 48, textures=textures)[5].mask for name in DIFFICULTIES]
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[0], masks[2])


def test_binary_image_is_the_mask():
    sample = TexturedBlobs("binary")[0]
    assert np.array_equal(sample.image, sample.mask)


def test_single_pixels_tell_blobs_apart_unless_hard(textures):
    differences = {}
    for name in ("textures", "hard"):
        images, _, masks = TexturedBlobs(name, 48, textures=textures).batch(0, 40)
        means = [
            abs(image[mask > 0].mean() - image[mask == 0].mean())
            for image, mask in zip(images, masks, strict=True)
        ]
        differences[name] = np.mean(means)
    assert differences["hard"] < 0.7 * differences["textures"]


def test_ranks_by_hand():
    image, reference = np.array([[3.0, 1.0], [2.0, 9.0]]), np.array([[0.1, 0.4], [0.3, 0.2]])
    assert match_ranks(image, reference).tolist() == [[0.3, 0.1], [0.2, 0.4]]


def test_most_samples_have_boundaries():
    boundaries = TexturedBlobs("binary").batch(0, 100)[1]
    assert (boundaries.sum(axis=(1, 2, 3)) > 10).mean() > 0.95
    assert 0.01 < boundaries.mean() < 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("easy",), "unknown difficulty 'easy'; allowed: binary, textures, hard"),
        (("binary", 8), "size must be at least 16, got 8"),
        (("hard",), "difficulty 'hard' needs textures"),
        (("hard", 500, 0, load_textures(None)), "size 500 exceeds the smallest texture's 384"),
    ],
)
def test_other_values_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TexturedBlobs(*arguments)


def test_negative_index_is_refused():
    with pytest.raises(IndexError, match="at least 0, got -1"):
        _ = TexturedBlobs("binary")[-1]


def test_built_in_splits_share_no_pixel(textures):
    test = load_textures(None, "test")
    assert sorted(textures.classes) == ["brick", "grass", "gravel"]
    assert textures.classes["brick"][0].shape == (512, 384)
    assert test.classes["brick"][0].shape == (512, 128)


def test_kth_tips(data_root):
    if not (data_root / "kth_tips_gray").is_dir():
        pytest.skip("KTH-TIPS absent")
    train, test = (load_textures(data_root, split) for split in ("train", "test"))
    assert len(train.classes) == 10
    assert {len(images) for images in train.classes.values()} == {14}
    assert {len(images) for images in test.classes.values()} == {4}
    assert TexturedBlobs("hard", 96, textures=train)[0].image.shape == (1, 96, 96)


def test_missing_or_small_textures_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="kth_tips_gray is missing"):
        load_textures(tmp_path)
    for name in ("one", "two"):
        place = tmp_path / "kth_tips_gray" / name
        place.mkdir(parents=True)
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(place / "1.png")
        expected = "has 1 classes" if name == "one" else "has 1 PNG images; at least 4"
        with pytest.raises(ValueError, match=expected):
            load_textures(tmp_path)


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="unknown split 'val'; allowed: train, test"):
        load_textures(None, "val")


def test_whole_textures_are_held_out(data_root):
    train, test = (hold_out_classes(data_root, split) for split in ("train", "test"))
    assert not set(train.classes) & set(test.classes)
    assert (len(train.classes), len(test.classes)) == (7, 3)
    whole = {split: load_textures(data_root, split).classes for split in ("train", "test")}
    for name, images in {**train.classes, **test.classes}.items():
        assert len(images) == len(whole["train"][name]) + len(whole["test"][name])


def test_too_few_textures_to_hold_out_are_refused(tmp_path):
    from PIL import Image

    for name in "abcde":
        folder = tmp_path / "kth_tips_gray" / name
        folder.mkdir(parents=True)
        for number in range(4):
            Image.fromarray(np.full((70, 70), 9, np.uint8)).save(folder / f"{number}.png")
    with pytest.raises(ValueError, match="5 classes of textures, of which 1 would be held out"):
        hold_out_classes(tmp_path, "test")
