"""thumbnails: the right part of the right frame, and nobody to be recognised where that is asked."""

import io

import numpy as np
import pytest
from PIL import Image

from fer_batch.report import thumbnails
from fer_batch.types import Box
from tests.helpers.media import level, pixels, write_video


def opened(jpeg):
    image = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert image.shape == (thumbnails.SIDE, thumbnails.SIDE, 3)
    return image


def test_a_video_gives_the_frames_asked_for(tmp_path):
    video = write_video(tmp_path / "a.mp4")
    cut = thumbnails.of_video(video, {0: (3, Box(10, 10, 20, 20)), 7: (20, Box(-30, -30, 90, 90))}, anonymize=False)
    assert set(cut) == {0, 7}
    for face_id, number in ((0, 3), (7, 20)):
        assert opened(cut[face_id]).mean() == pytest.approx(level(number), abs=3)


def test_a_video_whose_frames_cannot_be_told_apart_by_stamps_is_read_in_order(tmp_path):
    video = write_video(tmp_path / "a.h264", format="h264")
    cut = thumbnails.of_video(video, {0: (5, Box(10, 10, 20, 20))}, anonymize=False)
    assert opened(cut[0]).mean() == pytest.approx(level(5), abs=3)


def test_a_photo_gives_each_box(tmp_path):
    image = np.zeros((200, 300, 3), np.uint8)
    image[50:90, 100:140] = (255, 0, 0)
    Image.fromarray(image).save(tmp_path / "a.png")
    inside, outside = thumbnails.of_photo(
        tmp_path / "a.png", [Box(110, 60, 20, 20), Box(200, 150, 20, 20)], anonymize=False
    )
    assert opened(inside)[40:70, 40:70].mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=6)
    assert opened(outside).mean() < 5


def test_an_anonymous_face_keeps_no_detail(astronaut):
    box = Box(175, 60, 90, 120)
    (clear,) = thumbnails.of_photo(astronaut, [box], anonymize=False)
    (blurred,) = thumbnails.of_photo(astronaut, [box], anonymize=True)
    edges = [np.abs(np.diff(opened(jpeg).astype(int), axis=1)).mean() for jpeg in (clear, blurred)]
    assert edges[1] < edges[0] / 2
    # What remains is what so few pixels can hold.
    small = Image.open(io.BytesIO(blurred)).resize((thumbnails.BLURRED_SIDE,) * 2, Image.Resampling.BOX)
    again = np.asarray(small.resize((thumbnails.SIDE,) * 2, Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(again - opened(blurred)).mean() < 12


def test_what_is_gone_or_damaged_gives_none(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    assert thumbnails.of_video(tmp_path / "gone.mp4", {0: (0, Box(0, 0, 9, 9))}, anonymize=False) == {}
    assert thumbnails.of_video(tmp_path / "bad.mp4", {0: (0, Box(0, 0, 9, 9))}, anonymize=False) == {}
    assert thumbnails.of_photo(tmp_path / "gone.png", [Box(0, 0, 9, 9)], anonymize=True) == []
    assert pixels(0).shape == (48, 64, 3)
