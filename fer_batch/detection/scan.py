"""See a chunk: decode its frames, find the faces, cut them out. Needs no classifier."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil, inf

import numpy as np

from fer_batch.detection import crop as faces
from fer_batch.detection import quality, schedule
from fer_batch.detection.base import Detector
from fer_batch.media import photos
from fer_batch.media.frame import Frame, FrameImage, scene
from fer_batch.media.video import reader
from fer_batch.types import Box, Chunk, Detection, Kind, Sightings, Skipped


@dataclass(frozen=True)
class Region:
    """A rectangle in whole pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Region | None":
        """The part of it that lies in a picture of that size; None: it lies outside."""
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        if right <= self.x or bottom <= self.y:
            return None
        return Region(self.x, self.y, right - self.x, bottom - self.y)

    def holds(self, box: Box) -> bool:
        """Whether a face belongs to it: its centre does."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


READERS: dict[Kind, Callable[[Chunk, list[Skipped], Callable[[], object]], Iterator[Frame]]] = {
    Kind.PHOTOS: photos.read,
    Kind.VIDEO: reader.read,
}


@dataclass(frozen=True)
class Decoding:
    """Frames as they come, and what could not be read, known once they have all come."""

    frames: Iterator[Frame]
    skipped: list[Skipped] = field(default_factory=list)


def decode(chunk: Chunk, alive: Callable[[], object]) -> Decoding:
    """The chunk's frames in presentation order.

    What cannot be read is added to ``skipped`` while the frames are drawn, and the rest still comes. ``alive`` is
    called for everything that is decoded, also what comes before the first frame that is looked at.

    Raises (while frames are drawn):
        films.Misaligned: a stretch of a film, decoded on its own, is not what the film's index announces.
        MediaError: the film cannot be opened.
    """
    skipped: list[Skipped] = []
    return Decoding(READERS[chunk.source.kind](chunk, skipped, alive), skipped)


def see(
    chunk: Chunk,
    detector: Detector,
    min_confidence: float,
    detect_every: int | None,
    alive: Callable[[], object],
    region: Region | None = None,
) -> Generator[Sightings, None, tuple[Skipped, ...]]:
    """Every frame of the chunk and every face in it whose score is at least ``min_confidence``, a few at a time.

    ``detect_every`` is the most frames from one look at a whole frame to the next, ``alive`` is called for everything
    that is decoded; only faces in ``region`` are looked for, if it is given. What could not be read, and pictures that
    lie outside of the region, are returned in the end.

    Raises:
        MediaError: nothing of the chunk can be read, or it is not what its film's index announced.
    """
    decoding = decode(chunk, alive)
    longest_side = schedule.longest_side(chunk.source.kind)
    eye = (
        _FrameScanner(detector, min_confidence, longest_side)
        if region is None
        else _RegionScanner(detector, min_confidence, longest_side, region)
    )
    frames = eye.warned(chunk, decoding.frames, decoding.skipped)
    if chunk.source.kind is Kind.VIDEO:
        yield from _video(frames, eye, detect_every)
    else:
        for frame in frames:
            yield _scanned([frame], [eye.whole(frame.image)])
    return tuple(decoding.skipped)


class _FrameScanner:
    """The detector, looking at all of a picture or at a square of it."""

    def __init__(self, detector: Detector, min_confidence: float, longest_side: int) -> None:
        self._detect = partial(detector.detect, min_confidence=min_confidence)
        self._longest_side = longest_side

    def whole(self, frame_image: FrameImage) -> list[Detection]:
        """Every face, in pixels of the upright frame."""
        image = frame_image.rgb(self._longest_side)
        x, y = frame_image.width / image.shape[1], frame_image.height / image.shape[0]
        return [one.scaled(x, y) for one in self._detect(image)]

    def warned(self, chunk: Chunk, frames: Iterator[Frame], skipped: list[Skipped]) -> Iterator[Frame]:  # noqa: ARG002
        """The same frames; what is to be said of any of them is added to ``skipped``."""
        return frames

    def between(self, before: Sequence[Detection], frames: Sequence[Frame]) -> list[list[Detection]]:
        """The faces in frames up to the next whole look, after the one that found ``before``."""
        return schedule.between(
            before,
            len(frames),
            whole=lambda at: self.whole(frames[at].image),
            near=lambda at, expected: self.near(frames[at].image, expected),
        )

    def near(self, frame_image: FrameImage, expected: Box) -> Detection | None:
        """The face around the place where one is expected."""
        found: list[Detection] = []
        for scale, side in schedule.SQUARES:
            place = schedule.square(expected, scale, frame_image.width, frame_image.height)
            grey = faces.cut_square(frame_image.luma(expected.height), place.left, place.top, place.side, side)
            shrunk = place.side / side
            seen = self._detect(np.broadcast_to(grey[:, :, np.newaxis], (side, side, 3)))
            in_frame = (one.scaled(shrunk, shrunk).moved(place.left, place.top) for one in seen)
            face = schedule.chosen(expected, in_frame)
            if face is not None:
                found.append(face)
                if face.confidence >= schedule.SURE:
                    break
        return max(found, key=lambda one: one.confidence, default=None)


class _RegionScanner(_FrameScanner):
    """An eye that sees a part of each picture, and takes no notice of faces whose centre is elsewhere."""

    def __init__(self, detector: Detector, min_confidence: float, longest_side: int, region: Region) -> None:
        super().__init__(detector, min_confidence, longest_side)
        self._region = region

    def whole(self, frame_image: FrameImage) -> list[Detection]:
        """Every face in the region, in pixels of the upright frame."""
        part = self._region.within(frame_image.width, frame_image.height)
        if part is None:
            return []
        enough = ceil(self._longest_side * max(frame_image.width, frame_image.height) / max(part.width, part.height))
        image = frame_image.rgb(enough)
        across, down = image.shape[1] / frame_image.width, image.shape[0] / frame_image.height
        left, top = round(part.x * across), round(part.y * down)
        right, bottom = round((part.x + part.width) * across), round((part.y + part.height) * down)
        seen = np.ascontiguousarray(image[top : max(bottom, top + 1), left : max(right, left + 1)])
        found = (one.moved(left, top).scaled(1 / across, 1 / down) for one in self._detect(seen))
        return [one for one in found if part.holds(one.box)]

    def near(self, frame_image: FrameImage, expected: Box) -> Detection | None:
        """The face around the place where one is expected, if it is still in the region."""
        found = super().near(frame_image, expected)
        return found if found is not None and self._region.holds(found.box) else None

    def warned(self, chunk: Chunk, frames: Iterator[Frame], skipped: list[Skipped]) -> Iterator[Frame]:
        """The same frames; for a picture outside of the region a line is added to ``skipped``, once a film."""
        told = set()
        for frame in frames:
            width, height = frame.image.width, frame.image.height
            name = chunk.source.name if chunk.source.kind is Kind.VIDEO else f"{chunk.source.name}/{frame.time.file}"
            if name not in told and self._region.within(width, height) is None:
                told.add(name)
                reason = f"The region lies outside of the picture, which has {width}x{height} pixels. Change --region."
                skipped.append(Skipped(name, reason, rows_kept=True))
            yield frame


def _video(frames: Iterator[Frame], eye: _FrameScanner, detect_every: int | None) -> Iterator[Sightings]:
    """Frames from one whole look to the next, from the first frame to the last."""
    first = next(frames, None)
    if first is None:
        return
    last, known = first.time, eye.whole(first.image)
    yield _scanned([first], [known])
    waiting: list[Frame] = []
    for frame in frames:
        waiting.append(frame)
        pixels = frame.image.width * frame.image.height
        if schedule.due(last, frame.time, len(waiting), pixels, detect_every):
            found = eye.between(known, waiting)
            yield _scanned(waiting, found)
            last, known, waiting = frame.time, found[-1], []
    if waiting:
        yield _scanned(waiting, eye.between(known, waiting))


def _scanned(frames: Sequence[Frame], found: Sequence[Sequence[Detection]]) -> Sightings:
    """What is in these frames, with every face cut out."""
    scenes: list[np.ndarray] = []
    crops: list[np.ndarray] = []
    for frame, detections in zip(frames, found, strict=True):
        luma = frame.image.luma(min((one.box.height for one in detections), default=inf))
        scenes.append(scene(luma))
        crops.extend(faces.cut(luma, one.box) for one in detections)
    seen = (one for detections in found for one in detections)
    return Sightings(
        tuple(frame.time for frame in frames),
        np.array([(frame.image.width, frame.image.height) for frame in frames]),
        np.stack(scenes),
        np.repeat(np.arange(len(frames)), [len(detections) for detections in found]),
        tuple(replace(one, clarity=quality.clarity(crop)) for one, crop in zip(seen, crops, strict=True)),
        np.stack(crops) if crops else np.empty((0, faces.SIDE, faces.SIDE), np.uint8),
    )
