"""Pure: where a film is cut. A frame is known by the light in 64 fields of it, its scene.

A cut is a frame whose scene is far from the one before, and much farther than frames were apart just before: moving
people and cameras change little from frame to frame, or change it all the time. A flash is none: soon after it the
picture is what it was.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from fer_batch.types import FrameFaces, FrameTime

CUT = 10.0
"""Least mean change of a field at a cut, in grey levels. Of 91 pairs of 14 photographs 95 % are more than 15 apart; a
camera that turns by a fiftieth of the frame's width changes 3 (median) to 10 (highest)."""

CUT_EVERYWHERE, EVERYWHERE = 6.0, 3.0
"""The least mean change where at least half of the fields have changed by so much: cuts between two dull walls. A head
that turns, or somebody who passes, changes fewer."""

CUT_RATIO = 4.0
"""At a cut the change is at least so many times what it was on average from frame to frame just before."""

USUAL = 0.2
"""Weight of the newest change in that average."""

FLASH_SECONDS = 0.25
"""How soon the picture is back after a flash."""

FRAMES_PER_SECOND = 25.0
"""What is assumed of films whose times are unknown."""

SELDOM_SECONDS = 0.3
"""Where frames are further apart than this, people who move change as much as a cut does, but not of most fields."""

ALIKE = 12.0
"""Grey levels by which at least half of the fields differ at most, light aside, as long as a camera stands still."""


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two scenes of a shot show the same place: the camera has not moved, whoever has.

    Light that has changed everywhere does not count, nor does what has changed in less than half of the fields.
    """
    changes = one.astype(np.float32) - other
    return float(np.median(np.abs(changes - np.median(changes)))) <= ALIKE


def numbered(frames: Iterable[FrameFaces]) -> Iterator[tuple[int, FrameFaces]]:
    """Each frame of a film with the number of its shot, from 0. At most FLASH_SECONDS of frames are held back."""
    coming = iter(frames)
    ahead: deque[FrameFaces] = deque()
    before: FrameFaces | None = None
    shot, usual = 0, 0.0
    while (frame := ahead.popleft() if ahead else next(coming, None)) is not None:
        if before is not None:
            changes = _changes(before, frame)
            change, middle = float(changes.mean()), float(np.median(changes))
            least = CUT_EVERYWHERE if middle >= EVERYWHERE else CUT
            seldom = between(before.time, frame.time) > SELDOM_SECONDS
            if change < max(least, CUT_RATIO * usual) or (seldom and middle < CUT):
                usual += USUAL * (change - usual)
            else:
                flash = _flash(before, frame, ahead, coming)
                if flash is not None:
                    yield shot, frame
                    yield from ((shot, ahead.popleft()) for _ in range(flash))
                    continue
                shot, usual = shot + 1, 0.0
        yield shot, frame
        before = frame


def between(early: FrameTime, late: FrameTime) -> float:
    """Seconds from one frame of a film to a later one; where times are unknown, as many as it would take as a rule."""
    if early.seconds is None or late.seconds is None:
        return (late.number - early.number) / FRAMES_PER_SECOND
    return late.seconds - early.seconds


def _flash(
    before: FrameFaces, bright: FrameFaces, ahead: deque[FrameFaces], coming: Iterator[FrameFaces]
) -> int | None:
    """How many frames go by after a ``bright`` one until the picture is what it was ``before``. None: it is a cut.

    Frames that are looked at for that are taken from ``coming`` and put ``ahead``.
    """
    at = 0
    while at < len(ahead) or _draw(coming, ahead):
        if between(bright.time, ahead[at].time) > FLASH_SECONDS:
            return None
        if _changes(before, ahead[at]).mean() < CUT / 2:
            return at
        at += 1
    return None


def _draw(coming: Iterator[FrameFaces], ahead: deque[FrameFaces]) -> bool:
    """Put one more frame ahead; false if there is none."""
    before = len(ahead)
    ahead.extend(islice(coming, 1))
    return len(ahead) > before


def _changes(before: FrameFaces, after: FrameFaces) -> np.ndarray:
    """(8, 8) int16: by how many grey levels each field has changed."""
    changes: np.ndarray = np.abs(before.scene.astype(np.int16) - after.scene)
    return changes
