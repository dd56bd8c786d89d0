"""The region: its place in an image, and that nothing outside of it is searched for faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import fer_batch
from fer_batch import Options
from fer_batch.detection.looks import Region
from fer_batch.types import Box
from tests.helpers import media
from tests.helpers.quick import no_report  # noqa: F401

places, sizes = st.integers(0, 300), st.integers(1, 300)


@given(places, places, sizes, sizes, sizes, sizes)
def test_the_part_within_an_image_is_the_intersection(
    x: int, y: int, width: int, height: int, across: int, down: int
) -> None:
    region = Region(x, y, width, height)
    image, part = np.zeros((down, across), bool), np.zeros((down, across), bool)
    image[y : y + height, x : x + width] = True
    found = region.within(across, down)
    assert (found is None) == (not image.any())
    if found is not None:
        part[found.y : found.y + found.height, found.x : found.x + found.width] = True
        assert (part == image).all()
        assert part.sum() == found.width * found.height


def test_a_face_belongs_to_it_by_its_centre() -> None:
    region = Region(100, 50, 200, 100)
    assert region.holds(Box(80, 40, 41, 41))
    assert not region.holds(Box(79, 40, 41, 41))
    assert not region.holds(Box(280, 60, 41, 41))
    assert not region.holds(Box(150, 130, 41, 41))


@pytest.fixture(scope="module")
def pair(astronaut: Path) -> np.ndarray:
    """(240, 640, 3) uint8: the same head twice, side by side."""
    face = cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (320, 240))
    return np.concatenate((face, face[:, ::-1]), axis=1)


def boxes(run: fer_batch.Run, name: str) -> np.ndarray:
    """(faces, 4): x, y, width, height."""
    timeline = fer_batch.read_timeline(run.timelines[name])
    seen = timeline[timeline["success"]]
    return seen[["x", "y", "width", "height"]].to_numpy(dtype=float)


@pytest.mark.usefixtures("no_report")
def test_only_faces_in_the_region_are_found_and_boxes_are_in_pixels_of_the_full_frame(
    pair: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    media.write_photo(folder / "pair.png", pair)
    large = cv2.resize(pair, (5120, 1920))
    media.write_photo(folder / "large.jpg", large)
    media.write_video(folder / "pair.mp4", range(0, 1200, 40), [np.roll(pair, shift, axis=0) for shift in range(30)])
    whole = fer_batch.analyze([folder], Options(workers=0), out=tmp_path / "whole")
    right = fer_batch.analyze([folder], Options(workers=0, region=(330, 0, 310, 240)), out=tmp_path / "right")
    assert len(boxes(whole, "pair.mp4")) == 60
    found, truth = boxes(right, "pair.mp4"), boxes(whole, "pair.mp4")
    truth = truth[truth[:, 0] > 320]
    assert found.shape == truth.shape == (30, 4)
    assert np.abs(found - truth).max() < 8
    timeline = fer_batch.read_timeline(right.timelines["in"]).set_index("file")
    assert timeline["success"].to_dict() == {"large.jpg": False, "pair.png": True}
    again = fer_batch.analyze([folder], Options(workers=0, region=(2640, 0, 2480, 1920)), out=tmp_path / "right")
    outside = [line.file for line in again.skipped if line.severity == "partial"]
    assert outside == ["in/pair.png", "pair.mp4"]
    assert "outside the image, which has 640x240 pixels. Change --region." in again.skipped[0].reason
    ((x, y, width, height),) = boxes(again, "in")
    assert np.abs(np.array([x, y, width, height]) / 8 - truth[0]).max() < 8
    assert len(boxes(again, "pair.mp4")) == 0


@pytest.mark.usefixtures("no_report")
def test_a_face_that_leaves_the_region_is_followed_no_further(pair: np.ndarray, tmp_path: Path) -> None:
    face = pair[:, :320]
    images = []
    for shift in range(40):
        canvas = np.full((240, 640, 3), 127, np.uint8)
        canvas[:, shift * 8 : shift * 8 + 320] = face
        images.append(canvas)
    video = media.write_video(tmp_path / "walks.mp4", range(0, 1600, 40), images)
    run = fer_batch.analyze([video], Options(workers=0, region=(0, 0, 320, 240)), out=tmp_path / "out")
    found = boxes(run, "walks.mp4")
    centres = found[:, 0] + found[:, 2] / 2
    assert 10 < len(found) < 35
    assert centres.max() <= 321
