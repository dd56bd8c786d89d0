"""Who is suggested to be the same across cuts: whoever was in the same place of the same set-up, and nobody else."""

from collections.abc import Sequence

import numpy as np
import pytest

from fer_batch.tracking.forerunners import Sightings, suggest
from fer_batch.types import Box, Detection, Face, FrameTime, Scenes, TrackedFrame
from tests.helpers import shot_videos
from tests.helpers.shot_videos import HEIGHT, WIDTH, DrawnVideo

LENGTH = 10
"""Frames of a shot."""


def places(seed: int) -> np.ndarray:
    """Some scene in 256 fields."""
    return np.random.default_rng(seed).integers(30, 220, (16, 16)).astype(np.uint8)


def tracked(number: int, boxes: dict[int, Box], spurious: bool = False) -> TrackedFrame:
    shares = np.full(7, 1 / 7, np.float32)
    faces = (Face(face, Detection(box, 0.9), shares, spurious=spurious) for face, box in boxes.items())
    return TrackedFrame(FrameTime("video.mp4", number), tuple(faces))


def suggestions(shots: Sequence[tuple[np.ndarray, dict[int, Box]]], spurious: bool = False) -> dict[int, int]:
    """In a video of these shots, each with a picture and faces that stay where they are."""
    frames = [(picture, boxes) for picture, boxes in shots for _ in range(LENGTH)]
    seen = Sightings()
    list(seen.noted(tracked(number, boxes, spurious) for number, (_, boxes) in enumerate(frames)))
    numbers = np.arange(len(frames))
    scenes = Scenes(numbers, numbers / 25, np.stack([picture for picture, _ in frames]))
    return suggest(seen, range(LENGTH, len(frames), LENGTH), [scenes])


FACE = Box(200, 100, 80, 100)
BESIDE = Box(400, 100, 80, 100)


def test_shot_and_reverse_shot_give_back_who_was_there_before() -> None:
    one, other = places(0), places(1)
    assert suggestions([(one, {0: FACE}), (other, {1: FACE}), (one, {2: FACE}), (other, {3: FACE})]) == {2: 0, 3: 1}


def test_two_people_of_a_set_up_are_told_apart_by_their_places() -> None:
    one, other = places(0), places(1)
    found = suggestions([(one, {0: FACE, 1: BESIDE}), (other, {2: FACE}), (one, {3: BESIDE, 4: FACE})])
    assert found == {3: 1, 4: 0}


def test_nobody_is_suggested_twice_in_a_shot() -> None:
    near = Box(230, 100, 80, 100)
    found = suggestions([(places(0), {0: FACE}), (places(1), {1: BESIDE}), (places(0), {2: FACE, 3: near})])
    assert list(found.values()) == [0]


@pytest.mark.parametrize("box", [BESIDE, Box(180, 75, 120, 150), Box(200, 180, 80, 100)])
def test_elsewhere_or_much_larger_is_somebody_else(box: Box) -> None:
    assert suggestions([(places(0), {0: FACE}), (places(1), {1: FACE}), (places(0), {2: box})]) == {}


def test_within_a_shot_and_for_what_is_no_face_nothing_is_suggested() -> None:
    assert suggestions([(places(0), {0: FACE, 1: FACE})]) == {}
    assert suggestions([(places(0), {0: FACE}), (places(0), {1: FACE})], spurious=True) == {}


def suggested_in(video: DrawnVideo, lefts: Sequence[float], face_height: float, sway: float) -> dict[int, int]:
    """In a drawn video, each shot of which shows one face: its middle is at ``lefts``, and it sways so many heights."""
    rng = np.random.default_rng(0)
    frames = []
    for number in range(len(video.images)):
        shot = int(np.searchsorted(video.cuts, number, side="right"))
        x, y = np.array([lefts[shot] * WIDTH, 0.42 * HEIGHT]) + rng.uniform(-sway, sway, 2) * face_height * HEIGHT
        size = face_height * HEIGHT
        frames.append(tracked(number, {shot: Box(x - 0.4 * size, y - size / 2, 0.8 * size, size)}))
    seen = Sightings()
    list(seen.noted(frames))
    return suggest(seen, video.cuts, video.scenes(len(frames) // 2))


def reverse_shots(seed: int) -> tuple[int, int, int]:
    """How many faces come back in a video of two people, and to how many the right and the wrong one is suggested."""
    video = shot_videos.edited("reverse shots", seed, camera=seed)
    # Both in the same place, so that only the pictures tell them apart.
    found = suggested_in(video, [0.5] * 8, 0.5, 0.12)
    right = sum(face % 2 == earlier % 2 for face, earlier in found.items())
    return 6, right, len(found) - right


def joins(seed: int) -> int:
    """To how many faces somebody is suggested in a video of six people in six places; nobody comes back."""
    video = shot_videos.edited("joins", seed, camera=seed)
    return len(suggested_in(video, [0.5] * 6, 0.5, 0.12))


def test_in_drawn_videos_who_comes_back_is_suggested_and_nobody_else() -> None:
    assert reverse_shots(2) == (6, 6, 0)
    assert joins(2) == 0


@pytest.mark.slow
def test_in_many_drawn_videos_who_comes_back_is_suggested_and_nobody_else() -> None:
    """docs/faces-and-people.md has these figures."""
    back, right, wrong = np.sum([reverse_shots(seed) for seed in range(40)], axis=0).tolist()
    assert right >= 0.85 * back
    assert wrong == sum(joins(seed) for seed in range(40)) == 0
