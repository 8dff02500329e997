"""Images in shards: crops follow seed and step, workers share them, evaluation sees the middle."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from structnets.analysis.trained import Trained
from structnets.data.batches.augmentation import standardize
from structnets.data.batches.crops import CenterCrop, RandomCrop
from structnets.data.batches.examples import Step
from structnets.data.batches.mean_image import MeanImage
from structnets.data.originals.tars import FileRange
from structnets.data.prepared.manifest import load_manifest
from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.prepared.shards import MEAN_IMAGE, ShardedSplit
from structnets.forms.shards.source import open_examples
from structnets.identity import science
from structnets.specs.spec import validate
from tests.made_imagenet import encoded

CPU = torch.device("cpu")
CROP = {"kind": "random", "size": 100}
OPTIMIZER = {"name": "sgd", "lr": 0.01}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    files = []
    for number in range(12):
        path = root / f"{number}.JPEG"
        path.write_bytes(encoded(number, (150 + 5 * number, 140)))
        files.append((FileRange(path.name, str(path), 0, path.stat().st_size), number % 10))
    names = [str(number) for number in range(10)]
    facts = {"dataset": "photo_shards", "prepare": {}, "classes": names, "source": {}}
    for geometry in ("squash128", "short256"):
        splits = {"train": files, "test": files[:10]}
        prepare_shards(root / geometry, splits, facts, geometry=geometry, storage="raw")
    return root


def make_spec(size=None, fraction=0.0, **recipe):
    evaluation = {"validation_fraction": fraction}
    recipe = {"crop": CROP, "evaluation": evaluation, **recipe}
    return validate(
        {
            "chapter": 3,
            "preset": "smoke",
            "seed": 3,
            "model": {"name": "nin_imagenet"},
            "data": {"name": "photo_shards", "train_size": size},
            "recipe": {"optimizer": OPTIMIZER, "epochs": 1, "batch_size": 4, **recipe},
        }
    )


def examples(folder, geometry="squash128", **changes):
    path = folder / geometry
    return open_examples(make_spec(**changes), path, load_manifest(path))


def steps(*numbers, part=slice(None)):
    return [Step(number, np.arange(number % 3, number % 3 + 8), part) for number in numbers]


@pytest.mark.parametrize("recipe", [{"mean_image": True}, {"standardize": True}, {}])
def test_workers_share_what_one_would_read(folder, recipe):
    train = examples(folder, **recipe)["train"]
    whole = list(train.stream(steps(5, 6), CPU))
    parts = [list(train.stream(steps(5, 6, part=p), CPU)) for p in (slice(3), slice(3, 8))]
    for step, (images, labels) in enumerate(whole):
        assert (images.shape, images.dtype) == ((8, 3, 100, 100), torch.float32)
        assert torch.equal(images, torch.cat([part[step][0] for part in parts]))
        assert torch.equal(labels, torch.cat([part[step][1] for part in parts]))


def test_a_step_is_seen_alike_wherever_a_training_begins(folder):
    train = examples(folder)["train"]
    (_, (images, _)), ((again, _),) = (train.stream(steps(*n), CPU) for n in ((4, 7), (7,)))
    assert torch.equal(images, again)
    assert not torch.equal(images, next(train.stream(steps(10), CPU))[0])


def test_evaluation_sees_the_middle_less_the_mean_image(folder):
    split = ShardedSplit(folder / "squash128", "test")
    mean = np.load(folder / "squash128" / MEAN_IMAGE)
    images, labels = examples(folder, mean_image=True)["test"].batch(np.array([9, 2]), CPU)
    assert labels.tolist() == [9, 2]
    expected = (split.pixels(9).transpose(2, 0, 1) - mean)[:, 14:114, 14:114] / 255
    np.testing.assert_allclose(images[0], expected, atol=1e-6)


def test_statistics_of_the_manifest_standardise(folder):
    split = ShardedSplit(folder / "squash128", "test")
    images, _ = examples(folder, standardize=True)["test"].batch(np.arange(2), CPU)
    shown = torch.from_numpy(split.pixels(1)[14:114, 14:114].transpose(2, 0, 1).copy())
    expected = standardize(shown[None], **split.manifest["statistics"])[0]
    torch.testing.assert_close(images[1], expected)


def test_mean_image_is_cut_and_flipped_as_the_images_are():
    rng = np.random.default_rng(0)
    mean, images = rng.uniform(0, 255, (3, 20, 20)), rng.integers(0, 256, (8, 3, 20, 20))
    windows = RandomCrop(12).windows(np.full(8, 20), np.full(8, 20), 1, 2)
    assert 0 < windows.flipped.sum() < 8

    def cut(image, i):
        part = image[:, windows.top[i] :, windows.left[i] :][:, :12, :12]
        return part[:, :, ::-1] if windows.flipped[i] else part

    crops = np.stack([cut(image, i) for i, image in enumerate(images)]).astype(np.uint8)
    found = MeanImage(mean).subtract(torch.from_numpy(crops), windows)
    expected = np.stack([cut((image - mean) / 255, i) for i, image in enumerate(images)])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_resized_crops_of_images_of_any_size(folder):
    crop = {"kind": "scale_aspect", "size": 48}
    found = examples(folder, "short256", crop=crop)
    images, _ = next(found["train"].stream(steps(0), CPU))
    middle, _ = found["test"].batch(np.arange(3), CPU)
    assert images.shape == (8, 3, 48, 48)
    assert middle.shape == (3, 3, 48, 48)
    assert 0 <= images.min() <= images.max() <= 1


def test_subset_and_hold_out(folder):
    found = examples(folder, size=8, fraction=0.25)
    assert {name: len(part) for name, part in found.items()} == {
        "train": 6,
        "validation": 2,
        "test": 10,
    }
    rows = [*found["train"].rows, *found["validation"].rows]
    assert len(set(rows)) == 8
    middle, _ = found["validation"].batch(np.array([0]), CPU)
    split, row = ShardedSplit(folder / "squash128", "train"), found["validation"].rows[0]
    window = CenterCrop(100).windows(split.heights[[row]], split.widths[[row]])
    expected = split.pixels(row)[window.top[0] :, window.left[0] :][:100, :100]
    np.testing.assert_allclose(255 * middle[0].permute(1, 2, 0), expected, atol=1e-4)


def test_mean_image_needs_images_of_one_size(folder):
    with pytest.raises(ValueError, match=r"one size, .*short256 holds short256: prepare a squash"):
        examples(folder, "short256", mean_image=True)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"crop": None}, "photo_shards is in shards, whose images need recipe.crop"),
        ({"augmentation": {"flip": True}}, "recipe.crop moves and flips: leave out"),
        ({"mean_image": True, "standardize": True}, "mean_image goes with crop kind 'random'"),
        ({"crop": {**CROP, "kind": "scale_aspect"}, "mean_image": True}, "goes with crop kind"),
        ({"crop": {**CROP, "kind": "centre"}}, "'random' or 'scale_aspect'"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(recipe, message):
    with pytest.raises(ValueError, match=message):
        make_spec(**recipe)


def test_crops_belong_to_shards_and_leave_other_runs_alone():
    spec = {**make_spec(), "data": {"name": "photo_crops"}}
    with pytest.raises(ValueError, match=r"photo_crops is not in shards: leave out recipe\.crop"):
        validate(spec)
    plain = validate({**spec, "recipe": {**spec["recipe"], "crop": None}})
    assert {"crop", "mean_image"} & set(science(plain)["recipe"]) == set()


def test_labels_are_known_without_a_picture(folder):
    """An analysis of some classes of ImageNet asks for the labels of all its images."""
    splits = examples(folder, size=7, fraction=0.3)
    run = SimpleNamespace(splits=splits)
    for split, images in splits.items():
        positions = np.arange(len(images))[::-1].copy()
        _, labels = images.batch(positions, CPU)
        found = Trained.labels(run, split, positions)  # type: ignore[arg-type]
        np.testing.assert_array_equal(found, labels.numpy())
