"""The values that flow from media files to tables. All are frozen; do not write to the arrays in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from math import isnan, nan
from os.path import commonprefix
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np

from fer_batch.emotions import NEUTRAL


class Kind(StrEnum):
    """The two kinds of sources."""

    VIDEO = "video"
    PHOTOS = "photos"


class Severity(StrEnum):
    """How much a line of errors.csv matters."""

    NOTE = "note"
    """Nothing is missing: something to know, such as a second video stream."""
    PARTIAL = "partial"
    """Something is missing from the tables, or is wrong in them; the rest is there."""
    LOST = "lost"
    """Nothing of it is in the tables."""


class Reason(StrEnum):
    """Why a face that was found is not summed up."""

    SPURIOUS = "spurious"
    """It was found in a single frame, but not in the frames around it: probably not a face."""
    QUALITY = "quality"
    """Its quality is below ``--min-quality``."""
    SIZE = "size"
    """It is smaller than ``--min-face``. Such faces, and the next ones, are not in the timelines either."""
    NUMBER = "number"
    """There are ``--max-faces`` of a higher score in the frame."""


@dataclass(frozen=True)
class LeftOut:
    """How much of a source is not summed up for one reason."""

    reason: Reason
    faces: int
    """Rows of the timeline, or faces that are not in it."""
    seconds: float | None
    """Sum of their frames' durations; None for photos, and if times are unknown."""
    tracks: int | None
    """Faces of a video of which nothing at all is summed up; None: they were not followed."""


class Texts(Sequence[str]):
    """Many short texts as a long one, which takes a fifth of the memory; what all begin with is kept once."""

    __slots__ = ("_beginning", "_ends", "_text")

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._beginning = commonprefix(texts)  # noqa: RUF071  of any texts
        ends = [text[len(self._beginning) :] for text in texts]
        self._text = "".join(ends)
        self._ends = np.cumsum([0, *map(len, ends)])

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        at = range(len(self))[at]
        return self._beginning + self._text[self._ends[at] : self._ends[at + 1]]

    def __iter__(self) -> Iterator[str]:
        return (self._beginning + self._text[begin:end] for begin, end in pairwise(self._ends.tolist()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Texts):
            return NotImplemented
        same = (self._beginning, self._text) == (other._beginning, other._text)
        return same and np.array_equal(self._ends, other._ends)

    def __hash__(self) -> int:
        return hash((self._beginning, self._text))


class FolderFiles(Sequence[Path]):
    """Files of one folder, of which paths are made when they are asked for.

    A million photos, named like IMG_0000001.jpg, take 20 MB; as paths they take 409 MB.
    """

    __slots__ = ("_folder", "_names")

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = Texts(names)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> Path: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, at: int | slice) -> Path | tuple[Path, ...]:
        if isinstance(at, slice):
            return tuple(self._folder / name for name in self._names[at])
        return self._folder / self._names[at]

    def __iter__(self) -> Iterator[Path]:
        return (self._folder / name for name in self._names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FolderFiles):
            return NotImplemented
        return (self._folder, self._names) == (other._folder, other._names)

    def __hash__(self) -> int:
        return hash((self._folder, self._names))


@dataclass(frozen=True)
class Source:
    """One video, or the photos of one folder in order. Each source gets one timeline."""

    kind: Kind
    name: str
    """Unique in a run, also if letter case is ignored. POSIX style, relative to the input under which it was found."""
    files: Sequence[Path]
    """The video file, or the photo files in order."""
    output: str
    """``name``, made safe for every file system: the path of the source's table and page, without a suffix."""
    fps: float | None = None
    """Of a video whose frames are photo files: frames per second. None: a video file, or photos."""

    @property
    def in_photo_files(self) -> bool:
        """Whether its files are photos."""
        return self.kind is Kind.PHOTOS or self.fps is not None


@dataclass(frozen=True, slots=True)
class FrameTime:
    """Number and time of one frame of a source, and whether it is whole."""

    file: str
    """The name of the video's source, or the photo's own name, also where photos are the frames of a video."""
    number: int
    """0-based position: of the frame in presentation order, or of the photo in its folder."""
    seconds: float | None = None
    """Time since the start of the video's earliest stream. None: a photo, or a video without timestamps."""
    duration: float | None = None
    """Seconds until the next sampled frame; None: unknown."""
    pts: int | None = None
    """Presentation timestamp in units of the stream's time base, as stored in the container."""
    damaged: bool = False
    """The photo, or this frame of the video, is damaged: what the decoder made of it may be wrong."""


@dataclass(frozen=True)
class Chunk:
    """A part of a video, or some photos of a folder: the unit of work, of retry and of resume."""

    source: Source
    """For photos: with the files of this chunk only."""
    index: int
    times: Sequence[FrameTime] | None
    """The frames to analyse; None: they are not known until the video is decoded. Empty: the chunk is decoded only to
    see its cuts."""
    start: int | None = None
    """The pts of the keyframe at which the chunk begins; None: it begins where the video does, without a seek."""
    stop: int | None = None
    """The pts before which the chunk stops; None: it goes to the end."""
    frames: int | None = None
    """Number of frames in the video's index from ``start`` to ``stop``, sampled or not."""
    decoded: Sequence[FrameTime] | None = None
    """The frames whose scenes are kept: all those in the part of the video that is analysed, sampled or not. None: only
    the sampled ones."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright frame. It may extend beyond the frame's edges."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: "Box") -> float:
        """Intersection over union (IoU) with another box, 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.width * self.height + other.width * other.height - shared)


@dataclass(frozen=True, slots=True)
class Clarity:
    """Measures of image quality of a face's grey 48x48 crop, the model's input."""

    brightness: float
    """Mean grey level: black 0, white 1."""
    contrast: float
    """Standard deviation of the grey levels, in the same unit."""
    sharpness: float
    """Standard deviation of the Laplacian, divided by the contrast. Light does not change it, but noise raises it."""
    clipped: float
    """Share of pixels that are black or white, or nearly so: 0 to 1."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that the detector found, and the image quality of its crop."""

    box: Box
    confidence: float
    """The detector's score, 0 to 1."""
    landmarks: tuple[tuple[float, float], ...] = ()
    """(x, y) in pixels: the person's right eye, left eye, nose, right and left corner of the mouth. Empty: unknown."""
    clarity: Clarity | None = None
    """None: the face has not been cropped yet."""
    seen: Box | None = field(default=None, compare=False)
    """Where a search of the whole frame has seen it, if ``box`` is that of a closer search. It is not kept."""
    ROW_LENGTH: ClassVar[int] = 19
    """Number of values in :meth:`as_row`."""

    @classmethod
    def from_row(cls, row: Sequence[float]) -> "Detection":
        """The detection of which :meth:`as_row` made ``row``."""
        confidence, x, y, width, height, *points = row[:15]
        landmarks = () if isnan(points[0]) else tuple(zip(points[::2], points[1::2], strict=True))
        clarity = None if isnan(row[15]) else Clarity(*row[15:])
        return cls(Box(x, y, width, height), confidence, landmarks, clarity)

    def as_row(self) -> list[float]:
        """The detection as 19 numbers: confidence, box, landmarks, clarity; NaN for landmarks or clarity of None."""
        box, clarity = self.box, self.clarity
        points = [value for point in self.landmarks for value in point] or [nan] * 10
        measures = [nan] * 4
        if clarity:
            measures = [clarity.brightness, clarity.contrast, clarity.sharpness, clarity.clipped]
        return [self.confidence, box.x, box.y, box.width, box.height, *points, *measures]

    def moved(self, x: float, y: float) -> "Detection":
        """The same face ``x`` pixels further right and ``y`` further down."""
        box = Box(self.box.x + x, self.box.y + y, self.box.width, self.box.height)
        points = tuple((point_x + x, point_y + y) for point_x, point_y in self.landmarks)
        return Detection(box, self.confidence, points, self.clarity)

    def scaled(self, x: float, y: float) -> "Detection":
        """The same face in an image that is ``x`` times as wide and ``y`` times as high."""
        box = Box(self.box.x * x, self.box.y * y, self.box.width * x, self.box.height * y)
        points = tuple((point_x * x, point_y * y) for point_x, point_y in self.landmarks)
        return Detection(box, self.confidence, points, self.clarity)


@dataclass(frozen=True)
class Skipped:
    """A line of errors.csv: what is missing from the tables and why, or what users should know about a file."""

    file: str
    """The source's name; for a photo ``source name/file name``."""
    reason: str
    severity: Severity = Severity.LOST

    @property
    def rows_kept(self) -> bool:
        """Whether the tables hold what could be read."""
        return self.severity is not Severity.LOST

    @property
    def is_note(self) -> bool:
        """Whether nothing is missing because of it."""
        return self.severity is Severity.NOTE


@dataclass(frozen=True)
class ScannedFrames:
    """Some consecutive frames of a chunk and the faces found in them: M frames, F faces in frame order.

    Small enough, once classified, that those of a whole video fit into memory.
    """

    times: tuple[FrameTime, ...]
    """Of the M frames."""
    sampled: np.ndarray
    """(M,) bool: whether each frame was searched for faces. Of the others only the scene is known."""
    sizes: np.ndarray
    """(M, 2) int64: the frames' widths and heights in upright square pixels."""
    scenes: np.ndarray
    """(M, 16, 16) uint8: :func:`fer_batch.media.frame.scene` of each frame."""
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

    @property
    def sampled_frames(self) -> int:
        """Number of frames that were searched for faces."""
        return int(np.count_nonzero(self.sampled))


@dataclass(frozen=True)
class Scenes:
    """The scenes of N decoded frames of a video, sampled or not, in the order of their times."""

    numbers: np.ndarray
    """(N,) int64: frame numbers."""
    seconds: np.ndarray
    """(N,) float64: when each frame begins; NaN: unknown."""
    images: np.ndarray
    """(N, 16, 16) uint8: :func:`fer_batch.media.frame.scene` of each frame."""


@dataclass(frozen=True)
class FrameFaces:
    """One frame and all its faces, before a view of the model and thresholds are applied."""

    time: FrameTime
    size: tuple[int, int]
    """Width and height in upright square pixels, the unit of boxes."""
    scene: np.ndarray
    """(16, 16) uint8: :func:`fer_batch.media.frame.scene` of the frame."""
    detections: tuple[Detection, ...]
    shares: np.ndarray
    """(faces, 2, 7) float32: views, emotions."""


@dataclass(frozen=True)
class Face:
    """A face in one frame, with its number within the source and the shares of the emotions."""

    face_id: int
    """The number of its track in the video, or its position from the left in the photo. It does not say who it is."""
    detection: Detection
    shares: np.ndarray
    """(7,) float32 in the order of EMOTIONS, summing to 1."""
    quality: float = 1.0
    """How well its expression can be read from its crop, 0 to 1: see :mod:`fer_batch.detection.quality`."""
    spurious: bool = False
    """It was found in a single frame, but not in the frames around it: probably not a face."""


@dataclass(frozen=True)
class TrackedFrame:
    """One frame and its faces. A frame without faces has an empty tuple."""

    time: FrameTime
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class Episode:
    """A period during which a face shows an expression."""

    file: str
    face_id: int | None
    person: str
    """The name from people.csv; empty: the face has none."""
    emotion: str
    start: float
    """Seconds of the video, like all times here."""
    stop: float
    mean: float
    """Mean share of the emotion, weighted by time."""
    peak: float
    """The largest share."""
    peak_time: float
    """Start of the frame with the largest share."""


@dataclass(frozen=True)
class Summary:
    """The summary of one face of a video, or of all the faces in a folder of photos."""

    file: str
    kind: Kind
    face_id: int | None
    """None: all the faces of a folder."""
    person: str
    """The name from people.csv; empty: the face has none."""
    faces: int
    """Number of timeline rows that are summarized."""
    first_seen: float | None
    """Start of the first row, in seconds of the video; None for photos, and if times are unknown."""
    last_seen: float | None
    """End of the last row, in seconds of the video; None as above."""
    seconds_visible: float | None
    gaps: int | None
    """Number of periods without the face between ``first_seen`` and ``last_seen``. No values are filled in for them."""
    seconds_missing: float | None
    """Sum of the gaps' durations."""
    means: np.ndarray
    """(7,) float64: mean of each share, in the order of EMOTIONS; they sum to 1."""
    strongest: np.ndarray
    """(7,) float64: for each emotion the share of time, or of faces, in which it is the strongest; they sum to 1."""
    valence: float
    """Mean of the derived valence, -1 to 1."""
    episodes: int | None
    """Number of episodes; None for photos, and if times are unknown."""
    role: str = ""
    """The person's role from people.csv."""
    group: str = ""
    """The person's group from people.csv."""
    changes: np.ndarray | None = None
    """(7,) float64: the means minus those of the face's own baseline; None: it has no baseline."""
    valence_change: float | None = None
    """The valence minus that of the baseline; None as above."""
    faces_left_out: int = 0
    """Number of timeline rows of the same face, or of the same folder, that are not summarized."""
    seconds_left_out: float | None = None
    """Sum of their durations; None as ``seconds_visible``."""

    @property
    def without_neutral(self) -> np.ndarray | None:
        """(6,) float64: ``strongest`` for the time in which it is not neutral; None: it is always neutral."""
        six = np.delete(self.strongest, NEUTRAL)
        return six / six.sum() if six.sum() > 0 else None

    @property
    def episodes_per_minute(self) -> float | None:
        """Episodes per minute of visible time; None: unknown."""
        if self.episodes is None or not self.seconds_visible:
            return None
        return self.episodes / self.seconds_visible * 60


@dataclass(frozen=True)
class Outcome:
    """The result of one source that has a timeline."""

    source: Source
    frames: int
    """Number of frames, or photos, that were analysed."""
    frames_with_face: int
    """Of these, those with a face that is summed up."""
    faces: int
    """Number of timeline rows that are summed up."""
    seconds: float | None
    """Sum of the frames' durations; None for photos, and if times are unknown."""
    facts: dict[str, Any]
    """Properties of the media file, ready for JSON."""
    skipped: tuple[Skipped, ...]
    tracks: int | None = None
    """Number of a video's faces, each followed from frame to frame, of which anything is summed up; None for photos."""
    left_out: tuple[LeftOut, ...] = ()
    """What is not summed up."""
    perhaps: tuple[tuple[int, int], ...] = ()
    """Numbers of faces of a video that begin after a cut, each with that of an earlier one that may be the same; before
    people.csv joins any."""

    @property
    def timeline(self) -> str:
        """Path of the timeline, relative to the output folder."""
        return f"timelines/{self.source.output}.csv"
