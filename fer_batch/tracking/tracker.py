"""Which faces are the same from frame to frame.

Two steps. From frame to frame, and over gaps of up to a second, a face is followed by its motion
(:mod:`fer_batch.tracking.motion`): that gives tracklets. A new tracklet then belongs to the same face as one that ended
earlier in the same shot, if it begins where that one ended, however long ago, and no other face comes into question.
A cut ends every face.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from math import exp, hypot, log, log1p

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.detection import quality
from fer_batch.emotions import in_view
from fer_batch.tracking import motion, shots
from fer_batch.tracking.motion import Motion, Position
from fer_batch.types import Box, Face, FrameFaces, FrameTime, TrackedFrame

GAP_SECONDS = 1.0
"""How long a face may be missing within a tracklet."""

REACH = 1.5
"""How far from its last place a face may come back, after any time, in heights of the face."""

RESIZE = 1.6
"""By what factor it may have grown or shrunk meanwhile."""

GAP_COST = 0.1
"""Cost of each e-fold of a gap, where a distance of REACH costs 1: of two candidates it is the one that left last."""

MIN_COST_MARGIN = 0.1
"""If another assignment costs less than so much more, the face is not certain, and counts as a new one."""

FLICKER_SECONDS = 0.2
"""A face in a single frame, where the next frame comes so soon and does not have it, is likely a false detection."""

FLICKER_OVERLAP = 0.3
"""Least intersection over union of such a face with the last place of the face that it may belong to."""

MAX_REMEMBERED_FACES = 250
"""Faces of a shot that are away and can come back; of more, those that left first are forgotten."""

NEW_FACE_COST = 5.0
"""Cost of being a new face: more than any candidate costs, also after years."""


@dataclass(eq=False)
class _Identity:
    """A face of a shot."""

    spurious: bool
    face_id: int | None = None
    """None until the first frame with it is given out."""


@dataclass(frozen=True, slots=True)
class _Observation:
    """Where a face was detected, and when."""

    time: FrameTime
    scene: np.ndarray
    """(16, 16) uint8: the frame's scene."""
    box: Box
    position: Position
    """Of the box."""


@dataclass(eq=False)
class _Tracklet:
    """A face that is followed without a long gap."""

    first: _Observation
    last: _Observation
    motion: Motion
    observations: int = 1
    identity: _Identity | None = None
    """None until it has been observed twice, or has ended: who it is depends on that."""


class _Shot:
    """The faces of a shot: those that are followed, and those that are away."""

    def __init__(self) -> None:
        self._frames = 0
        self._tracklets: list[_Tracklet] = []
        self._away: OrderedDict[_Identity, _Tracklet] = OrderedDict()
        """The last tracklet of each face that is away, in the order in which they left."""

    def add(self, frame: FrameFaces) -> list[_Tracklet]:
        """The tracklet of each of the frame's detections, which continues one or begins one."""
        self._frames += 1
        now = frame.time
        self._end_tracklets([tracklet for tracklet in self._tracklets if _has_ended(tracklet.last.time, now)])
        boxes = [detected.box for detected in frame.detections]
        observed = [_Observation(now, frame.scene, box, Position.of(box)) for box in boxes]
        in_order = _left_to_right(frame)  # detectors give them in any order
        gaps = [shots.seconds_between(tracklet.last.time, now) for tracklet in self._tracklets]
        motions = [tracklet.motion for tracklet in self._tracklets]
        found: dict[int, _Tracklet] = {}
        for followed, rank in motion.match(motions, gaps, [observed[index].position for index in in_order]):
            index, tracklet = in_order[rank], self._tracklets[followed]
            tracklet.motion.update(observed[index].position, gaps[followed])
            tracklet.last = observed[index]
            tracklet.observations += 1
            found[index] = tracklet
        for index in in_order:
            if index not in found:
                found[index] = _Tracklet(observed[index], observed[index], Motion(*observed[index].position))
                self._tracklets.append(found[index])
        self._identify([known for known in self._tracklets if known.identity is None and known.observations > 1])
        return [found[index] for index in range(len(observed))]

    def end(self) -> None:
        """No frame follows."""
        self._end_tracklets(self._tracklets)

    def _end_tracklets(self, ended: Sequence[_Tracklet]) -> None:
        """Follow these no longer; their faces are away."""
        if not ended:
            return
        self._tracklets = [tracklet for tracklet in self._tracklets if tracklet not in ended]
        in_order = sorted(ended, key=lambda tracklet: tracklet.first.time.number)
        for _, group in groupby(in_order, key=lambda tracklet: tracklet.first.time.number):
            began_together = list(group)
            self._identify([tracklet for tracklet in began_together if tracklet.identity is None])
            for tracklet in began_together:
                if tracklet.identity is not None and not tracklet.identity.spurious:
                    self._away[tracklet.identity] = tracklet
        while len(self._away) > MAX_REMEMBERED_FACES:
            self._away.popitem(last=False)

    def _identify(self, tracklets: Sequence[_Tracklet]) -> None:
        """Give each of these the identity of a face that is away, or a new one."""
        if not tracklets:
            return
        earlier = [*self._away.values(), *(tracklet for tracklet in self._tracklets if tracklet.identity is not None)]
        flickers = [self._is_flicker(tracklet) for tracklet in tracklets]
        predecessors = _predecessors(tracklets, flickers, earlier)
        for tracklet, flicker, before in zip(tracklets, flickers, predecessors, strict=True):
            if before is None or before.identity is None:
                tracklet.identity = _Identity(spurious=flicker)
                continue
            tracklet.identity = before.identity
            if self._away.pop(before.identity, None) is None:
                self._tracklets.remove(before)

    def _is_flicker(self, tracklet: _Tracklet) -> bool:
        """Whether it is observed in a single frame although there are others shortly before or after it."""
        seconds = tracklet.last.time.duration
        return tracklet.observations == 1 and self._frames > 1 and (seconds is None or seconds <= FLICKER_SECONDS)


def track_faces(frames: Iterable[FrameFaces], view: str, cuts: Sequence[int]) -> Iterator[TrackedFrame]:
    """The frames of a video with faces numbered by first appearance, and from left to right in the same frame.

    A frame is held back until the identity of each of its faces is certain: for little more than GAP_SECONDS.

    Args:
        frames: in the order of their times.
        view: one of TABLE_VIEWS.
        cuts: the numbers of the frames at which a shot begins, sorted; see :func:`fer_batch.tracking.shots.find_cuts`.
            Frames that are not among ``frames`` may be, too.
    """
    face_ids = count()
    waiting: deque[tuple[FrameFaces, list[_Tracklet]]] = deque()
    shot, shot_number = _Shot(), 0
    for frame in frames:
        number = bisect_right(cuts, frame.time.number)
        if number != shot_number:
            shot.end()
            shot, shot_number = _Shot(), number
        waiting.append((frame, shot.add(frame)))
        yield from _identified(waiting, view, face_ids)
    shot.end()
    yield from _identified(waiting, view, face_ids)


def number_faces_left_to_right(frames: Iterable[FrameFaces], view: str) -> Iterator[TrackedFrame]:
    """Photos with their faces numbered from the left, each photo by itself; ``view`` is one of TABLE_VIEWS."""
    for frame in frames:
        order = _left_to_right(frame)
        yield TrackedFrame(frame.time, tuple(_face(frame, index, view, face_id) for face_id, index in enumerate(order)))


def _identified(
    waiting: deque[tuple[FrameFaces, list[_Tracklet]]], view: str, face_ids: Iterator[int]
) -> Iterator[TrackedFrame]:
    """Take the frames up to the first one with a face whose identity is not known yet."""
    while waiting:
        frame, tracklets = waiting[0]
        identities = [tracklet.identity for tracklet in tracklets if tracklet.identity is not None]
        if len(identities) < len(tracklets):
            return
        waiting.popleft()
        for index in _left_to_right(frame):
            if identities[index].face_id is None:
                identities[index].face_id = next(face_ids)
        faces = [_face(frame, index, view, who.face_id or 0, who.spurious) for index, who in enumerate(identities)]
        yield TrackedFrame(frame.time, tuple(sorted(faces, key=lambda face: face.face_id)))


def _left_to_right(frame: FrameFaces) -> list[int]:
    """Indices of the frame's detections, from left to right."""
    return sorted(range(len(frame.detections)), key=lambda index: Position.of(frame.detections[index].box))


def _face(frame: FrameFaces, index: int, view: str, face_id: int, spurious: bool = False) -> Face:
    detected = frame.detections[index]
    shares = in_view(frame.shares[index], view)
    return Face(face_id, detected, shares, quality=quality.score(detected), spurious=spurious)


def _predecessors(
    tracklets: Sequence[_Tracklet], flickers: Sequence[bool], earlier: Sequence[_Tracklet]
) -> list[_Tracklet | None]:
    """For each of ``tracklets`` that of the ``earlier`` ones with the same face; None: there is none, or no certainty.

    Hungarian method, without the pairs for which others could be taken at an extra cost below MIN_COST_MARGIN.
    """
    pairs = zip(tracklets, flickers, strict=True)
    costs = np.array([[_cost(before, tracklet, flicker) for before in earlier] for tracklet, flicker in pairs])
    costs = costs.reshape(len(tracklets), len(earlier))
    candidates = np.flatnonzero((costs < NEW_FACE_COST).any(axis=0))
    costs = costs[:, candidates]
    found: list[_Tracklet | None] = [None] * len(tracklets)
    rows, columns = linear_sum_assignment(costs)
    least = costs[rows, columns].sum()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if costs[row, column] < NEW_FACE_COST:
            others = costs.copy()
            others[row, column] = NEW_FACE_COST
            if others[linear_sum_assignment(others)].sum() - least >= MIN_COST_MARGIN:
                found[row] = earlier[candidates[column]]
    return found


def _cost(before: _Tracklet, tracklet: _Tracklet, flicker: bool) -> float:
    """The cost of a tracklet's continuing one that ended before; NEW_FACE_COST: it cannot.

    Up to 1 for the distance in REACH and the change of size in RESIZE, and GAP_COST on top of that.
    """
    early, late = before.last, tracklet.first
    if abs(late.position.x - early.position.x) > REACH * RESIZE * late.box.height:
        return NEW_FACE_COST  # a quick test, which most pairs fail
    resized = (late.position.size - early.position.size) / log(RESIZE)
    height = exp((late.position.size + early.position.size) / 2)
    off = hypot(late.position.x - early.position.x, late.position.y - early.position.y) / height / REACH
    if off**2 + resized**2 > 1 or early.time.number >= late.time.number:
        return NEW_FACE_COST
    if flicker and early.box.overlap(late.box) < FLICKER_OVERLAP:
        return NEW_FACE_COST
    if not shots.show_same_place(early.scene, late.scene):
        return NEW_FACE_COST
    return off**2 + resized**2 + GAP_COST * log1p(shots.seconds_between(early.time, late.time))


def _has_ended(last: FrameTime, now: FrameTime) -> bool:
    """Whether a face that was last observed then is followed no longer; the next sampled frame is never too late."""
    return shots.seconds_between(last, now) > max(GAP_SECONDS, last.duration or 0.0)
