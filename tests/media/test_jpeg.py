"""Damaged JPEGs are told from whole ones, and whole ones have Pillow's pixels."""

import struct
from io import BytesIO
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_batch.media import jpeg, photo_file

PHOTO = skimage.data.astronaut()[:192, 128:321]
SCAN = b"\xff\xda"
"""The marker before the picture's data."""


def encoded(image: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def damage_of(data: bytes, mode: str = "RGB") -> str | None:
    width, height = Image.open(BytesIO(data)).size
    return jpeg.decode(data, mode, width, height)[1]


def spoilt(data: bytes, part: int, how: str) -> bytes:
    """A JPEG damaged after ``part`` percent of its picture's data, by a fifth of them."""
    begin = data.index(SCAN) + 16
    at = begin + (len(data) - begin) * part // 100
    half = min((len(data) - begin) // 10, (len(data) - 2 - at) // 2)
    first, second, rest = data[at : at + half], data[at + half : at + 2 * half], data[at + 2 * half :]
    return {
        "cut": data[:at],
        "cut and closed": data[:at] + jpeg.END,
        "zeroed": data[:at] + bytes(2 * half) + rest,
        "swapped": data[:at] + second + first + rest,
    }[how]


@pytest.mark.parametrize("part", range(10, 100, 20))
@pytest.mark.parametrize("how", ["cut", "cut and closed", "zeroed", "swapped"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_damaged_jpeg_is_kept_and_marked(tmp_path: Path, how: str, part: int, progressive: bool) -> None:
    whole = encoded(skimage.data.astronaut(), quality=90, progressive=progressive)
    (tmp_path / "a.jpg").write_bytes(spoilt(whole, part, how))
    decoded = photo_file.decode(tmp_path / "a.jpg")
    assert decoded.rgb.shape == (512, 512, 3)
    (damage,) = decoded.damage
    assert damage.startswith(("Cut off: ", "Damaged: "))
    for enough in (64, 128, 256):
        assert photo_file.decode(tmp_path / "a.jpg", enough).damage


HEALTHY = [
    *product(["RGB"], [1, 20, 50, 75, 90, 95, 100], ["4:4:4", "4:2:2", "4:2:0"], [False, True], [0, 1, 7]),
    *product(["L", "CMYK"], [1, 50, 75, 95], ["4:4:4"], [False, True], [0, 1, 7]),
]


@pytest.mark.parametrize("side", [192, 17, 1])
def test_healthy_jpegs_of_every_kind_are_whole_and_have_pillows_pixels(side: int) -> None:
    """522 of them."""
    for mode, quality, subsampling, progressive, restart in HEALTHY:
        options = {"restart_marker_blocks": restart} if restart else {}
        image = PHOTO[:side, : side + 1]
        data = encoded(image, mode, quality=quality, subsampling=subsampling, progressive=progressive, **options)
        pixels, damage = jpeg.decode(data, mode, side + 1, side)
        assert damage is None
        theirs = np.asarray(Image.open(BytesIO(data)))
        assert np.array_equal(pixels.reshape(theirs.shape), 255 - theirs if mode == "CMYK" else theirs)


@pytest.mark.parametrize("sampling", [0x411111, 0x420000 | 0x221111, 0x211111, 0x121111, 0x111111])
def test_jpegs_of_another_encoder_are_whole(sampling: int) -> None:
    coded = cv2.imencode(".jpg", PHOTO, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling & 0xFFFFFF])[1].tobytes()
    assert damage_of(coded) is None


@settings(deadline=None)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(1, 100), st.sampled_from([None, 1, 40, 100, 250]))
def test_reduced_or_not_a_jpeg_has_pillows_pixels(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, quality: int, enough: int | None
) -> None:
    image = cv2.resize(PHOTO, (width, height))
    path = tmp_path_factory.mktemp("jpeg") / "a.jpg"
    path.write_bytes(encoded(image, quality=quality))
    decoded = photo_file.decode(path, enough)
    factor = next(one for one in (8, 4, 2, 1) if one == 1 or max(width, height) >= one * (enough or 300))
    with Image.open(path) as theirs:
        theirs.draft("RGB", (width // factor, height // factor))
        assert np.array_equal(decoded.rgb, np.asarray(theirs))
    assert (decoded.width, decoded.height) == (width, height)
    assert decoded.damage == ()


def lossless(image: np.ndarray, begin: bytes = b"") -> bytes:
    """A grey image (height, width) uint8 as a lossless JPEG (ITU-T T.81, annex H), each pixel from its left one."""
    levels = image.astype(int)
    left = np.column_stack([np.append(128, levels[:-1, 0]), levels[:, :-1]])
    bits = ""
    for step in (levels - left).ravel().tolist():
        size = abs(step).bit_length()
        bits += f"{size:04b}" + (f"{step if step > 0 else step + 2**size - 1:0{size}b}" if size else "")
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([255, marker]) + (len(content) + 2).to_bytes(2) + content

    frame = segment(0xC3, b"\x08" + struct.pack(">HH", *image.shape) + b"\1\1\x11\0")
    sizes = segment(0xC4, bytes([0, 0, 0, 0, 9, *bytes(12), *range(9)]))  # nine sizes, in four bits each
    return b"\xff\xd8" + begin + frame + sizes + segment(0xDA, b"\1\1\0\1\0\0") + scan + jpeg.END


@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 8, 20, 40, None]), st.sampled_from([b"", b"\xff" * 3])
)
def test_a_lossless_jpeg_is_read_in_full_size(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, enough: int | None, filled_up: bytes
) -> None:
    """A smaller one is not what libjpeg gives: it would write beyond the end of the memory."""
    image = cv2.resize(PHOTO[:, :, 1], (width, height))
    path = tmp_path_factory.mktemp("lossless") / "a.jpg"
    path.write_bytes(lossless(image, filled_up))
    decoded = photo_file.decode(path, enough)
    assert np.array_equal(decoded.grey, image)
    assert np.array_equal(np.asarray(Image.open(path)), image)
    assert (decoded.width, decoded.height, decoded.damage) == (width, height, ())


def test_what_only_looks_like_damage_is_none() -> None:
    data = encoded(PHOTO)
    assert damage_of(data[:-2]) is None, "only the end marker is missing"
    assert damage_of(data + b"a film of the moment before") is None
    assert damage_of(data[:-2] + bytes(100) + jpeg.END) is None, "filled up with zeros"
    unknown_revision = data.replace(b"JFIF\0\x01", b"JFIF\0\x07", 1)
    assert damage_of(unknown_revision) is None


def test_unusual_sampling_is_left_to_pillow(tmp_path: Path) -> None:
    data = bytearray(encoded(np.full((64, 64, 3), 90, np.uint8), subsampling="4:4:4"))
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] == 0x11
    data[frame + 14] = 0x12  # chroma finer than luma; all is of one grey, so that the data still fit
    (tmp_path / "a.jpg").write_bytes(data)
    assert jpeg.decode(bytes(data), "RGB", 64, 64) == (None, None)
    assert photo_file.decode(tmp_path / "a.jpg").grey.shape == (64, 64)
