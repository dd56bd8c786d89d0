"""Where a video is cut into shots, seen from 256 fields of each frame."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.media.frame import Luma, scene
from fer_batch.tracking import shots
from fer_batch.types import Scenes
from tests.helpers import shot_videos
from tests.helpers.shot_videos import DrawnVideo


@pytest.mark.parametrize(
    "shape", [(16, 16), (48, 64), (480, 640), (1080, 1920), (1920, 1080), (5, 9), (1, 1), (7, 4000)]
)
@pytest.mark.parametrize("levels", [(0, 255), (16, 235), (64, 940)])
def test_a_scene_is_the_light_in_256_fields_whatever_the_frame(shape: tuple[int, int], levels: tuple[int, int]) -> None:
    black, white = levels
    across, down = np.meshgrid(np.linspace(0, 1, shape[1]), np.linspace(0, 1, shape[0]))
    plane = np.rint(black + (white - black) * (across + down) / 2).astype(np.uint16 if white > 255 else np.uint8)
    found = scene(Luma(plane, black, white))
    assert (found.shape, found.dtype) == ((16, 16), np.uint8)
    if min(shape) > 16:
        middle = (np.arange(16) + 0.5) / 16
        expected = 255 * (middle[np.newaxis] + middle[:, np.newaxis]) / 2
        assert np.abs(found - expected).max() < 8


def video(*scenes: np.ndarray, seconds: float = 0.04, timed: bool = True) -> list[int]:
    """The number of each frame's shot."""
    numbers = np.arange(len(scenes))
    times = numbers * seconds if timed else np.full(len(scenes), np.nan)
    cuts = shots.find_cuts([Scenes(numbers, times, np.array(scenes, np.uint8).reshape(-1, 16, 16))])
    assert cuts == sorted(set(cuts))
    return np.searchsorted(cuts, numbers, side="right").tolist()


def places(seed: int) -> np.ndarray:
    """Some scene in 256 fields."""
    rough = np.random.default_rng(seed).integers(30, 220, (8, 8)).astype(np.uint8)
    return cv2.resize(rough, (16, 16), interpolation=cv2.INTER_LINEAR)


def dull(seed: int) -> np.ndarray:
    """A wall in 256 fields."""
    return np.repeat(np.repeat(np.random.default_rng(seed).integers(95, 135, (8, 8)), 2, axis=0), 2, axis=1)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("image", [places, dull])
def test_another_scene_is_another_shot(image: Callable[[int], np.ndarray], timed: bool) -> None:
    scenes = [image(seed) for seed in range(3) for _ in range(20)]
    assert video(*scenes, timed=timed) == [0] * 20 + [1] * 20 + [2] * 20


def test_a_shot_of_one_frame_between_two_others_is_a_shot_where_frames_are_rare() -> None:
    assert video(places(0), places(1), places(2), seconds=0.7) == [0, 1, 2]


def test_whoever_moves_cuts_nothing() -> None:
    """A dark figure of two fields' width and five fields' height crosses the frame in three seconds."""

    def passing(share: float) -> np.ndarray:
        fine = np.repeat(np.repeat(places(0), 10, axis=0), 10, axis=1).astype(float)
        begin = int(share * 160)
        fine[40:140, begin : begin + 40] = 20
        return fine.reshape(16, 10, 16, 10).mean(axis=(1, 3)).astype(np.uint8)

    assert set(video(*(passing(step / 75) for step in range(75)))) == {0}
    assert set(video(*(passing(step / 3) for step in range(3)), seconds=1.0)) == {0}


def test_a_camera_that_turns_cuts_nothing() -> None:
    wide = np.random.default_rng(0).integers(30, 220, (8, 40)).astype(float)
    wide = cv2.GaussianBlur(np.repeat(wide, 10, axis=1), (0, 0), 10)
    scenes = []
    left = 0.0
    for step in range(150):
        left += 2.0 * min(1, step / 30)  # of the 80 that the frame is wide
        begin = int(left)
        scenes.append(np.repeat(wide[:, begin : begin + 80].reshape(8, 16, 5).mean(axis=2), 2, axis=0).astype(np.uint8))
    assert set(video(*scenes)) == {0}


@pytest.mark.parametrize("frames", [1, 3, 6])
def test_a_flash_cuts_nothing(frames: int) -> None:
    flash = [np.full((16, 16), 255, np.uint8)] * frames
    assert set(video(*[places(0)] * 20, *flash, *[places(0)] * 20)) == {0}


def test_what_lasts_longer_than_a_flash_is_a_shot() -> None:
    assert video(*[places(0)] * 20, *[places(1)] * 10, *[places(0)] * 20) == [0] * 20 + [1] * 10 + [2] * 20


def test_a_cut_right_after_a_flash_is_found() -> None:
    scenes = [*[places(0)] * 20, *[places(2)] * 3, *[places(0)] * 5, *[places(1)] * 20]
    assert video(*scenes) == [0] * 28 + [1] * 20


def test_a_video_that_ends_in_a_flash_ends() -> None:
    assert video(*[places(0)] * 20, places(1), places(1)) == [0] * 20 + [1] * 2
    assert video() == []
    assert video(places(0)) == [0]


def test_scenes_are_alike_whatever_the_light_and_whoever_moves() -> None:
    scene = places(0)
    assert shots.show_same_place(scene, scene)
    assert shots.show_same_place(scene, (scene * 0.8 + 30).astype(np.uint8))
    moved = scene.copy()
    moved[:, 2:5] = 10
    assert shots.show_same_place(scene, moved)
    assert not shots.show_same_place(scene, places(1))
    assert not shots.show_same_place(scene, np.roll(scene, 3, axis=1))


QUICK = ["sway", "whip", "passers", "flashes", "exposure", "handheld"]
"""Of the continuous videos, those that every test run looks at."""

RATES = (25.0, 30.0, 25.0, 60.0, 15.0)
"""Frames per second of the videos of a kind, in turn."""


def videos(
    kinds: Iterable[str], make: Callable[..., DrawnVideo], count: int, rates: Sequence[float] = RATES
) -> list[DrawnVideo]:
    """So many videos of each kind; each is seen by another camera."""
    return [make(kind, 10 * at + 2, rates[at % len(rates)], camera=at) for kind in kinds for at in range(count)]


def cuts(video: DrawnVideo) -> list[int]:
    return shots.find_cuts(video.scenes())


def test_whatever_moves_or_lights_up_is_no_cut() -> None:
    assert [(video.name, cuts(video)) for video in videos(QUICK, shot_videos.continuous, 1) if cuts(video)] == []


def test_every_cut_between_different_pictures_is_found() -> None:
    for video in videos(["joins", "reverse shots", "same room"], shot_videos.edited, 1):
        assert cuts(video) == list(video.cuts)


@pytest.mark.slow
def test_of_videos_of_all_kinds_cuts_and_nothing_else_are_found() -> None:
    """docs/faces-and-people.md has these figures."""
    of_one_shot = videos(shot_videos.CONTINUOUS, shot_videos.continuous, 10)
    assert sum(len(cuts(video)) for video in of_one_shot) <= 1
    joined = videos(["joins", "quick joins", "reverse shots", "same room"], shot_videos.edited, 10)
    right = sum(len({*cuts(video)} & {*video.cuts}) for video in joined)
    assert right >= 0.97 * sum(len(video.cuts) for video in joined)
    assert right >= 0.99 * sum(len(cuts(video)) for video in joined)
    for kind, least in (("dissolves", 0.6), ("fades", 0.85)):
        blended = videos([kind], shot_videos.edited, 10)
        met = [_met(video) for video in blended]
        assert sum(len(one) for one in met) >= least * sum(len(video.blends) for video in blended)
        assert sum(len(one) for one in met) == sum(len(cuts(video)) for video in blended)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "least", "most"), [(2, 73, 21), (4, 78, 10), (5, 77, 9), (7, 77, 8), (10, 77, 1)])
def test_in_videos_of_few_frames_shots_are_still_on_both_sides_of_a_cut(rate: float, least: int, most: int) -> None:
    """docs/faces-and-people.md has these figures."""
    of_one_shot = videos(shot_videos.CONTINUOUS, shot_videos.continuous, 5, [rate])
    assert sum(len(cuts(video)) for video in of_one_shot) <= most
    joined = videos(["joins", "reverse shots", "same room"], shot_videos.edited, 5, [rate])
    assert sum(len({*cuts(video)} & {*video.cuts}) for video in joined) >= least
    assert all({*cuts(video)} <= {*video.cuts} for video in joined)


def _met(video: DrawnVideo) -> set[tuple[int, int]]:
    """The slow changes of a video in which a cut was found."""
    return {(first, end) for first, end in video.blends for cut in cuts(video) if first <= cut < end}


@pytest.mark.parametrize("kind", ["dissolves", "fades"])
def test_one_picture_that_gives_way_to_another_is_a_cut_in_the_middle(kind: str) -> None:
    video = shot_videos.edited(kind, 4)
    assert _met(video) == {*video.blends}
    assert len(cuts(video)) == len(video.blends)


@pytest.mark.parametrize("kind", ["quick joins", "flashes", "dissolves"])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_cuts_do_not_depend_on_the_parts_in_which_scenes_come(kind: str, data: st.DataObject) -> None:
    video = _film(kind)
    borders = data.draw(st.lists(st.integers(0, len(video.seconds)), max_size=12).map(sorted))
    assert shots.find_cuts(video.scenes(*borders)) == cuts(video)


@cache
def _film(kind: str) -> DrawnVideo:
    return shot_videos.edited(kind, 5) if kind in shot_videos.EDITED else shot_videos.continuous(kind, 5)


@pytest.mark.parametrize("seconds", [0.0, 0.04, 0.3])
def test_any_scenes_in_any_parts_give_the_same_cuts(seconds: float) -> None:
    """Pictures that follow each other without sense, some of them for a moment only, at times of any distance."""
    rng = np.random.default_rng(0)
    numbers = np.arange(150)
    times = np.cumsum(rng.choice([seconds, 0.04, 0.1], 150))
    images = np.stack([places(seed) for seed in np.repeat(rng.integers(0, 5, 100), rng.integers(1, 8, 100))[:150]])
    whole = shots.find_cuts([Scenes(numbers, times, images)])
    assert whole
    for length in (2, 7, 50):
        parts = [slice(first, first + length) for first in range(0, 150, length)]
        assert shots.find_cuts([Scenes(numbers[part], times[part], images[part]) for part in parts]) == whole


@pytest.mark.parametrize("picture", [(slice(2, 14), slice(0, 16)), (slice(0, 16), slice(5, 11))])
def test_black_bars_hide_no_cut(picture: tuple[slice, slice]) -> None:
    """Of a video for the cinema, or of a telephone that is held upright, only a part of the frame changes."""

    def barred(seed: int) -> np.ndarray:
        image = np.zeros((16, 16), np.uint8)
        image[picture] = places(seed)[picture]
        return image

    scenes = [*[barred(0)] * 20, *[barred(1)] * 20]
    assert video(*scenes) == [0] * 20 + [1] * 20


def test_a_cut_where_nothing_was_decoded_for_a_while_is_found() -> None:
    """A damaged stretch hides it."""
    numbers = np.concatenate([np.arange(40), np.arange(140, 180)])
    images = np.stack([places(0)] * 40 + [places(1)] * 40)
    assert shots.find_cuts([Scenes(numbers, numbers / 25, images)]) == [140]
