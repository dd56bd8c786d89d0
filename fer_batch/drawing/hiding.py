"""Which parts of each frame must be hidden, so that no face of a video is seen in any of its frames.

The detector sees a face in one frame and misses it in the next: turned, blurred, half out of the picture. So what it
finds is followed through time. Gaps are bridged, and a face is hidden for a while before it is first and after it is
last found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot, inf

from fer_batch.drawing.shown import between
from fer_batch.types import Box, Detection

LEAST_SCORE = 0.1
"""Lowest score of the detector that counts as a trace of a face."""

SURE_SCORE = 0.3
"""A face is hidden if one of its traces has this score: the lowest with which the analysis works …"""

EVIDENCE = 0.5
"""… or if the scores of its traces add up to this: small and turned faces have many weak ones."""

GAP_SECONDS = 4.0
"""The longest stretch without a trace of a face over which it is hidden all the same, on the way between."""

MARGIN_SECONDS = 2.0
"""How long before its first trace and after its last one a face is hidden."""

GOES_ON_SECONDS = 1.0
"""How long a face that is not found is supposed to go on as before, or to stop."""

LONG_GAP_SECONDS = 0.15
"""Where a face is not found for longer, it may have gone on, and come back."""

MOTION_SECONDS = 0.2
"""The time over which a face's motion is measured."""

REACH = 0.8
"""How far from where it is expected a face may be, in heights of its box."""

REACH_A_SECOND = 1.0
"""What that grows by for each second without a trace."""

SIZE_RATIO = 2.0
"""Greatest ratio of a face's sizes in two successive traces."""

WIDER, HIGHER = 1.5, 1.6
"""What is hidden, in widths and heights of the box, which reaches from the brow to the chin."""


@dataclass(eq=False)
class _Trace:
    """A face that is followed: indices of frames, its boxes and its scores there."""

    frames: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def add(self, frame: int, face: Detection) -> None:
        self.frames.append(frame)
        self.boxes.append(face.box)
        self.scores.append(face.confidence)

    @property
    def is_sure(self) -> bool:
        """Whether it is hidden."""
        return max(self.scores) >= SURE_SCORE or sum(self.scores) >= EVIDENCE


def hidden(found: Sequence[Sequence[Detection]], seconds: Sequence[float]) -> list[list[Box]]:
    """For each frame the boxes to hide, enlarged; ``found``: the faces of each frame, which begins at ``seconds``."""
    places: list[list[Box]] = [[] for _ in found]
    for trace in _followed(found, seconds):
        if trace.is_sure:
            _fill(trace, seconds, places)
    return [[_enlarged(box) for box in boxes] for boxes in places]


def _followed(found: Sequence[Sequence[Detection]], seconds: Sequence[float]) -> list[_Trace]:
    """Every face with its traces, in time; each trace goes to the face that is nearest."""
    ended: list[_Trace] = []
    going: list[_Trace] = []
    for frame, faces in enumerate(found):
        now = seconds[frame]
        still = [trace for trace in going if now - seconds[trace.frames[-1]] <= GAP_SECONDS]
        ended += [trace for trace in going if trace not in still]
        going = still
        expected = [_expected(trace, seconds, now) for trace in going]
        pairs = sorted(
            (distance, at, index)
            for at, face in enumerate(faces)
            for index, trace in enumerate(going)
            if (distance := _distance(face.box, expected[index]))
            < REACH + REACH_A_SECOND * (now - seconds[trace.frames[-1]])
        )
        taken_faces: set[int] = set()
        taken_traces: set[int] = set()
        for _, at, index in pairs:
            if at not in taken_faces and index not in taken_traces:
                taken_faces.add(at)
                taken_traces.add(index)
                going[index].add(frame, faces[at])
        for at, face in enumerate(faces):
            if at not in taken_faces:
                going.append(_Trace())
                going[-1].add(frame, face)
    return ended + going


def _distance(box: Box, expected: Box) -> float:
    """How far a box is from where one is expected, in heights of the larger one; infinite if one is much larger."""
    ratio = box.height / expected.height
    if not 1 / SIZE_RATIO < ratio < SIZE_RATIO:
        return inf
    away = hypot(
        box.x + box.width / 2 - expected.x - expected.width / 2,
        box.y + box.height / 2 - expected.y - expected.height / 2,
    )
    return away / max(box.height, expected.height)


def _expected(trace: _Trace, seconds: Sequence[float], now: float) -> Box:
    """Where a face will be, if it goes on as in its last frames."""
    speed_x, speed_y = _speed(trace, seconds, len(trace.frames) - 1, step=-1)
    ahead = min(now - seconds[trace.frames[-1]], GOES_ON_SECONDS)
    return _moved(trace.boxes[-1], speed_x * ahead, speed_y * ahead)


def _speed(trace: _Trace, seconds: Sequence[float], here: int, *, step: int) -> tuple[float, float]:
    """Pixels a second at a place of a trace, measured over what comes before it (step -1) or after it (1)."""
    there = here
    for there in range(here, -1 if step < 0 else len(trace.frames), step):
        if abs(seconds[trace.frames[there]] - seconds[trace.frames[here]]) >= MOTION_SECONDS:
            break
    passed = seconds[trace.frames[here]] - seconds[trace.frames[there]]
    if passed == 0:
        return 0.0, 0.0
    first, second = trace.boxes[there], trace.boxes[here]
    return (
        (second.x + second.width / 2 - first.x - first.width / 2) / passed,
        (second.y + second.height / 2 - first.y - first.height / 2) / passed,
    )


def _fill(trace: _Trace, seconds: Sequence[float], places: list[list[Box]]) -> None:
    """Add the face's place in each frame from before its first trace to after its last one."""
    for index, ((frame, box), (later, next_box)) in enumerate(pairwise(zip(trace.frames, trace.boxes, strict=True))):
        span = seconds[later] - seconds[frame]
        for at in range(frame, later):
            part = (seconds[at] - seconds[frame]) / span if span > 0 else 0.0
            places[at].append(between(box, next_box, part))
        if span > LONG_GAP_SECONDS:  # it may go on for a while, and come back
            _after(trace, index, seconds, places, end=later)
            _before(trace, index + 1, seconds, places, begin=frame)
    places[trace.frames[-1]].append(trace.boxes[-1])
    _before(trace, 0, seconds, places)
    _after(trace, len(trace.frames) - 1, seconds, places)


def _before(trace: _Trace, index: int, seconds: Sequence[float], places: list[list[Box]], begin: int = -1) -> None:
    """Add where the face may be in the frames before a trace, but not before ``begin``."""
    first, speed = trace.frames[index], _speed(trace, seconds, index, step=1)
    for at in range(first - 1, begin, -1):
        passed = seconds[at] - seconds[first]
        if -passed > MARGIN_SECONDS:
            break
        places[at].append(_held(trace.boxes[index], speed, passed))


def _after(
    trace: _Trace, index: int, seconds: Sequence[float], places: list[list[Box]], end: int | None = None
) -> None:
    """Add where the face may be in the frames after a trace, but not from ``end`` on."""
    last, speed = trace.frames[index], _speed(trace, seconds, index, step=-1)
    for at in range(last + 1, len(places) if end is None else end):
        passed = seconds[at] - seconds[last]
        if passed > MARGIN_SECONDS:
            break
        places[at].append(_held(trace.boxes[index], speed, passed))


def _held(box: Box, speed: tuple[float, float], passed: float) -> Box:
    """Where a face may be that stops, or goes on for a while: all from the one place to the other."""
    passed = max(-GOES_ON_SECONDS, min(passed, GOES_ON_SECONDS))
    other = _moved(box, speed[0] * passed, speed[1] * passed)
    x, y = min(box.x, other.x), min(box.y, other.y)
    return Box(x, y, box.width + abs(other.x - box.x), box.height + abs(other.y - box.y))


def _moved(box: Box, x: float, y: float) -> Box:
    return Box(box.x + x, box.y + y, box.width, box.height)


def _enlarged(box: Box) -> Box:
    width, height = WIDER * box.width, HIGHER * box.height
    return Box(box.x - (width - box.width) / 2, box.y - (height - box.height) / 2, width, height)
