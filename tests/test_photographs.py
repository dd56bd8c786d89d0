"""Photographs: upright, in eight bits, and with a reason where they cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_batch import photographs
from fer_batch.decoding import decode
from fer_batch.errors import MediaError
from fer_batch.types import Kind, Source
from tests import media


def marked() -> np.ndarray:
    """A grey picture of 40x60 with one bright and one dark corner, so that all eight ways to hold it differ."""
    image = np.full((40, 60, 3), 120, np.uint8)
    image[:10, :10] = 250
    image[-10:, :10] = 10
    return image


TRANSPOSED = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, 1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: lambda image: np.rot90(image, -1),
}
"""How the upright picture is stored under each EXIF orientation (CIPA DC-008, 4.6.4)."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(TRANSPOSED[orientation](marked()))
    path = media.write_photograph(tmp_path / f"a.{suffix}", stored, exif=exif, quality=95)
    photograph = photographs.open_photograph(path)
    assert (photograph.height, photograph.width) == (40, 60)
    assert np.abs(photograph.rgb(1000).astype(int) - marked()).mean() < 3
    assert np.abs(photograph.luma().plane.astype(int) - marked()[:, :, 0]).mean() < 3


@pytest.mark.parametrize("name", ["a.heic", "a.avif", "a.gif", "a.bmp"])
def test_other_formats_are_read(tmp_path: Path, name: str) -> None:
    path = media.write_photograph(tmp_path / name, marked())
    assert np.abs(photographs.open_photograph(path).rgb(1000).astype(int) - marked()).mean() < 6


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 60 * 40).reshape(40, 60).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    photograph = photographs.open_photograph(tmp_path / "a.png")
    assert np.abs(photograph.luma().plane - ramp / 257).max() <= 0.51
    assert photograph.rgb(1000).shape == (40, 60, 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_mode_gives_colour_and_grey(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.fromarray(marked()).convert(mode).save(tmp_path / f"a.{suffix}")
    photograph = photographs.open_photograph(tmp_path / f"a.{suffix}")
    assert photograph.rgb(1000).dtype == photograph.luma().plane.dtype == np.uint8
    assert photograph.rgb(1000)[2, 2].mean() > 200


def test_a_large_photograph_is_shrunk_for_looking_only(tmp_path: Path) -> None:
    photograph = photographs.open_photograph(media.write_photograph(tmp_path / "a.png", np.tile(marked(), (20, 20, 1))))
    assert photograph.rgb(300).shape == (200, 300, 3)
    assert photograph.luma().plane.shape == (800, 1200)


def test_what_cannot_be_read_says_why_and_the_others_come(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    files = [
        media.write_photograph(tmp_path / "a.jpg"),
        tmp_path / "empty.jpg",
        tmp_path / "garbage.jpg",
        media.truncate(media.write_photograph(tmp_path / "cut.jpg", noise), 0.5),
        media.write_photograph(tmp_path / "z.png"),
        tmp_path / "gone.jpg",
    ]
    files[1].touch()
    files[2].write_bytes(b"hello")
    chunks = photographs.plan(Source(Kind.PHOTOS, "album", tuple(files), "album"))
    signs: list[int] = []
    decoding = decode(chunks[0], lambda: signs.append(1))
    assert [frame.moment.file for frame in decoding.frames] == ["a.jpg", "z.png"]
    reasons = {one.file: one.reason for one in decoding.skipped}
    assert reasons["album/empty.jpg"] == "The file is empty."
    assert "Not a photograph" in reasons["album/garbage.jpg"]
    assert "truncated" in reasons["album/cut.jpg"]
    assert "No such file" in reasons["album/gone.jpg"]
    assert not any(one.rows_kept for one in decoding.skipped)
    assert len(signs) == len(files)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(MediaError, match="exceeds limit"):
        photographs.open_photograph(tmp_path / "bomb.png")


def test_a_folder_is_cut_into_slices() -> None:
    files = tuple(Path(f"{number:03}.jpg") for number in range(150))
    chunks = photographs.plan(Source(Kind.PHOTOS, "album", files, "album"))
    sizes = [len(chunk.moments) for chunk in chunks]
    assert set(sizes[:-1]) == {photographs.PER_CHUNK}
    assert 0 < sizes[-1] <= photographs.PER_CHUNK
    assert [moment.number for chunk in chunks for moment in chunk.moments] == list(range(150))
    assert [file for chunk in chunks for file in chunk.source.files] == list(files)
    for chunk in chunks:
        assert [file.name for file in chunk.source.files] == [moment.file for moment in chunk.moments]
