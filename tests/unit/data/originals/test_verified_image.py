"""Images are verified whole; grey and CMYK become RGB; geometries are torchvision's."""

import io

import numpy as np
import pytest

from structnets.data.originals.verified_image import (
    BrokenImageError,
    decode_verified,
    encode,
    fit,
    pixels,
    side_of,
)
from tests.made_imagenet import encoded

Image = pytest.importorskip("PIL.Image")


def test_colours_are_pillows():
    image, converted = decode_verified(encoded())
    assert converted is None
    with Image.open(io.BytesIO(encoded())) as expected:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))


def test_grey_becomes_three_equal_channels():
    image, converted = decode_verified(encoded(mode="L"))
    planes = pixels(image)
    assert converted == "grey"
    assert planes.shape == (3, 30, 40)
    assert (planes == planes[0]).all()


def test_cmyk_becomes_rgb():
    plain = Image.new("RGB", (16, 16), (200, 40, 90))
    stream = io.BytesIO()
    plain.convert("CMYK").save(stream, "JPEG", quality=100)
    image, converted = decode_verified(stream.getvalue())
    assert converted == "CMYK"
    np.testing.assert_allclose(pixels(image).mean((1, 2)), [200, 40, 90], atol=4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded(kind="PNG"), "no JPEG: it is a PNG"),
        (b"", "no JPEG: it is an empty file"),
        (b"GIF nothing", "no JPEG: it is a file that begins with 47 49 46 20"),
        (encoded()[:400], "cannot be read as a JPEG"),
        (encoded()[:-100], "cannot be read as a JPEG"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "JPEG"),
    ],
)
def test_broken_images(content, message):
    with pytest.raises(BrokenImageError, match=message):
        decode_verified(content)


@pytest.mark.parametrize("size", [(300, 200), (150, 400), (256, 256), (90, 60)])
@pytest.mark.parametrize("geometry", ["squash256", "short256", "short320"])
def test_geometry_is_that_of_torchvision(size, geometry):
    transforms = pytest.importorskip("torchvision.transforms")
    image, _ = decode_verified(encoded(size=size))
    side = side_of(geometry)
    wanted = (side, side) if geometry.startswith("squash") else side
    expected = transforms.Resize(wanted)(image)
    fitted = fit(image, geometry)
    assert min(fitted.size) == side
    np.testing.assert_array_equal(np.asarray(fitted), np.asarray(expected))


def test_stored_forms():
    image, _ = decode_verified(encoded(size=(3, 2)))
    assert encode(image, "raw") == np.asarray(image).tobytes()
    smooth = Image.new("RGB", (64, 64), (10, 200, 30))
    again, _ = decode_verified(encode(smooth, "jpeg"))
    np.testing.assert_allclose(pixels(again), pixels(smooth), atol=2)
