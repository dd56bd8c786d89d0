"""Scan a chunk: decode its frames, find the faces in them, and cut the crops out. Needs no classifier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf

import numpy as np

from fer_batch.detection import crop, quality, schedule
from fer_batch.detection.base import Detector
from fer_batch.media import photos
from fer_batch.media.frame import Frame, FrameImage, ReadItem, scene
from fer_batch.media.video import reader
from fer_batch.types import Box, Chunk, Detection, FrameTime, Kind, ScannedFrames, Severity, Skipped


@dataclass(frozen=True)
class Region:
    """A rectangle in whole pixels of the upright image."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Region | None":
        """The part of it that lies in an image of that size; None: it lies outside."""
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        if right <= self.x or bottom <= self.y:
            return None
        return Region(self.x, self.y, right - self.x, bottom - self.y)

    def holds(self, box: Box) -> bool:
        """Whether a face belongs to it: its centre does."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


def scan_chunk(
    chunk: Chunk,
    detector: Detector,
    min_confidence: float,
    detect_every: int | None,
    region: Region | None = None,
    *,
    cropped: bool = False,
) -> Iterator[ScannedFrames | Skipped | None]:
    """Every sampled frame of the chunk with the faces in it, a few frames at a time; what could not be read; or None.

    None only shows that decoding goes on.

    Args:
        chunk: what to scan.
        detector: finds the faces.
        min_confidence: least score of a face, 0 to 1.
        detect_every: greatest number of frames from one full-frame detection to the next; None: no limit but time.
        region: if given, only faces whose centre lies in it are found.
        cropped: take each photo file as one face.

    Raises:
        reader.IndexMismatch: a stretch of a video, decoded on its own, is not what the video's index lists.
        MediaError: nothing of the chunk can be read.
    """
    source = chunk.source
    longest_side = schedule.longest_side(source.kind)
    scanner = (
        _FrameScanner(detector, min_confidence, longest_side)
        if region is None
        else _RegionScanner(detector, min_confidence, longest_side, region)
    )
    if not source.in_photo_files:
        items = reader.read(chunk)
    else:  # of a video's frames, squares are searched at full size
        items = photos.read(chunk, longest_side if cropped or source.kind is Kind.PHOTOS else None)
    if cropped and source.in_photo_files:
        for item in items:
            yield _scanned([item], [[_whole(item.image)]]) if isinstance(item, Frame) else item
    elif source.kind is Kind.VIDEO:
        yield from _scan_video(scanner.checked(chunk, items), scanner, detect_every)
    else:
        for item in scanner.checked(chunk, items):
            yield _scanned([item], [scanner.full_frame(item.image)]) if isinstance(item, Frame) else item


def _whole(image: FrameImage) -> Detection:
    """The face that an image shows that was cut out already; nobody has found it, so its score is 1."""
    return Detection(crop.box_of_crop(image.width, image.height), 1.0)


class _FrameScanner:
    """Runs the detector on full frames, or on squares of them."""

    def __init__(self, detector: Detector, min_confidence: float, longest_side: int) -> None:
        self._detect = partial(detector.detect, min_confidence=min_confidence)
        self._longest_side = longest_side

    def full_frame(self, frame_image: FrameImage) -> list[Detection]:
        """Every face, in pixels of the upright frame."""
        image = frame_image.rgb(self._longest_side)
        scale_x, scale_y = frame_image.width / image.shape[1], frame_image.height / image.shape[0]
        return [face.scaled(scale_x, scale_y) for face in self._detect(image)]

    def checked(self, chunk: Chunk, items: Iterator[ReadItem]) -> Iterator[ReadItem]:  # noqa: ARG002
        """The same items, and a line about frames that cannot be scanned as asked."""
        return items

    def between(self, before: Sequence[Detection], frames: Sequence[Frame]) -> list[list[Detection]]:
        """The faces in ``frames``, the last of which gets a full-frame detection; ``before`` are those of the last one.

        See :func:`fer_batch.detection.schedule.detect_between`.
        """
        return schedule.detect_between(
            before,
            len(frames),
            full_frame=lambda index: self.full_frame(frames[index].image),
            near=lambda index, expected: self.near(frames[index].image, expected),
        )

    def near(self, frame_image: FrameImage, expected: Box) -> Detection | None:
        """The face near the box where one is expected; None: there is none."""
        found: list[Detection] = []
        for scale, side in schedule.SEARCH_SQUARES:
            square = schedule.search_square(expected, scale, frame_image.width, frame_image.height)
            luma = frame_image.luma(expected.height)
            grey = crop.cut_square(luma, square.left, square.top, square.side, side)
            detections = self._detect(np.broadcast_to(grey[:, :, np.newaxis], (side, side, 3)))
            ratio = square.side / side
            in_frame = (face.scaled(ratio, ratio).moved(square.left, square.top) for face in detections)
            face = schedule.best_match(expected, in_frame)
            if face is not None:
                found.append(face)
                if face.confidence >= schedule.CONFIDENT_SCORE:
                    break
        return max(found, key=lambda face: face.confidence, default=None)


class _RegionScanner(_FrameScanner):
    """Scans only a region of each frame, and leaves out faces whose centre lies elsewhere."""

    def __init__(self, detector: Detector, min_confidence: float, longest_side: int, region: Region) -> None:
        super().__init__(detector, min_confidence, longest_side)
        self._region = region

    def full_frame(self, frame_image: FrameImage) -> list[Detection]:
        """Every face in the region, in pixels of the upright frame."""
        part = self._region.within(frame_image.width, frame_image.height)
        if part is None:
            return []
        longest = max(frame_image.width, frame_image.height)
        image = frame_image.rgb(ceil(self._longest_side * longest / max(part.width, part.height)))
        scale_x, scale_y = image.shape[1] / frame_image.width, image.shape[0] / frame_image.height
        left, top = round(part.x * scale_x), round(part.y * scale_y)
        right, bottom = round((part.x + part.width) * scale_x), round((part.y + part.height) * scale_y)
        inside = np.ascontiguousarray(image[top : max(bottom, top + 1), left : max(right, left + 1)])
        found = (face.moved(left, top).scaled(1 / scale_x, 1 / scale_y) for face in self._detect(inside))
        return [face for face in found if part.holds(face.box)]

    def near(self, frame_image: FrameImage, expected: Box) -> Detection | None:
        """The face near the box where one is expected, if it is still in the region."""
        found = super().near(frame_image, expected)
        return found if found is not None and self._region.holds(found.box) else None

    def checked(self, chunk: Chunk, items: Iterator[ReadItem]) -> Iterator[ReadItem]:
        """The same items; before the first frame outside of which the region lies, a line: one a video, one a photo."""
        reported = set()
        for item in items:
            if isinstance(item, Frame):
                width, height = item.image.width, item.image.height
                is_video = chunk.source.kind is Kind.VIDEO
                name = chunk.source.name if is_video else f"{chunk.source.name}/{item.time.file}"
                if name not in reported and self._region.within(width, height) is None:
                    reported.add(name)
                    reason = f"The region lies outside the image, which has {width}x{height} pixels. Change --region."
                    yield Skipped(name, reason, Severity.PARTIAL)
            yield item


def _scan_video(
    items: Iterator[ReadItem], scanner: _FrameScanner, detect_every: int | None
) -> Iterator[ScannedFrames | Skipped | None]:
    """Frames from one full-frame detection to the next, from the first frame to the last."""
    last_full: FrameTime | None = None
    known: list[Detection] = []
    waiting: list[Frame] = []
    for item in items:
        if not isinstance(item, Frame):
            yield item
        elif last_full is None:
            last_full, known = item.time, scanner.full_frame(item.image)
            yield _scanned([item], [known])
        else:
            waiting.append(item)
            pixels = item.image.width * item.image.height
            if schedule.full_frame_due(last_full, item.time, len(waiting), pixels, detect_every):
                found = scanner.between(known, waiting)
                yield _scanned(waiting, found)
                last_full, known, waiting = item.time, found[-1], []
    if waiting:
        yield _scanned(waiting, scanner.between(known, waiting))


def _scanned(frames: Sequence[Frame], found: Sequence[Sequence[Detection]]) -> ScannedFrames:
    """Frames with their faces, and each face's crop and clarity."""
    scenes: list[np.ndarray] = []
    crops: list[np.ndarray] = []
    for frame, detections in zip(frames, found, strict=True):
        luma = frame.image.luma(min((face.box.height for face in detections), default=inf))
        scenes.append(scene(luma))
        crops.extend(crop.cut(luma, face.box) for face in detections)
    all_faces = (face for detections in found for face in detections)
    rows = [
        replace(face, clarity=quality.clarity(face_crop)).as_row()
        for face, face_crop in zip(all_faces, crops, strict=True)
    ]
    return ScannedFrames(
        times=tuple(frame.time for frame in frames),
        sizes=np.array([(frame.image.width, frame.image.height) for frame in frames]),
        scenes=np.stack(scenes),
        owners=np.repeat(np.arange(len(frames)), [len(detections) for detections in found]),
        faces=np.array(rows, np.float64).reshape(-1, Detection.ROW_LENGTH),
        crops=np.stack(crops) if crops else np.empty((0, crop.CROP_SIDE, crop.CROP_SIDE), np.uint8),
    )
