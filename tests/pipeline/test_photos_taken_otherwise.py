"""Photos that are the frames of a video (``--as-video``), or faces that are cut out already (``--cropped``)."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer_batch
from fer_batch import Options
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS
from fer_batch.options import ReportOptions
from fer_batch.pipeline.forecast import forecast
from tests.helpers import media
from tests.helpers.quick import no_report  # noqa: F401


@pytest.fixture
def head(astronaut: Path) -> np.ndarray:
    """(240, 320, 3) uint8: the astronaut's head and shoulders."""
    return cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (320, 240))


def test_a_folder_of_frames_gives_what_a_video_of_them_gives(tmp_path: Path, head: np.ndarray) -> None:
    images = [np.roll(head, 3 * shift, axis=1) for shift in range(12)]
    for number, image in enumerate(images):
        media.write_photo(tmp_path / "in" / "frames" / f"f{number}.png", image)
    (tmp_path / "in" / "frames" / "f5.png").write_bytes(b"no picture")
    media.write_video(
        tmp_path / "in" / "clip.mkv", range(0, 480, 40), images, codec="ffv1", pixel_format="bgr0", keyframe_every=1
    )
    options, asked = Options(as_video=25, workers=0), ReportOptions(thumbnails=True)
    run = fer_batch.analyze([tmp_path / "in"], options, out=tmp_path / "out", report_options=asked)
    video, frames = (fer_batch.read_timeline(run.timelines[name]) for name in ("clip.mkv", "frames"))
    assert frames["file"].tolist() == [f"f{number}.png" for number in range(12) if number != 5]
    video = video[video["frame"] != 5].reset_index(drop=True)
    for column in ("frame", "timestamp", "duration", "face_id", "success"):
        assert frames[column].tolist() == video[column].tolist(), column
    assert (frames[["x", "y", "width", "height"]] - video[["x", "y", "width", "height"]]).abs().max().max() <= 5
    summary = pd.read_csv(run.folder / "summary.csv").set_index("file")
    assert summary.loc["frames", "kind"] == "video"
    assert summary.loc["frames", "seconds_visible"] == pytest.approx(0.44)
    assert [(line.file, line.rows_kept) for line in run.skipped] == [("frames/f5.png", False)]
    page = (run.folder / "pages" / "frames.html").read_text()
    assert 'src="data:image/jpeg' in page or ".jpg" in page
    assert "2 videos" in (run.folder / "index.html").read_text()
    found = forecast([tmp_path / "in"], options)
    assert (found.videos, found.photos, found.asked.frames) == (2, 0, 24)
    assert found.video_seconds == pytest.approx(0.96)


@pytest.mark.usefixtures("no_report")
def test_missing_numbers_are_told(tmp_path: Path, head: np.ndarray) -> None:
    for number in (1, 2, 4):
        media.write_photo(tmp_path / "frames" / f"f{number}.png", head)
    run = fer_batch.analyze([tmp_path / "frames"], Options(as_video=10, workers=0), out=tmp_path / "out")
    assert [(line.file, line.severity) for line in run.skipped] == [("frames", "note")]
    assert "first from f2.png to f4.png" in run.skipped[0].reason


def test_a_cropped_photo_is_given_to_the_model_as_it_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (3, 48, 48), np.uint8)
    for number, crop in enumerate(crops):
        media.write_photo(tmp_path / "faces" / f"{number}.png", crop)
    options = Options(cropped=True, min_confidence=1, min_face=500, view="fer2013", workers=0, runtime="openvino")
    run = fer_batch.analyze([tmp_path / "faces"], options, out=tmp_path / "out")
    timeline = fer_batch.read_timeline(run.timelines["faces"])
    assert timeline["success"].all()
    assert timeline["face_confidence"].tolist() == [1, 1, 1]
    expected = ModelFile(None).load(options.batch_size, "openvino").predict(crops)[:, 0]
    assert timeline[list(EMOTIONS)].to_numpy() == pytest.approx(expected, abs=1e-4)
    assert json.loads((run.folder / "run.json").read_text())["options"]["cropped"] is True
    assert "had been cut out before" in (run.folder / "index.html").read_text()


@pytest.mark.usefixtures("no_report")
def test_cropped_photos_of_any_shape_are_one_face_in_the_middle(tmp_path: Path, head: np.ndarray) -> None:
    media.write_photo(tmp_path / "faces" / "wide.png", head)
    media.write_photo(tmp_path / "faces" / "high.png", np.rot90(head))
    media.write_photo(tmp_path / "faces" / "dot.png", head[:1, :1])
    media.write_photo(tmp_path / "faces" / "large.jpg", cv2.resize(head, (3200, 2400)))
    run = fer_batch.analyze([tmp_path / "faces"], Options(cropped=True, workers=0), out=tmp_path / "out")
    timeline = fer_batch.read_timeline(run.timelines["faces"]).set_index("file")
    assert timeline["success"].all()
    for name, (width, height) in {"wide.png": (320, 240), "high.png": (240, 320), "large.jpg": (3200, 2400)}.items():
        row = timeline.loc[name]
        assert row["height"] == pytest.approx(height / 1.08, abs=1)
        assert row["x"] + row["width"] / 2 == pytest.approx(width / 2, abs=1.5)
        assert row["y"] + row["height"] / 2 == pytest.approx(height / 2, abs=1.5)


@pytest.mark.usefixtures("no_report")
def test_cropped_frames_of_a_video_show_one_face(tmp_path: Path, head: np.ndarray) -> None:
    for number in range(8):
        image = np.roll(head, 40 * number, axis=1) if number % 2 else 255 - head
        media.write_photo(tmp_path / "in" / "faces" / f"{number}.png", image)
    media.write_video(tmp_path / "in" / "clip.mp4", range(0, 400, 40), [head] * 10)
    options = Options(cropped=True, as_video=2, workers=0)
    run = fer_batch.analyze([tmp_path / "in"], options, out=tmp_path / "out")
    timeline = fer_batch.read_timeline(run.timelines["faces"])
    assert timeline["face_id"].tolist() == [0] * 8
    assert timeline["timestamp"].tolist() == [number / 2 for number in range(8)]
    found = fer_batch.read_timeline(run.timelines["clip.mp4"])
    assert found["success"].all()
    assert found["height"].max() < 150  # searched as ever
