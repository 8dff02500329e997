"""Batches from shards: any number of threads makes the same, and torchvision's tensors."""

import numpy as np
import pytest
import torch

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.batch_buffers import BatchBuffers
from structnets.data.batches.crops import CenterCrop, RandomCrop, RandomResizedCrop
from structnets.data.batches.examples import Step
from structnets.data.batches.image_pipeline import ImagePipeline
from structnets.data.originals.tars import FileRange
from structnets.data.originals.verified_image import decode_verified
from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.prepared.shards import ShardedSplit
from tests.made_imagenet import encoded

FACTS = {"dataset": "toy", "prepare": {}, "classes": ["a", "b"], "source": {}}
ROWS = np.array([5, 0, 3, 3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    files = []
    for number in range(6):
        path = root / f"{number}.JPEG"
        path.write_bytes(encoded(number, (280 + 10 * number, 270)))
        files.append((FileRange(path.name, str(path), 0, path.stat().st_size), number % 2))
    splits = {"train": files, "test": files[:2]}
    for geometry in ("squash256", "short256"):
        prepare_shards(root / geometry, splits, FACTS, geometry=geometry, storage="raw")
    return root


def pipeline(folder, geometry="short256", crop=None, **options):
    split = ShardedSplit(folder / geometry, "train")
    return ImagePipeline(split, crop or RandomResizedCrop(64), **options)


def test_threads_and_order_of_calls_decide_nothing(folder):
    with pipeline(folder) as alone, pipeline(folder, threads=3) as three:
        first, labels = alone.batch(ROWS, seed=1, step=7)
        second, _ = three.batch(ROWS, seed=1, step=7)
        assert first.shape == (4, 3, 64, 64)
        assert first.dtype == torch.uint8
        assert labels.tolist() == [1, 0, 1, 1]
        assert torch.equal(first, second)
        assert not torch.equal(first, three.batch(ROWS, seed=1, step=8)[0])


def test_a_stream_is_its_batches(folder):
    with pipeline(folder, threads=2) as images:
        batches = [np.array([step % 6, (step + 1) % 6]) for step in range(5)]
        steps = [Step(10 + i, rows, slice(i % 2, None)) for i, rows in enumerate(batches)]
        streamed = [(x.clone(), y) for x, y in images.stream(steps, seed=2)]
        assert len(streamed) == 5
        for step, (found, labels) in zip(steps, streamed, strict=True):
            expected, expected_labels = images.batch(step.batch, 2, step.number, step.part)
            assert torch.equal(found, expected)
            assert torch.equal(labels, expected_labels)


def test_workers_take_their_part_of_the_global_batch(folder):
    with pipeline(folder) as images:
        whole, labels = images.batch(ROWS, 0, 0)
        part, part_labels = images.batch(ROWS, 0, 0, slice(1, 3))
        assert torch.equal(part, whole[1:3])
        assert torch.equal(part_labels, labels[1:3])


def test_squashed_crops_are_exactly_torchvisions(folder):
    """Resized by Pillow before or now, cropped alike, standardised alike: the same tensors."""
    transforms = pytest.importorskip("torchvision.transforms")
    statistics = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    peer = transforms.Compose([transforms.Resize((256, 256)), transforms.ToTensor()])
    options = {"crop": RandomCrop(), "standardization": Standardization(*statistics)}
    with pipeline(folder, "squash256", **options) as images:
        found, _ = images.batch(ROWS, 4, 2)
        side = np.full(len(ROWS), 256)
        windows = RandomCrop().windows(side, side, 4, 2)
    assert windows.flipped.any()
    for position, row in enumerate(ROWS):
        image = peer(decode_verified((folder / f"{row}.JPEG").read_bytes())[0])
        top, left = windows.top[position], windows.left[position]
        image = image[:, top : top + 224, left : left + 224]
        image = image.flip(-1) if windows.flipped[position] else image
        expected = transforms.functional.normalize(image, *statistics)
        torch.testing.assert_close(found[position], expected, atol=1e-5, rtol=0)


def test_resized_crops_are_torchvisions_to_one_grey_level(folder):
    functional = pytest.importorskip("torchvision.transforms.functional")
    from PIL import Image

    with pipeline(folder) as images:
        found, _ = images.batch(ROWS, 4, 2)
        split = images.split
        windows = images.crop.windows(split.heights[ROWS], split.widths[ROWS], 4, 2)
    for position, row in enumerate(ROWS):
        box = (windows.top, windows.left, windows.height, windows.width)
        image = Image.fromarray(split.pixels(row))
        shown = functional.resized_crop(image, *(int(side[position]) for side in box), [64, 64])
        expected = functional.pil_to_tensor(shown)
        expected = expected.flip(-1) if windows.flipped[position] else expected
        assert (found[position].int() - expected.int()).abs().max() <= 1


def test_centre_crops_of_the_test_split(folder):
    split = ShardedSplit(folder / "squash256", "test")
    with ImagePipeline(split, CenterCrop(250)) as images:
        found, labels = images.batch(np.arange(2), 0, 0)
    assert labels.tolist() == [0, 1]
    np.testing.assert_array_equal(found[1].permute(1, 2, 0), split.pixels(1)[3:253, 3:253])


def test_threads_of_others_keep_their_number(folder):
    before = torch.get_num_threads()
    with pipeline(folder, threads=2):
        assert torch.get_num_threads() == before


def test_errors_reach_the_caller(folder):
    with (
        pipeline(folder, crop=RandomCrop(300)) as images,
        pytest.raises(ValueError, match="does not fit"),
    ):
        images.batch(ROWS, 0, 0)
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        pipeline(folder, threads=0)


def test_memory_in_use_is_not_given_out_again():
    buffers = BatchBuffers()
    first = buffers.take((2, 3), torch.float32).fill_(1)
    view = first[1]
    address = first.data_ptr()
    del first
    second = buffers.take((2, 3), torch.float32).fill_(2)
    assert view.tolist() == [1, 1, 1]
    assert second.data_ptr() != address
    del view
    assert buffers.take((2, 3), torch.float32).data_ptr() == address


def test_memory_that_autograd_holds_is_not_given_out_again():
    buffers = BatchBuffers()
    weight = torch.ones(3, requires_grad=True)
    images = buffers.take((3,), torch.float32).fill_(5)
    loss = (weight * images).sum()
    del images
    buffers.take((3,), torch.float32).fill_(9)
    loss.backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [5, 5, 5]
