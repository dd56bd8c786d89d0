"""What a worker does that writes films and photos anew: search them for faces that are to be hidden, draw, encode."""

import errno
import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import cv2
import numpy as np

from fer_batch import detection
from fer_batch.detection import looks
from fer_batch.detection.base import Detector
from fer_batch.detection.scan import FrameScanner
from fer_batch.drawing import film, photo
from fer_batch.drawing.canvas import Canvas
from fer_batch.drawing.encoders import Encoder
from fer_batch.drawing.film import Film
from fer_batch.drawing.hiding import LEAST_SCORE, hidden
from fer_batch.drawing.shown import COLUMNS, Shown
from fer_batch.drawing.styles import draw
from fer_batch.errors import MediaError
from fer_batch.exports.tiers import name_of
from fer_batch.media.frame import FrameImage
from fer_batch.media.photos import PhotoImage
from fer_batch.media.video.index import reading_index, words
from fer_batch.output.csv import read_table
from fer_batch.output.files import cannot_write
from fer_batch.output.schema import WIDEST
from fer_batch.pipeline.contents import reading_content
from fer_batch.pipeline.executors.base import FramesScanned
from fer_batch.types import Box, Detection, FrameTime, Kind, Source

if TYPE_CHECKING:
    import pandas as pd

FINE_EVERY = 5
"""In each of so many frames, smaller faces are searched for, too: in a picture of 960 pixels."""

SMALLEST_PART = 80
"""In photos, faces down to this part of the longest side are searched for."""

WRITE_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT}
)

CHANGED = "It was changed since it was analysed, so that boxes may be elsewhere. Run `fer-batch analyze` again."


@dataclass(frozen=True)
class DrawFilm:
    """Write a video anew."""

    name: str
    path: Path
    digest: str
    timeline: Path
    out: Path
    file: str
    """Relative to ``out``."""
    key: str
    """Of all that decides what the file holds."""
    container: str
    steps: int
    """Frames that are read, for a meter."""

    @property
    def parts(self) -> Sequence[Path]:
        """The paths of unfinished files."""
        return (_part(self.out, self.file),)


@dataclass(frozen=True)
class Photo:
    """A photo that is to be written anew."""

    number: int
    """Its rank in the folder, as in the timeline."""
    name: str
    path: Path
    digest: str
    file: str
    key: str


@dataclass(frozen=True)
class DrawPhotos:
    """Write some photos of a folder anew."""

    name: str
    photos: tuple[Photo, ...]
    timeline: Path
    out: Path
    fps: float | None
    """If they are the frames of a video: frames a second."""

    @property
    def steps(self) -> int:
        """Photos, for a meter."""
        return len(self.photos)

    @property
    def parts(self) -> Sequence[Path]:
        """The paths of unfinished files."""
        return [_part(self.out, photo.file) for photo in self.photos]


@dataclass(frozen=True)
class Drawn:
    """A file that was made, or why it was not."""

    name: str
    file: str
    key: str
    part: Path
    sha256: str = ""
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class AnnotatorSetup:
    """All that a worker needs to know; small, to be sent to other processes."""

    style: str | None
    emotions: tuple[str, ...]
    way: str | None
    """How faces are hidden; None: they are not."""
    min_face: int | None
    encoder: Encoder
    threads: int
    """Of an encoder."""

    def __call__(self) -> "Annotator":
        """Make a worker."""
        return Annotator(self)


class Annotator:
    """Implements :class:`fer_batch.pipeline.executors.base.Worker`."""

    def __init__(self, setup: AnnotatorSetup) -> None:
        self._setup = setup
        cv2.setNumThreads(1)

    @cached_property
    def _detector(self) -> Detector:
        return detection.make(detection.DEFAULT)

    def perform(self, task: DrawFilm | DrawPhotos) -> Generator[Any, None, None]:
        """Do a task; its parts are :class:`Drawn`.

        Raises:
            MediaError: a video cannot be read, or was changed.
            OutputError: a file cannot be written.
        """
        if isinstance(task, DrawFilm):
            yield from self._film(task)
        else:
            yield from self._photos(task)

    def _film(self, task: DrawFilm) -> Generator[Any, None, None]:
        yield from _check(task.path, task.digest)
        source = Source(Kind.VIDEO, task.name, (task.path,), task.file)
        index = yield from reading_index(task.path)
        read = Film.of(source, index)
        shown = self._shown(read_table(task.timeline, WIDEST, COLUMNS))
        places: dict[int, list[Box]] = {}
        if self._setup.way is not None:
            places = yield from self._places(read, shown)
        part = _part(task.out, task.file)
        with _writing(task.out / task.file, self._setup.encoder.name):
            part.parent.mkdir(parents=True, exist_ok=True)
            writing = film.write(
                read,
                part,
                task.container,
                self._setup.encoder,
                lambda time, canvas: self._paint(canvas, time, shown, places.get(time.number, [])),
                anonymous=self._setup.way is not None,
                threads=self._setup.threads,
            )
            while True:
                try:
                    is_frame = next(writing)
                except StopIteration as end:
                    notes: list[str] = end.value
                    break
                yield FramesScanned(1) if is_frame else None
            drawn = Drawn(task.name, task.file, task.key, part, _digest(part), tuple(notes))
        yield drawn

    def _places(self, read: Film, shown: Shown) -> Generator[Any, None, dict[int, list[Box]]]:
        """What is to be hidden in each frame, by its number."""
        found: list[list[Detection]] = []
        numbers: list[int] = []
        for item in read.frames():
            if not isinstance(item, tuple):
                yield None
                continue
            time, image = item
            faces = yield from self._search(image, Kind.VIDEO, fine=len(numbers) % FINE_EVERY == 0)
            known = _missed(shown.boxes(time.number), faces)
            found.append([Detection(face.box, face.confidence) for face in (*faces, *known)])  # no landmarks, for hours
            numbers.append(time.number)
            yield FramesScanned(1)
        seconds = read.seconds
        places = hidden(found, [seconds[number] for number in numbers])
        return dict(zip(numbers, places, strict=True))

    def _search(self, image: FrameImage, kind: Kind, *, fine: bool) -> Generator[None, None, list[Detection]]:
        """Every trace of a face in a picture."""
        scanner = partial(FrameScanner, self._detector, LEAST_SCORE, region=None, min_face=self._setup.min_face)
        faces = yield from scanner(kind).full_frame(image)
        if fine and self._setup.min_face is None and max(image.width, image.height) > looks.DEFAULT_SIDES[kind]:
            finer = yield from scanner(Kind.PHOTOS).full_frame(image)
            faces = looks.distinct([*faces, *finer])
        return faces

    def _photos(self, task: DrawPhotos) -> Generator[Any, None, None]:
        shown = self._shown(read_table(task.timeline, WIDEST, COLUMNS))
        places: dict[int, list[Box]] = {}
        if self._setup.way is not None and task.fps is not None:
            places = yield from self._places_in_frames(task, shown)
        for one in task.photos:
            part = _part(task.out, one.file)
            name = f"{task.name}/{one.name}"
            try:
                yield from _check(one.path, one.digest)
                pixels = photo.pixels_of(one.path)
                if self._setup.way is not None and task.fps is None:
                    faces = yield from self._faces_in_photo(pixels, one, shown)
                    places = {one.number: hidden([faces], [0.0])[0]}
            except MediaError as error:
                yield Drawn(name, one.file, one.key, part, problem=str(error))
                continue
            canvas = Canvas.of_photo(pixels)
            self._paint(canvas, FrameTime(one.name, one.number), shown, places.get(one.number, []))
            with _writing(task.out / one.file, self._setup.encoder.name):
                part.parent.mkdir(parents=True, exist_ok=True)
                photo.write(part, pixels, one.file)
                drawn = Drawn(name, one.file, one.key, part, _digest(part))
            yield drawn
            yield FramesScanned(1)

    def _places_in_frames(self, task: DrawPhotos, shown: Shown) -> Generator[Any, None, dict[int, list[Box]]]:
        """What is to be hidden in each photo of those that are the frames of a video."""
        found: list[list[Detection]] = []
        for one in task.photos:
            try:
                faces = yield from self._faces_in_photo(photo.pixels_of(one.path), one, shown)
            except MediaError:  # told of when it is drawn
                faces = []
            found.append(faces)
        places = hidden(found, [one.number / (task.fps or 1) for one in task.photos])
        return {one.number: here for one, here in zip(task.photos, places, strict=True)}

    def _faces_in_photo(self, pixels: np.ndarray, one: Photo, shown: Shown) -> Generator[None, None, list[Detection]]:
        height, width = pixels.shape[:2]
        image = PhotoImage(one.path, pixels, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), width, height)
        min_face = self._setup.min_face or max(1, ceil(max(width, height) / SMALLEST_PART))
        faces = yield from FrameScanner(self._detector, LEAST_SCORE, Kind.PHOTOS, None, min_face).full_frame(image)
        return [*faces, *_missed(shown.boxes(one.number), faces)]

    def _shown(self, timeline: "pd.DataFrame") -> Shown:
        """Who hides is not named."""
        return Shown(timeline, name_of if self._setup.way is None else lambda _, face_id: name_of("", face_id))

    def _paint(self, canvas: Canvas, time: FrameTime, shown: Shown, places: Sequence[Box]) -> None:
        for box in places:
            canvas.hide(box, self._setup.way or "")
        if self._setup.style is not None:
            draw(canvas, shown.at(time), self._setup.style, self._setup.emotions)


def _missed(boxes: Sequence[Box], faces: Sequence[Detection]) -> list[Detection]:
    """The faces of a timeline that a search has not found again."""
    return [
        Detection(box, 1.0) for box in boxes if all(box.overlap(face.box) <= looks.DUPLICATE_OVERLAP for face in faces)
    ]


def _check(path: Path, digest: str) -> Generator[None, None, None]:
    """Make sure that a file is the one that was analysed.

    Raises:
        MediaError: it is not.
    """
    content = yield from reading_content(path)
    if content.state is None:
        raise MediaError("It is not there any more, or cannot be read.")
    if content.digest != digest:
        raise MediaError(CHANGED)


@contextmanager
def _writing(path: Path, encoder: str) -> Iterator[None]:
    """Turn errors of writing into those of fer-batch.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
        MediaError: the encoder cannot do it.
    """
    try:
        yield
    except (OSError, av.error.FFmpegError, ValueError) as error:
        if getattr(error, "errno", None) in WRITE_ERRORS:
            raise cannot_write(path, cast("OSError", error)) from error
        raise MediaError(f"{encoder} cannot encode it: {words(error)}.") from error


def _part(out: Path, file: str) -> Path:
    path = out / file
    return path.with_name(f".{path.name}.part")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
