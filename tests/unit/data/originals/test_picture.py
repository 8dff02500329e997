import io

import numpy as np
import pytest
from PIL import Image

from structnets.data.originals.picture import DARK_16_BITS, decode_picture
from structnets.data.originals.verified_image import BrokenImageError

SIDE = 16


def encoded(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture
def halves():
    """Red above blue, 20 wide and 40 high."""
    pixels = np.zeros((40, 20, 3), np.uint8)
    pixels[:20, :, 0], pixels[20:, :, 2] = 255, 255
    return Image.fromarray(pixels)


def test_a_plain_picture_is_left_alone(halves):
    found = decode_picture(encoded(halves), SIDE)
    assert found.converted is None
    assert found.size == (20, 40)
    assert np.array_equal(found.image, halves)


def test_it_is_turned_as_its_camera_says(halves):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn clockwise
    found = decode_picture(encoded(halves, exif=exif), SIDE)
    assert found.image.size == (40, 20)
    assert np.asarray(found.image)[10, [2, 37]].tolist() == [[0, 0, 255], [255, 0, 0]]


@pytest.mark.parametrize(
    ("mode", "form", "said"),
    [
        ("L", "PNG", "grey"),
        ("1", "PNG", "grey"),
        ("P", "PNG", "palette"),
        ("CMYK", "JPEG", "CMYK"),
        ("RGBA", "WEBP", None),
        ("L", "TIFF", "grey"),
        ("RGB", "PPM", None),
        ("P", "GIF", "palette"),
        ("RGB", "BMP", None),
    ],
)
def test_every_kind_becomes_rgb_and_is_named(halves, mode, form, said):
    options = {"lossless": True} if form == "WEBP" else {}
    found = decode_picture(encoded(halves.convert(mode), form, **options), SIDE)
    assert (found.image.mode, found.converted) == ("RGB", said)
    expected = np.asarray(halves.convert(mode).convert("RGB")).astype(int)
    assert np.abs(np.asarray(found.image) - expected).max() <= 6


def test_what_is_transparent_lies_on_white(halves):
    halves.putalpha(Image.fromarray(np.repeat([[255], [0]], 20, 0).astype(np.uint8).repeat(20, 1)))
    found = decode_picture(encoded(halves), SIDE)
    assert found.converted == "transparent"
    assert np.asarray(found.image)[[5, 30], 5].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_a_transparent_colour_of_a_palette_lies_on_white():
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 9, 9, 9])
    found = decode_picture(encoded(image, transparency=1), SIDE)
    assert found.converted == "transparent"
    assert np.asarray(found.image).min() == 255


def test_sixteen_bits_keep_their_range():
    values = np.array([[0, 257, 65535]], np.uint16)
    found = decode_picture(encoded(Image.fromarray(values)), 1)
    assert found.converted == "16 bits"
    assert np.asarray(found.image)[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize(("bits", "levels"), [(10, 4), (12, 16)])
def test_a_detector_of_fewer_bits_is_told(bits, levels):
    values = np.arange(2**bits, dtype=np.uint16).reshape(32, -1)
    found = decode_picture(encoded(Image.fromarray(values)), 32)
    assert found.converted == DARK_16_BITS
    assert len(np.unique(np.asarray(found.image))) == levels


def test_only_the_first_of_several_frames_is_taken(halves):
    content = encoded(halves, "GIF", save_all=True, append_images=[halves.rotate(180)])
    found = decode_picture(content, SIDE)
    assert found.converted == "first of several frames"
    assert np.asarray(found.image)[5, 5, 0] > 200


def test_a_large_jpeg_is_decoded_at_a_reduced_scale():
    photograph = Image.effect_mandelbrot((1600, 1200), (-2, -1, 1, 1), 20).convert("RGB")
    found = decode_picture(encoded(photograph, "JPEG"), 100)
    assert found.size == (1600, 1200)
    assert found.image.size == (400, 300)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_a_truncated_file_is_refused(form):
    noise = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (64, 64, 3), np.uint8)
    content = encoded(Image.fromarray(noise), form)
    with pytest.raises(BrokenImageError):
        decode_picture(content[: len(content) // 2], SIDE)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"GIF89a", "."), (b"%PDF-1.4 ", "begins with 25 50")]
)
def test_what_is_no_picture_is_refused_with_the_reason(content, said):
    with pytest.raises(BrokenImageError, match=said):
        decode_picture(content, SIDE)


def test_values_without_a_range_are_refused():
    content = encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    with pytest.raises(BrokenImageError, match="floating-point"):
        decode_picture(content, SIDE)
