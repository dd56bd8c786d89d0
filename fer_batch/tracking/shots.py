"""Where a video is cut into shots. Every frame is compared by its scene: the mean brightness in 8x8 fields.

At a cut the scene differs much from the one before, and much more than scenes of consecutive frames differed just
before: people and cameras that move change little from frame to frame, or change it all the time. A flash is no cut:
soon after it the scene is what it was before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from fer_batch.types import FrameFaces, FrameTime

CUT_CHANGE = 10.0
"""Least mean change of a field at a cut, in grey levels. Of 91 pairs of 14 photos 95 % are more than 15 apart; a camera
that turns by a fiftieth of the frame's width changes 3 (median) to 10 (highest)."""

WIDE_CUT_CHANGE, WIDE_CHANGE = 6.0, 3.0
"""The least mean change (first) where at least half of the fields change by WIDE_CHANGE, in grey levels: cuts between
two dull walls. A head that turns, or a person who passes, changes fewer fields."""

CUT_RATIO = 4.0
"""At a cut the change is at least so many times the average change from frame to frame just before."""

CHANGE_AVERAGE_WEIGHT = 0.2
"""Weight of the newest change in that average, a running mean."""

FLASH_SECONDS = 0.25
"""Longest time from a flash until the scene is as before."""

ASSUMED_FPS = 25.0
"""Frames per second of videos whose times are unknown."""

SPARSE_SECONDS = 0.3
"""Where frames are further apart than this, people who move change as much as a cut does, but not most fields."""

SAME_PLACE_DIFFERENCE = 12.0
"""Grey levels by which at least half of the fields differ at most, apart from the light, where the camera is still."""


def show_same_place(scene: np.ndarray, other: np.ndarray) -> bool:
    """Whether two scenes of a shot show the same place: the camera has not moved, but people may have.

    A change of the light in the whole frame does not count, nor do changes in less than half of the fields.

    Args:
        scene: (8, 8) uint8.
        other: (8, 8) uint8.
    """
    changes = scene.astype(np.float32) - other
    return float(np.median(np.abs(changes - np.median(changes)))) <= SAME_PLACE_DIFFERENCE


def number_shots(frames: Iterable[FrameFaces]) -> Iterator[tuple[int, FrameFaces]]:
    """Each frame of a video with the number of its shot, from 0. At most FLASH_SECONDS of frames are held back."""
    coming = iter(frames)
    ahead: deque[FrameFaces] = deque()
    before: FrameFaces | None = None
    shot, average = 0, 0.0
    while (frame := ahead.popleft() if ahead else next(coming, None)) is not None:
        if before is not None:
            changes = _changes(before, frame)
            change, median = float(changes.mean()), float(np.median(changes))
            least = WIDE_CUT_CHANGE if median >= WIDE_CHANGE else CUT_CHANGE
            sparse = seconds_between(before.time, frame.time) > SPARSE_SECONDS
            if change < max(least, CUT_RATIO * average) or (sparse and median < CUT_CHANGE):
                average += CHANGE_AVERAGE_WEIGHT * (change - average)
            else:
                flash = _flash(before, frame, ahead, coming)
                if flash is not None:
                    yield shot, frame
                    yield from ((shot, ahead.popleft()) for _ in range(flash))
                    continue
                shot, average = shot + 1, 0.0
        yield shot, frame
        before = frame


def seconds_between(early: FrameTime, late: FrameTime) -> float:
    """Seconds from one frame of a video to a later one; where times are unknown, as many as at ASSUMED_FPS."""
    if early.seconds is None or late.seconds is None:
        return (late.number - early.number) / ASSUMED_FPS
    return late.seconds - early.seconds


def _flash(
    before: FrameFaces, bright: FrameFaces, ahead: deque[FrameFaces], coming: Iterator[FrameFaces]
) -> int | None:
    """How many frames follow a ``bright`` one until the scene is as ``before``. None: it is a cut.

    The frames that this takes from ``coming`` are put into ``ahead``.
    """
    count = 0
    while count < len(ahead) or _read_ahead(coming, ahead):
        if seconds_between(bright.time, ahead[count].time) > FLASH_SECONDS:
            return None
        if _changes(before, ahead[count]).mean() < CUT_CHANGE / 2:
            return count
        count += 1
    return None


def _read_ahead(coming: Iterator[FrameFaces], ahead: deque[FrameFaces]) -> bool:
    """Put the next frame into ``ahead``; false if there is none."""
    before = len(ahead)
    ahead.extend(islice(coming, 1))
    return len(ahead) > before


def _changes(before: FrameFaces, after: FrameFaces) -> np.ndarray:
    """(8, 8) int16: by how many grey levels each field changes."""
    changes: np.ndarray = np.abs(before.scene.astype(np.int16) - after.scene)
    return changes
