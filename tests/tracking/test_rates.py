"""Whole runs at any rate: a cut is found, and a face keeps its number, however few frames are sampled."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, pi, sin
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import skimage.data

import fer_batch
from fer_batch import detection
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.types import Kind, Severity, Source
from tests.helpers import media
from tests.helpers.quick import no_report  # noqa: F401

pytestmark = pytest.mark.usefixtures("no_report")

RATES = [2, 4, 7, 10, 15, 30]
"""Values of --fps."""


@dataclass(frozen=True)
class Head:
    """How somebody moves before the camera: place and size as shares of the picture's height, by seconds."""

    x: Callable[[float], float]
    y: Callable[[float], float] = lambda t: 0.0
    size: Callable[[float], float] = lambda t: 0.9


def rests_until(begin: float, end: float, t: float) -> float:
    """0 at rest, 1 while it moves."""
    return min(1.0, max(0.0, (t - begin) / 0.2)) if t < end else 0.0


def wave(far: float, pace: float) -> Callable[[float], float]:
    return lambda t: far * sin(2 * pi * pace * t)


HEADS = {
    "sits still, then rocks": Head(
        lambda t: rests_until(1, 5, t) * wave(0.19, 0.8)(t) + rests_until(6, 9, t) * wave(0.19, 0.8)(t),
        lambda t: rests_until(1, 5, t) * wave(0.08, 1.1)(t) + rests_until(6, 9, t) * wave(0.08, 1.1)(t),
    ),
    "nods": Head(lambda t: 0.0, wave(0.08, 1.4)),
    "shakes the head": Head(wave(0.1, 1.7)),
    "leans to the camera and back": Head(wave(0.05, 0.3), lambda t: 0.0, lambda t: 0.9 + 0.3 * sin(2 * pi * 0.4 * t)),
    "goes to and fro": Head(wave(0.3, 0.25), wave(0.02, 2.0), lambda t: 0.6),
    "turns up and down and nearer": Head(wave(0.12, 0.5), wave(0.07, 0.9), lambda t: 0.8 + 0.1 * sin(3 * t)),
}
"""People who move and are never out of sight."""


def film(path: Path, head: Head, seconds: float = 9.0, fps: int = 30) -> Path:
    """One person before a wall of two greys."""
    person = skimage.data.astronaut()[0:290, 60:370]
    wall = np.full((360, 480, 3), 70, np.uint8)
    wall[:, 240:] = 120
    images = []
    for number in range(round(seconds * fps)):
        t = number / fps
        scale = head.size(t) * 360 / 290
        left, top = 240 + 360 * head.x(t) - 165 * scale, 40 + 360 * head.y(t)
        matrix = np.float32([[scale, 0, left], [0, scale, top]])
        images.append(cv2.warpAffine(person, matrix, (480, 360), dst=wall.copy(), borderMode=cv2.BORDER_TRANSPARENT))
    return media.write_video(path, range(len(images)), images, time_base=Fraction(1, fps), keyframe_every=60)


def faces(video: Path, out: Path, fps: float | None, workers: int = 0) -> pd.DataFrame:
    run = fer_batch.analyze([video], fer_batch.Options(fps=fps, workers=workers), out=out)
    assert all(line.severity is Severity.NOTE for line in run.skipped)
    timeline = fer_batch.read_timeline(run.timelines[video.name])
    return timeline[timeline["success"]]


def test_a_close_up_that_moves_is_one_face_though_few_frames_are_sampled(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4", HEADS["sits still, then rocks"])
    found = faces(video, tmp_path / "out", 5)
    assert len(found) == 45
    assert set(found["face_id"]) == {0}


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADS)
def test_whoever_moves_is_one_face_at_any_rate(tmp_path: Path, name: str) -> None:
    video = film(tmp_path / "a.mp4", HEADS[name])
    tracks = {}
    for fps in RATES:
        found = faces(video, tmp_path / "out", fps)
        assert len(found) >= 0.95 * 9 * fps
        tracks[fps] = len(set(found["face_id"]))
    assert tracks == dict.fromkeys(RATES, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADS)
def test_whoever_moves_is_one_face_in_a_video_of_few_frames(tmp_path: Path, name: str) -> None:
    tracks = {}
    for fps in (2, 4, 5, 7, 10):
        found = faces(film(tmp_path / f"{fps}.mp4", HEADS[name], fps=fps), tmp_path / str(fps), None)
        tracks[fps] = len(set(found["face_id"]))
    assert tracks == dict.fromkeys(tracks, 1)


ROOM, GARDEN = (
    np.repeat(image[:288, :384, np.newaxis], 3, axis=2) for image in (skimage.data.brick(), skimage.data.moon())
)
"""Two places, (288, 384, 3) uint8 each."""


CUTS = (57, 125, 333)
"""The first frames of shots. The second is the first of a chunk."""


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 16 s that goes from one place to the other and back."""
    path = tmp_path_factory.mktemp("joined") / "a.mkv"
    images = [(ROOM, GARDEN)[bisect_right(CUTS, number) % 2] for number in range(400)]
    media.write_video(path, range(400), images, time_base=Fraction(1, 25), keyframe_every=25)
    return path


def test_a_cut_lies_on_the_border_of_two_chunks(joined: Path) -> None:
    index = read_index(joined)
    source = Source(Kind.VIDEO, "a.mkv", (joined,), "a.mkv")
    chunks = reader.plan(source, index, Sampling(), reader.read_mode(index))
    assert CUTS[1] in [chunk.times[0].number for chunk in chunks if chunk.times]


@pytest.mark.parametrize(("fps", "workers"), [(None, 2), (10, 0), (3, 0), (0.5, 0), (0.1, 0)])
def test_a_cut_is_found_at_the_first_sampled_frame_whatever_is_sampled_and_whoever_works(
    joined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: float | None, workers: int
) -> None:
    monkeypatch.setattr(detection, "DEFAULT", "tests.helpers.odd_detectors:Sure")
    found = faces(joined, tmp_path / "out", fps, workers)
    shots = [bisect_right(CUTS, number) for number in found["frame"]]
    assert len(shots) == (400 if fps is None else ceil(16 * fps))
    assert found["face_id"].tolist() == [sorted(set(shots)).index(shot) for shot in shots]
