"""Small faces in large pictures: found where ``--min-face`` asks for them, and told where they are not seen."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.detection.scan import FrameScanner
from fer_batch.media.photos import PhotoImage
from fer_batch.pipeline import smallest_face
from fer_batch.types import Kind, Source
from tests.helpers import media, odd_detectors
from tests.helpers.quick import no_report  # noqa: F401

pytestmark = pytest.mark.usefixtures("no_report")

SIZE = (1920, 1080)
"""Width and height of the scene."""

Place = tuple[int, int, int]
"""Left, top and side of a pasted head."""


@pytest.fixture(scope="module")
def head(astronaut: Path) -> np.ndarray:
    """(240, 240, 3) uint8: a head of which the face is about 112 pixels high."""
    return np.asarray(Image.open(astronaut).convert("RGB"))[20:260, 110:350]


@pytest.fixture(scope="module")
def scene(head: np.ndarray) -> tuple[np.ndarray, dict[int, Place]]:
    """A picture with the same face at eight heights, two of them large, and where each is."""
    rng = np.random.default_rng(0)
    image = np.clip(125 + rng.normal(0, 3, (SIZE[1], SIZE[0], 3)), 0, 255).astype(np.uint8)
    places: dict[int, Place] = {}
    x = 20
    for height in (26, 32, 40, 48, 64, 100):
        side = round(240 * height / 112)
        places[height], x = (x, 30, side), x + side + 40
    places[200], places[350] = (40, 500, 429), (900, 300, 750)
    for left, top, side in places.values():
        interpolation = cv2.INTER_AREA if side < 240 else cv2.INTER_CUBIC
        image[top : top + side, left : left + side] = cv2.resize(head, (side, side), interpolation=interpolation)
    return image, places


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, scene: tuple[np.ndarray, dict[int, Place]]) -> Path:
    folder = tmp_path_factory.mktemp("small") / "in"
    media.write_photo(folder / "photos" / "scene.jpg", scene[0], quality=95)
    media.write_video(folder / "scene.mp4", range(0, 120, 40), [scene[0]] * 3, options={"crf": "12"})
    return folder


def seen(run: fer_batch.Run, name: str, places: dict[int, Place]) -> dict[int, int]:
    """How many boxes are where each face is in the first frame; those elsewhere count for 0."""
    timeline = fer_batch.read_timeline(run.timelines[name])
    faces = timeline[timeline["success"] & (timeline["frame"] == 0)]
    counts = dict.fromkeys((0, *places), 0)
    for _, row in faces.iterrows():
        x, y = row["x"] + row["width"] / 2, row["y"] + row["height"] / 2
        inside = [at for at, (left, top, side) in places.items() if 0 < x - left < side and 0 < y - top < side]
        expected = [height for height in inside if 0.7 * height < row["height"] < 1.3 * height]
        counts[expected[0] if expected else 0] += 1
    return counts


@pytest.mark.parametrize(
    ("options", "in_video", "in_photo"),
    [
        (Options(workers=0), (64, 100, 200, 350), (40, 48, 64, 100, 200, 350)),
        (Options(workers=0, min_face=20), (26, 32, 40, 48, 64, 100, 200, 350), (26, 32, 40, 48, 64, 100, 200, 350)),
        (Options(workers=0, min_face=90), (100, 200, 350), (100, 200, 350)),
    ],
)
def test_every_face_is_found_once_from_the_height_on_that_is_asked_for(
    scene: tuple[np.ndarray, dict[int, Place]],
    inputs: Path,
    tmp_path: Path,
    options: Options,
    in_video: Sequence[int],
    in_photo: Sequence[int],
) -> None:
    run = fer_batch.analyze([inputs], options, out=tmp_path / "out")
    for name, expected in (("scene.mp4", in_video), ("photos", in_photo)):
        counts = seen(run, name, scene[1])
        assert counts.pop(0) == 0, name
        assert [counts[height] for height in expected] == [1] * len(expected), name
        assert max(counts.values()) == 1, name


def test_the_smallest_face_that_is_seen_is_told_once_a_run_and_in_run_json(inputs: Path, tmp_path: Path) -> None:
    run = fer_batch.analyze([inputs], Options(workers=0), out=tmp_path / "out")
    errors = pd.read_csv(run.folder / "errors.csv")
    assert errors[["file", "severity"]].to_numpy().tolist() == [["scene.mp4", "note"]]
    assert "faces below 72 pixels of height" in errors["reason"][0]
    assert "of 1 more" in errors["reason"][0]
    assert "--min-face 24" in errors["reason"][0]
    facts = {source["name"]: source["facts"] for source in json.loads((run.folder / "run.json").read_text())["sources"]}
    assert {name: fact["smallest_face"] for name, fact in facts.items()} == {"photos": 48, "scene.mp4": 72}
    assert fer_batch.analyze([inputs], Options(workers=0, min_face=72), out=tmp_path / "out").skipped == ()


def test_a_face_that_no_look_shows_is_told_whatever_is_asked_for(tmp_path: Path, head: np.ndarray) -> None:
    media.write_photo(tmp_path / "in" / "head.png", head)
    (line,) = fer_batch.analyze([tmp_path / "in"], Options(workers=0, min_face=5), out=tmp_path / "out").skipped
    assert "below 8 pixels" in line.reason
    assert "whatever --min-face says" in line.reason
    source = Source(Kind.PHOTOS, "in", (tmp_path / "in" / "head.png",), "in")
    assert smallest_face.height(source, (9000, 9000), Options(cropped=True)) is None
    assert smallest_face.height(source, (9000, 9000), Options(region=(8990, 0, 9, 9))) == 24
    assert smallest_face.height(source, (9000, 9000), Options(region=(9000, 0, 9, 9))) is None


def test_the_forecast_tells_it_too(inputs: Path) -> None:
    printed = CliRunner().invoke(cli.app, ["analyze", str(inputs), "--dry-run", "--workers", "0"]).output
    assert "most below 72 pixels of height are missed in frames of 1920x1080" in printed
    closer = ["analyze", str(inputs), "--dry-run", "--workers", "0", "--min-face", "60", "--json"]
    forecast = json.loads(CliRunner().invoke(cli.app, closer).output)
    assert (forecast["smallest_face"], forecast["largest_frame"]) == (45, [1920, 1080])


def test_a_small_region_is_searched_more_closely(inputs: Path, tmp_path: Path) -> None:
    options = Options(workers=0, region=(0, 0, 640, 360))
    run = fer_batch.analyze([inputs / "scene.mp4"], options, out=tmp_path / "out")
    assert run.skipped == ()
    assert fer_batch.read_timeline(run.timelines["scene.mp4"])["height"].min() < 30  # of the whole frame: 64


def test_a_search_of_many_tiles_shows_that_it_goes_on() -> None:
    scanner = FrameScanner(odd_detectors.Blind(), 0.5, Kind.PHOTOS, None, 16)
    image = PhotoImage(Path(), np.zeros((3000, 4000, 3), np.uint8), np.zeros((3000, 4000), np.uint8), 4000, 3000)
    signs = list(scanner.full_frame(image))
    assert len(signs) > 50
    assert set(signs) == {None}
