"""Where a video is cut into shots, seen from 64 fields of each frame."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fer_batch.media.frame import Luma, scene
from fer_batch.tracking import shots
from fer_batch.types import FrameFaces, FrameTime


@pytest.mark.parametrize("shape", [(8, 8), (48, 64), (480, 640), (1080, 1920), (1920, 1080), (5, 9), (1, 1), (7, 4000)])
@pytest.mark.parametrize("levels", [(0, 255), (16, 235), (64, 940)])
def test_a_scene_is_the_light_in_64_fields_whatever_the_frame(shape: tuple[int, int], levels: tuple[int, int]) -> None:
    black, white = levels
    across, down = np.meshgrid(np.linspace(0, 1, shape[1]), np.linspace(0, 1, shape[0]))
    plane = np.rint(black + (white - black) * (across + down) / 2).astype(np.uint16 if white > 255 else np.uint8)
    found = scene(Luma(plane, black, white))
    assert (found.shape, found.dtype) == ((8, 8), np.uint8)
    if min(shape) > 8:
        middle = (np.arange(8) + 0.5) / 8
        expected = 255 * (middle[np.newaxis] + middle[:, np.newaxis]) / 2
        assert np.abs(found - expected).max() < 8


def video(*scenes: np.ndarray, seconds: float = 0.04, timed: bool = True) -> list[int]:
    """The number of each frame's shot."""
    frames = [
        FrameFaces(
            FrameTime("video.mp4", number, number * seconds if timed else None, seconds),
            (64, 64),
            scene,
            (),
            np.empty((0, 2, 7)),
        )
        for number, scene in enumerate(scenes)
    ]
    found = list(shots.number_shots(iter(frames)))
    assert [frame.time.number for _, frame in found] == list(range(len(scenes)))
    return [number for number, _ in found]


def places(seed: int) -> np.ndarray:
    """Some scene in 64 fields."""
    return np.random.default_rng(seed).integers(30, 220, (8, 8)).astype(np.uint8)


def dull(seed: int) -> np.ndarray:
    """A wall in 64 fields."""
    return np.random.default_rng(seed).integers(105, 125, (8, 8)).astype(np.uint8)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("image", [places, dull])
def test_another_scene_is_another_shot(image: Callable[[int], np.ndarray], timed: bool) -> None:
    scenes = [image(seed) for seed in range(3) for _ in range(20)]
    assert video(*scenes, timed=timed) == [0] * 20 + [1] * 20 + [2] * 20


def test_a_shot_of_one_frame_between_two_others_is_a_shot_where_frames_are_rare() -> None:
    assert video(places(0), places(1), places(2), seconds=0.5) == [0, 1, 2]


def test_whoever_moves_cuts_nothing() -> None:
    """A dark figure of two fields' width and five fields' height crosses the frame in three seconds."""

    def passing(share: float) -> np.ndarray:
        fine = np.repeat(np.repeat(places(0), 20, axis=0), 20, axis=1).astype(float)
        begin = int(share * 160)
        fine[40:140, begin : begin + 40] = 20
        return fine.reshape(8, 20, 8, 20).mean(axis=(1, 3)).astype(np.uint8)

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
        scenes.append(wide[:, begin : begin + 80].reshape(8, 8, 10).mean(axis=2).astype(np.uint8))
    assert set(video(*scenes)) == {0}


@pytest.mark.parametrize("frames", [1, 3, 6])
def test_a_flash_cuts_nothing(frames: int) -> None:
    flash = [np.full((8, 8), 255, np.uint8)] * frames
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
