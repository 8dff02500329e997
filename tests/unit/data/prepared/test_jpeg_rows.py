"""Rows of JPEGs, by what decoding all of them gives."""

from __future__ import annotations

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from structnets.data.originals.verified_image import encode
from structnets.data.prepared.jpeg_rows import decode_rows


def picture(height: int, width: int = 21) -> Image.Image:
    drawn = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(drawn)


def stored(content: bytes) -> np.ndarray:
    return np.frombuffer(bytearray(content), np.uint8)


def whole(content: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(content.tobytes())) as image:
        return np.array(image)


@pytest.mark.parametrize("height", [1, 8, 9, 16, 17, 83, 160])
def test_any_rows_are_those_of_the_whole(height: int) -> None:
    content = stored(encode(picture(height), "jpeg"))
    expected = whole(content)
    for top in {0, 1, 7, 8, height // 2, height - 1}:
        for bottom in {top + 1, top + 8, height - 1, height}:
            if 0 <= top < bottom <= height:
                found = decode_rows(content, top, bottom)
                np.testing.assert_array_equal(found, expected[top:bottom], f"{top}:{bottom}")


def test_only_their_blocks_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = stored(encode(picture(160), "jpeg"))
    shapes = []

    def decode(part: np.ndarray, colours: str) -> np.ndarray:
        shapes.append(whole(part).shape)
        return whole(part)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", decode)
    decode_rows(content, 30, 41)  # of rows 24 to 48
    decode_rows(content, 150, 160)
    assert shapes == [(24, 21, 3), (16, 21, 3)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"subsampling": 2, "restart_marker_rows": 2},
        {"subsampling": 2, "restart_marker_blocks": 1},  # as many markers as rows of 8 ask for
        {"restart_marker_blocks": 2},
    ],
)
def test_a_jpeg_of_another_make_is_decoded_whole(options: dict[str, object]) -> None:
    stream = io.BytesIO()
    picture(32, 32).save(stream, "JPEG", **{"subsampling": 0, **options})
    content = stored(stream.getvalue())
    np.testing.assert_array_equal(decode_rows(content, 9, 31), whole(content)[9:31])


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xd8",
        b"no picture at all, however long it may be",
        encode(picture(40), "jpeg")[:300],
        encode(picture(40), "jpeg")[:700],
    ],
    ids=["empty", "begun", "text", "headers alone", "half"],
)
def test_a_damaged_jpeg_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="a damaged JPEG: "):
        decode_rows(stored(broken), 0, 40)
