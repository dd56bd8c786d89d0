"""The values that flow from media to tables. All are frozen; arrays in them are not to be written to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, nan
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fer_batch.emotions import NEUTRAL


class Kind(StrEnum):
    """What a source is."""

    VIDEO = "video"
    PHOTOS = "photos"


@dataclass(frozen=True)
class Source:
    """One film, or one folder's photographs as a sequence: what gets one timeline."""

    kind: Kind
    name: str
    """Unique in a run, also where letter case does not count; POSIX style, relative to the input it was found under."""
    files: tuple[Path, ...]
    """The film, or the photographs in their order."""
    output: str
    """``name`` made safe for every file system, without a suffix: the stem of the source's table and page."""


@dataclass(frozen=True, slots=True)
class FrameTime:
    """A place in a source's sequence of frames."""

    file: str
    """The film's source name, or the photograph's own name."""
    number: int
    """0-based rank in presentation order, or of the photograph in its folder."""
    seconds: float | None = None
    """From the film's zero, which is the start of its earliest stream. None: a photograph, or a film without stamps."""
    duration: float | None = None
    """Seconds until the next frame that is looked at; None where unknown."""
    pts: int | None = None
    """Presentation time stamp in the stream's own time base, as the container holds it."""


@dataclass(frozen=True)
class Chunk:
    """The unit of work, of retry and of resume: a stretch of a film, or a slice of a folder's photographs."""

    source: Source
    """Of a folder with the chunk's own photographs only."""
    index: int
    times: Sequence[FrameTime] | None
    """The frames to look at; None where only decoding the film can tell."""
    start: int | None = None
    """First stamp, a keyframe's; None: from the film's beginning, without seeking."""
    stop: int | None = None
    """The stamp to stop before; None: to the end."""
    frames: int | None = None
    """How many frames the film's index has between ``start`` and ``stop``, looked at or not."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright frame; may reach past its edges."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.width * self.height + other.width * other.height - shared)


@dataclass(frozen=True, slots=True)
class Clarity:
    """What there is to measure in the grey 48x48 picture of a face, as the model sees it."""

    brightness: float
    """Mean grey level, black 0 and white 1."""
    contrast: float
    """Standard deviation of the grey levels, in the same unit."""
    sharpness: float
    """Standard deviation of the Laplacian, in units of the contrast; blind to light, but not to noise."""
    clipped: float
    """Share of the picture that is black or white, or as good as that: 0 to 1."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face as the detector found it, and what its picture is like once it has been cut out."""

    box: Box
    confidence: float
    """The detector's score, 0 to 1."""
    landmarks: tuple[tuple[float, float], ...] = ()
    """(x, y) of right eye, left eye, nose, right and left corner of the mouth (of the person), in pixels."""
    clarity: Clarity | None = None
    """None until it has been cut out."""
    ROW_LENGTH: ClassVar[int] = 19
    """How many numbers :meth:`as_row` gives."""

    @classmethod
    def from_row(cls, row: Sequence[float]) -> "Detection":
        """The face that :meth:`as_row` wrote."""
        confidence, x, y, width, height, *points = row[:15]
        landmarks = () if isnan(points[0]) else tuple(zip(points[::2], points[1::2], strict=True))
        clarity = None if isnan(row[15]) else Clarity(*row[15:])
        return cls(Box(x, y, width, height), confidence, landmarks, clarity)

    def as_row(self) -> list[float]:
        """Its 19 numbers: confidence, box, landmarks, clarity (NaN where there is none)."""
        box, clear = self.box, self.clarity
        points = [value for point in self.landmarks for value in point] or [nan] * 10
        looks = [clear.brightness, clear.contrast, clear.sharpness, clear.clipped] if clear else [nan] * 4
        return [self.confidence, box.x, box.y, box.width, box.height, *points, *looks]

    def moved(self, x: float, y: float) -> "Detection":
        """The same face, seen from ``x`` pixels further left and ``y`` further up."""
        box = Box(self.box.x + x, self.box.y + y, self.box.width, self.box.height)
        points = tuple((across + x, down + y) for across, down in self.landmarks)
        return Detection(box, self.confidence, points, self.clarity)

    def scaled(self, x: float, y: float) -> "Detection":
        """The same face where the picture is ``x`` times as wide and ``y`` times as high."""
        box = Box(self.box.x * x, self.box.y * y, self.box.width * x, self.box.height * y)
        points = tuple((across * x, down * y) for across, down in self.landmarks)
        return Detection(box, self.confidence, points, self.clarity)


@dataclass(frozen=True)
class Skipped:
    """Something that did not make it into the tables whole, and why."""

    file: str
    """The source's name, or for a photograph the source's name and its own."""
    reason: str
    rows_kept: bool = False
    """True: degraded; what could be read is in the tables. False: left out altogether."""


@dataclass(frozen=True)
class ScannedFrames:
    """Some consecutive frames of a chunk and the faces found in them: M frames, F faces in frame order.

    Small enough, once classified, that those of a whole video fit into memory.
    """

    times: tuple[FrameTime, ...]
    """Of the M frames."""
    sizes: np.ndarray
    """(M, 2) int64: the frames' widths and heights in upright square pixels."""
    scenes: np.ndarray
    """(M, 8, 8) uint8: :func:`fer_batch.media.frame.scene` of each frame."""
    owners: np.ndarray
    """(F,) int64: for each face the position of its frame in ``times``."""
    faces: np.ndarray
    """(F, 19) float64: :meth:`Detection.as_row` of each face."""
    crops: np.ndarray
    """(F, 48, 48) uint8: the classifier's input; none of them are kept once classified."""
    shares: np.ndarray | None = None
    """(F, 2, 7) float32: views, emotions; None until classified."""

    def classified(self, shares: np.ndarray) -> "ScannedFrames":
        """The same frames with the classifier's ``shares`` (F, 2, 7), without the crops."""
        return replace(self, crops=self.crops[:0], shares=shares)


@dataclass(frozen=True)
class FrameFaces:
    """One frame with all that is known of it, before anybody chose a view or a threshold."""

    time: FrameTime
    size: tuple[int, int]
    """Width and height in upright square pixels, the unit of boxes."""
    scene: np.ndarray
    """(8, 8) uint8: the whole frame's luma, black 0 and white 255, in 64 fields: enough to tell shots apart."""
    detections: tuple[Detection, ...]
    shares: np.ndarray
    """(faces, 2, 7) float32: views, emotions."""


@dataclass(frozen=True)
class Face:
    """A face with an identity within its source and what its expression looks like."""

    face_id: int
    """A track within one film, or the position from the left in a photograph. Not a person."""
    detection: Detection
    shares: np.ndarray
    """(7,) float32 in the order of EMOTIONS, summing to 1."""
    person: str = ""
    """Empty: nobody has named it."""
    quality: float = 1.0
    """How good its picture is to read, 0 to 1: :mod:`fer_batch.detection.quality`."""
    spurious: bool = False
    """Seen in one frame only, and not in those around it: likely no face at all."""


@dataclass(frozen=True)
class TrackedFrame:
    """One frame and its faces; none is a fact, too."""

    time: FrameTime
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class Episode:
    """A stretch of time in which a face shows an expression."""

    file: str
    face_id: int | None
    person: str
    """Empty: nobody has named the face."""
    emotion: str
    start: float
    """Seconds of the film, as all times here."""
    stop: float
    mean: float
    """Of the emotion's share, over time."""
    peak: float
    """The largest share."""
    peak_time: float
    """When the frame with the largest share begins."""


@dataclass(frozen=True)
class Summary:
    """One face of a film, or all the faces of a folder of photographs."""

    file: str
    kind: Kind
    face_id: int | None
    """None: all the faces of a folder."""
    person: str
    """Empty: nobody has named the face."""
    faces: int
    """Rows summed up."""
    first_seen: float | None
    last_seen: float | None
    """End of the last row, in seconds of the film."""
    seconds_visible: float | None
    gaps: int | None
    """Stretches without the face between the two; their values are not guessed."""
    seconds_missing: float | None
    """How long they are in all."""
    means: np.ndarray
    """(7,) float64: mean of each share, in the order of EMOTIONS; they sum to 1."""
    strongest: np.ndarray
    """(7,) float64: the part of the time, or of the faces, in which each emotion is the strongest; they sum to 1."""
    valence: float
    """Mean of the derived valence, -1 to 1."""
    episodes: int | None
    """Their number; None for photographs, and where times are unknown."""
    role: str = ""
    """Of the person, as people.csv says."""
    group: str = ""
    changes: np.ndarray | None = None
    """(7,) float64: the means less those of the face's own baseline; None where it has none."""
    valence_change: float | None = None

    @property
    def without_neutral(self) -> np.ndarray | None:
        """(6,) float64 like ``strongest``, of the time in which it is not neutral; None where that is never."""
        six = np.delete(self.strongest, NEUTRAL)
        return six / six.sum() if six.sum() > 0 else None

    @property
    def episodes_per_minute(self) -> float | None:
        """Of the time in which the face is visible."""
        if self.episodes is None or not self.seconds_visible:
            return None
        return self.episodes / self.seconds_visible * 60


@dataclass(frozen=True)
class Outcome:
    """What became of one source that has a timeline."""

    source: Source
    frames: int
    """Frames, or photographs, that were looked at."""
    frames_with_face: int
    faces: int
    """Rows with a face in the timeline."""
    seconds: float | None
    """Sum of the frames' durations; None for photographs and where no time is known."""
    facts: dict[str, Any]
    """What the file says of itself, ready for JSON."""
    skipped: tuple[Skipped, ...]

    @property
    def timeline(self) -> str:
        """The timeline's path, relative to the output folder."""
        return f"timelines/{self.source.output}.csv"
