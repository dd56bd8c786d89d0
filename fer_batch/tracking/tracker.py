"""Pure: who is the same face from frame to frame.

Two steps. From frame to frame, and over gaps of up to a second, a face goes on as it moved
(:mod:`fer_batch.tracking.motion`): that gives paths. A path that begins is then the same face as one that ended in the
same shot, if it begins where that one ended, however long ago, and nobody else can be meant. A cut ends everything.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from math import exp, hypot, log, log1p

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.detection import quality
from fer_batch.tracking import motion, shots
from fer_batch.tracking.motion import Motion, Position
from fer_batch.types import Box, Face, FrameFaces, FrameTime, TrackedFrame

GAP_SECONDS = 1.0
"""How long a face may be away and still be on the same path."""

REACH = 1.5
"""Heights of a face from where it was last seen to where it may be seen again after any time."""

RESIZED = 1.6
"""By how much it may have grown or shrunk meanwhile."""

FORGETTING = 0.1
"""Cost of each e-fold of a gap, in parts of what REACH costs: of two who may be meant it is the one who left last."""

DOUBT = 0.1
"""If somebody else costs only so much more, nobody can say who it is: it is a face of its own."""

BRIEF_SECONDS = 0.2
"""A face that is seen in a single frame, and not in the next one so soon after, is likely none."""

SAME_PLACE = 0.3
"""Intersection over union with where a face was last seen that a single frame needs to be of it."""

MEMORY = 250
"""Faces of a shot that are away and can come back; more are forgotten, the longest away first."""


NOBODY = 5.0
"""Cost of being nobody who was there before: more than anybody costs who can be meant, after years."""


@dataclass(eq=False)
class _Identity:
    """A face of a shot."""

    spurious: bool
    number: int | None = None
    """Its face_id; None until a row of it is written."""


@dataclass(frozen=True, slots=True)
class _Observation:
    """Where a face was seen, and when."""

    time: FrameTime
    scene: np.ndarray
    box: Box
    spot: Position


@dataclass(eq=False)
class _Path:
    """A face that is followed without a long gap."""

    first: _Observation
    last: _Observation
    motion: Motion
    sights: int = 1
    identity: _Identity | None = None
    """None until it has been seen twice, or is lost: who it is depends on that."""


class _Shot:
    """The faces of a shot: those that are followed, and those that are away."""

    def __init__(self) -> None:
        self._frames = 0
        self._paths: list[_Path] = []
        self._away: OrderedDict[_Identity, _Path] = OrderedDict()
        """The last path of each, in the order in which they went."""

    def see(self, frame: FrameFaces) -> list[_Path]:
        """The path of each of the frame's detections, of which every one begins one or goes on with one."""
        self._frames += 1
        now = frame.time
        self._leave([path for path in self._paths if _is_gone(path.last.time, now)])
        sights = [_Observation(now, frame.scene, one.box, Position.of(one.box)) for one in frame.detections]
        order = sorted(range(len(sights)), key=lambda at: sights[at].spot)  # detectors give them in any order
        gaps = [shots.between(path.last.time, now) for path in self._paths]
        found: dict[int, _Path] = {}
        for known, place in motion.match([one.motion for one in self._paths], gaps, [sights[at].spot for at in order]):
            at, path = order[place], self._paths[known]
            path.motion.follow(sights[at].spot, gaps[known])
            path.last = sights[at]
            path.sights += 1
            found[at] = path
        for at in order:
            if at not in found:
                found[at] = _Path(sights[at], sights[at], Motion(*sights[at].spot))
                self._paths.append(found[at])
        self._name([path for path in self._paths if path.identity is None and path.sights > 1])
        return [found[at] for at in range(len(sights))]

    def end(self) -> None:
        """No frame follows."""
        self._leave(self._paths)

    def _leave(self, paths: Sequence[_Path]) -> None:
        """These are not seen any more."""
        if not paths:
            return
        self._paths = [path for path in self._paths if path not in paths]
        in_order = sorted(paths, key=lambda path: path.first.time.number)
        for _, together in groupby(in_order, key=lambda path: path.first.time.number):
            began = list(together)
            self._name([path for path in began if path.identity is None])
            for path in began:
                if path.identity is not None and not path.identity.spurious:
                    self._away[path.identity] = path
        while len(self._away) > MEMORY:
            self._away.popitem(last=False)

    def _name(self, paths: Sequence[_Path]) -> None:
        """Tell whose paths these are."""
        if not paths:
            return
        known = [*self._away.values(), *(path for path in self._paths if path.identity is not None)]
        flickers = [self._is_flicker(path) for path in paths]
        for path, flickers_only, before in zip(paths, flickers, _same(paths, flickers, known), strict=True):
            if before is None or before.identity is None:
                path.identity = _Identity(spurious=flickers_only)
                continue
            path.identity = before.identity
            if self._away.pop(before.identity, None) is None:
                self._paths.remove(before)

    def _is_flicker(self, path: _Path) -> bool:
        """Whether it is seen in a single frame although others around it were looked at."""
        seconds = path.last.time.duration
        return path.sights == 1 and self._frames > 1 and (seconds is None or seconds <= BRIEF_SECONDS)


def track(frames: Iterable[FrameFaces], view: int) -> Iterator[TrackedFrame]:
    """Readings of a film, its faces numbered by their first appearance, from left to right in the same frame.

    ``view`` is a position in VIEWS. Frames are held back until it is known whose faces they have: for little more than
    GAP_SECONDS.
    """
    numbers = count()
    waiting: deque[tuple[FrameFaces, list[_Path]]] = deque()
    shot, current = _Shot(), 0
    for number, frame in shots.numbered(frames):
        if number != current:
            shot.end()
            shot, current = _Shot(), number
        waiting.append((frame, shot.see(frame)))
        yield from _known(waiting, view, numbers)
    shot.end()
    yield from _known(waiting, view, numbers)


def arrange(frames: Iterable[FrameFaces], view: int) -> Iterator[TrackedFrame]:
    """Readings of photographs: faces numbered from the left of each picture."""
    for frame in frames:
        order = sorted(range(len(frame.detections)), key=lambda at: Position.of(frame.detections[at].box))
        yield TrackedFrame(frame.time, tuple(_face(frame, at, view, number) for number, at in enumerate(order)))


def _known(waiting: deque[tuple[FrameFaces, list[_Path]]], view: int, numbers: Iterator[int]) -> Iterator[TrackedFrame]:
    """The frames up to the first one with a face of whom nobody knows yet who it is."""
    while waiting:
        frame, paths = waiting[0]
        identities = [path.identity for path in paths if path.identity is not None]
        if len(identities) < len(paths):
            return
        waiting.popleft()
        for at in sorted(range(len(paths)), key=lambda at: Position.of(frame.detections[at].box)):
            if identities[at].number is None:
                identities[at].number = next(numbers)
        faces = [_face(frame, at, view, one.number or 0, one.spurious) for at, one in enumerate(identities)]
        yield TrackedFrame(frame.time, tuple(sorted(faces, key=lambda face: face.face_id)))


def _face(frame: FrameFaces, at: int, view: int, face_id: int, spurious: bool = False) -> Face:
    one = frame.detections[at]
    return Face(face_id, one, frame.shares[at, view], quality=quality.score(one), spurious=spurious)


def _same(paths: Sequence[_Path], flickers: Sequence[bool], known: Sequence[_Path]) -> list[_Path | None]:
    """Who of the ``known`` each of the ``paths`` goes on with; None: with nobody, or nobody can say."""
    costs = np.array([[_cost(one, path, weak) for one in known] for path, weak in zip(paths, flickers, strict=True)])
    costs = costs.reshape(len(paths), len(known))
    near = np.flatnonzero((costs < NOBODY).any(axis=0))
    costs = costs[:, near]
    found: list[_Path | None] = [None] * len(paths)
    rows, columns = linear_sum_assignment(costs)
    least = costs[rows, columns].sum()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if costs[row, column] < NOBODY:
            others = costs.copy()
            others[row, column] = NOBODY
            if others[linear_sum_assignment(others)].sum() - least >= DOUBT:
                found[row] = known[near[column]]
    return found


def _cost(before: _Path, path: _Path, flickers: bool) -> float:
    """What speaks against a path's going on with one that ended before; NOBODY: it cannot.

    Up to 1: the distance in REACH, and the change of size in RESIZED. FORGETTING comes on top of that.
    """
    early, late = before.last, path.first
    if abs(late.spot.x - early.spot.x) > REACH * RESIZED * late.box.height:
        return NOBODY  # most are: told quickly
    resized = (late.spot.size - early.spot.size) / log(RESIZED)
    height = exp((late.spot.size + early.spot.size) / 2)
    off = hypot(late.spot.x - early.spot.x, late.spot.y - early.spot.y) / height / REACH
    if off**2 + resized**2 > 1 or early.time.number >= late.time.number:
        return NOBODY
    if flickers and early.box.overlap(late.box) < SAME_PLACE:
        return NOBODY
    if not shots.alike(early.scene, late.scene):
        return NOBODY
    return off**2 + resized**2 + FORGETTING * log1p(shots.between(early.time, late.time))


def _is_gone(seen: FrameTime, now: FrameTime) -> bool:
    return shots.between(seen, now) > max(GAP_SECONDS, seen.duration or 0.0)  # the next look is never too late
