"""Damage in photos is told where their format lets anyone see it, and healthy photos are not called damaged."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_batch.errors import MediaError
from fer_batch.media import photo_file
from fer_batch.media.photo_damage import DAMAGED

PHOTO = skimage.data.astronaut()[:160, 128:328]

FORMATS = {
    "png": {"format": "PNG"},
    "avif": {"format": "AVIF", "speed": 10, "quality": 75},
    "tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
}


def encoded(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def spoilt(data: bytes, part: int, how: str) -> bytes:
    """A photo damaged after ``part`` percent of its bytes."""
    at, some = len(data) * part // 100, len(data) // 20
    first, second = data[at : at + some], data[at + some : at + 2 * some]
    return {
        "cut": data[:at],
        "zeroed": data[:at] + bytes(some) + data[at + some :],
        "swapped": data[:at] + second + first + data[at + 2 * some :],
        "a bit flipped": data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :],
    }[how]


@pytest.mark.parametrize("how", ["cut", "zeroed", "swapped", "a bit flipped"])
@pytest.mark.parametrize("kind", FORMATS)
def test_damage_that_a_format_lets_anyone_see_is_told(tmp_path: Path, kind: str, how: str) -> None:
    whole = encoded(Image.fromarray(PHOTO), **FORMATS[kind])
    path = tmp_path / f"a.{kind}"
    for part in range(20, 90, 10):
        path.write_bytes(spoilt(whole, part, how))
        try:
            assert photo_file.decode(path).damage == (DAMAGED,)
        except MediaError:
            continue  # it is refused, which says so, too


def test_the_last_checksum_of_a_png_counts(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.fromarray(PHOTO), format="PNG"))
    end = data.rindex(b"IEND") - 4
    data[end - 1] ^= 1  # of the checksum itself
    (tmp_path / "a.png").write_bytes(data)
    decoded = photo_file.decode(tmp_path / "a.png")
    assert decoded.damage == (DAMAGED,)
    assert np.array_equal(decoded.rgb, PHOTO)


MODES = ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"]


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    mode=st.sampled_from(MODES),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    quality=st.integers(0, 100),
    subsampling=st.sampled_from(["4:2:0", "4:2:2", "4:4:4", "4:0:0"]),
    tail=st.sampled_from([b"", bytes(20), b"more"]),
)
def test_healthy_photos_are_not_called_damaged(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    mode: str,
    size: tuple[int, int],
    quality: int,
    subsampling: str,
    tail: bytes,
) -> None:
    small = Image.fromarray(cv2.resize(PHOTO, size))
    options = FORMATS[kind] | ({"quality": quality, "subsampling": subsampling} if kind == "avif" else {})
    if kind == "avif":
        mode = mode if mode in ("RGB", "RGBA", "L") else "RGB"
    if mode == "I;16" or (kind == "tif" and mode == "LA"):
        small = Image.fromarray(np.asarray(small.convert("L"), np.uint16) * 257)
    else:
        small = small.convert(mode)
    path = tmp_path_factory.mktemp("healthy") / f"a.{kind}"
    path.write_bytes(encoded(small, **options) + (tail if kind == "png" else b""))
    assert photo_file.decode(path).damage == ()
