"""Photos: upright, in 8 bits, and with a reason if they cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_batch import detection
from fer_batch.detection import crop
from fer_batch.media import photo_file, photos
from fer_batch.media.frame import Frame
from fer_batch.types import Box, Kind, Severity, Skipped, Source
from tests.helpers import media, reading


def marked() -> np.ndarray:
    """A grey image of 40x60 with one bright and one dark corner, so that all eight orientations differ."""
    image = np.full((40, 60, 3), 120, np.uint8)
    image[:10, :10] = 250
    image[-10:, :10] = 10
    return image


@pytest.mark.parametrize("size", [(1, 1), (100_000, 1), (1, 100_000)])
def test_the_smallest_and_the_thinnest_photos_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    path = media.write_photo(tmp_path / "a.png", media.pixels(3, size))
    photo = photos.open_photo(path, 960)
    assert (photo.width, photo.height) == size
    assert max(photo.rgb(960).shape[:2]) == min(960, max(size))
    assert detection.make(detection.DEFAULT).detect(photo.rgb(960), 0.3) == []
    face = crop.cut(photo.luma(), Box(0, 0, 30, 30))
    assert (face == media.level(3)).all()


def test_what_was_passed_over_is_said_of_a_photo_that_is_kept(tmp_path: Path) -> None:
    first, second = Image.fromarray(marked()), Image.new("RGB", (60, 40))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    media.write_photo(tmp_path / "one.tif")
    files = (tmp_path / "one.tif", tmp_path / "pages.tif")
    (chunk,) = photos.plan(Source(Kind.PHOTOS, "album", files, "album"))
    one_page, line, several_pages = reading.items(chunk)
    assert isinstance(one_page, Frame)
    assert isinstance(several_pages, Frame)
    assert [line] == [Skipped("album/pages.tif", photo_file.SEVERAL_PHOTOS_NOTE, Severity.NOTE)]


def test_a_large_photo_is_shrunk_for_detection_only(tmp_path: Path) -> None:
    photo = photos.open_photo(media.write_photo(tmp_path / "a.png", np.tile(marked(), (20, 20, 1))))
    assert photo.rgb(300).shape == (200, 300, 3)
    assert photo.luma().plane.shape == (800, 1200)


@pytest.mark.parametrize(("height", "scale"), [(390, 0.25), (380, 0.5), (193, 0.5), (190, 1), (20, 1)])
def test_a_photo_is_decoded_again_as_large_as_its_smallest_face_needs_it(
    tmp_path: Path, height: float, scale: float
) -> None:
    path = media.write_photo(tmp_path / "a.jpg", np.tile(marked(), (25, 17, 1)))
    photo = photos.open_photo(path, 240)
    assert photo.scale == 0.25
    luma = photo.luma(height)
    assert luma.scale == scale
    assert luma.plane.shape == (1000 * scale, 1020 * scale)
    assert scale == 1 or height * scale >= 2 * crop.CROP_SIDE == photos.LEAST_FACE_HEIGHT


def test_what_cannot_be_read_says_why_and_the_others_come(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    files = [
        media.write_photo(tmp_path / "a.jpg"),
        tmp_path / "empty.jpg",
        tmp_path / "garbage.jpg",
        media.truncate(media.write_photo(tmp_path / "cut.png", noise), 0.5),
        media.write_photo(tmp_path / "z.png"),
        tmp_path / "gone.jpg",
    ]
    files[1].touch()
    files[2].write_bytes(b"hello")
    chunks = photos.plan(Source(Kind.PHOTOS, "album", tuple(files), "album"))
    items = list(reading.items(chunks[0]))
    assert [item.time.file for item in items if isinstance(item, Frame)] == ["a.jpg", "z.png"]
    skipped = [item for item in items if isinstance(item, Skipped)]
    reasons = {line.file: line.reason for line in skipped}
    assert reasons["album/empty.jpg"] == "The file is empty."
    assert "Not a photo," in reasons["album/garbage.jpg"]
    assert "Cut off" in reasons["album/cut.png"]
    assert "No such file" in reasons["album/gone.jpg"]
    assert not any(line.rows_kept for line in skipped)
    assert len(items) == len(files)


def test_a_folder_is_cut_into_slices() -> None:
    files = tuple(Path(f"{number:03}.jpg") for number in range(150))
    chunks = photos.plan(Source(Kind.PHOTOS, "album", files, "album"))
    sizes = [len(chunk.times) for chunk in chunks]
    assert set(sizes[:-1]) == {photos.PER_CHUNK}
    assert 0 < sizes[-1] <= photos.PER_CHUNK
    assert all([time.number for time in chunk.times] == list(range(len(chunk.times))) for chunk in chunks)
    assert [file for chunk in chunks for file in chunk.source.files] == list(files)
    for chunk in chunks:
        assert [file.name for file in chunk.source.files] == [time.file for time in chunk.times]
