"""Scan a chunk: decode its frames, find the faces in them, and cut the crops out. Needs no classifier."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, inf

import cv2
import numpy as np

from fer_batch.detection import crop, looks, quality, schedule
from fer_batch.detection.base import Detector
from fer_batch.detection.looks import Region
from fer_batch.media import photos
from fer_batch.media.frame import Frame, FrameImage, ReadItem, UnsampledFrame, scene
from fer_batch.media.video import reader
from fer_batch.types import Box, Chunk, Detection, FrameTime, Kind, ScannedFrames, Severity, Skipped


def scan_chunk(
    chunk: Chunk,
    detector: Detector,
    min_confidence: float,
    detect_every: int | None,
    region: Region | None = None,
    *,
    min_face: int | None = None,
    cropped: bool = False,
) -> Iterator[ScannedFrames | Skipped | None]:
    """Every frame of the chunk, a few at a time, sampled ones with the faces in them; what could not be read; or None.

    None only shows that it goes on.

    Args:
        chunk: what to scan.
        detector: finds the faces.
        min_confidence: least score of a face, 0 to 1.
        detect_every: greatest number of frames from one full-frame detection to the next; None: no limit but time.
        region: if given, only faces whose centre lies in it are found.
        min_face: height in pixels of the smallest face to look for; None: as fast as by default.
        cropped: take each photo file as one face.

    Raises:
        reader.IndexMismatch: a stretch of a video, decoded on its own, is not what the video's index lists.
        MediaError: nothing of the chunk can be read.
    """
    source = chunk.source
    scanner = FrameScanner(detector, min_confidence, source.kind, region, min_face)
    if source.in_photo_files:
        in_full = not cropped and (source.kind is Kind.VIDEO or min_face is not None)
        items = photos.read(chunk, None if in_full else looks.DEFAULT_SIDES[Kind.PHOTOS])
    else:
        items = reader.read(chunk)
    if cropped and source.in_photo_files:
        yield from _scan_each(items, _whole)
    elif source.kind is Kind.VIDEO:
        yield from _scan_video(scanner.checked(chunk, items), scanner, detect_every)
    else:
        yield from _scan_each(scanner.checked(chunk, items), scanner.alone)


def _scan_each(
    items: Iterator[ReadItem], find: Callable[[FrameImage], schedule.Search]
) -> Iterator[ScannedFrames | Skipped | None]:
    """Photos, each by itself."""
    for item in items:
        if isinstance(item, Frame):
            yield _scanned([item], [(yield from find(item.image))])
        elif not isinstance(item, UnsampledFrame):  # which photos do not have
            yield item


def _whole(image: FrameImage) -> schedule.Search:
    """The face that an image shows that was cut out already; nobody has found it, so its score is 1."""
    yield
    return [Detection(crop.box_of_crop(image.width, image.height), 1.0)]


class FrameScanner:
    """Runs the detector on full frames or a region of them, and on squares in them."""

    def __init__(
        self, detector: Detector, min_confidence: float, kind: Kind, region: Region | None, min_face: int | None
    ) -> None:
        self._detect = partial(detector.detect, min_confidence=min_confidence)
        self._kind = kind
        self._region = region
        self._min_face = min_face
        self._pieces = 1
        """Number of images in which the last full frame was searched."""

    def full_frame(self, frame_image: FrameImage) -> schedule.Search:
        """Every face in the frame or region, in pixels of the upright frame."""
        width, height = frame_image.width, frame_image.height
        part = (self._region or Region(0, 0, width, height)).within(width, height)
        if part is None:
            return []
        first, *finer = looks.of_frame(self._kind, part.width, part.height, self._min_face)
        self._pieces = 0
        found, last = (yield from self._look(frame_image, part, first)), first
        for look in finer:
            sure_height = looks.SURE_HEIGHT * max(part.width, part.height) / last.side
            found, last = looks.merge(found, (yield from self._look(frame_image, part, look)), sure_height), look
        return [face for face in found if self._region is None or part.holds(face.box)]

    def alone(self, frame_image: FrameImage) -> schedule.Search:
        """Every face in a frame of which no frame before is known, with the box that it has in a square."""
        found = yield from self.full_frame(frame_image)
        if len(found) > self._crowd:
            return found
        return (yield from schedule.settled(found, partial(self.near, frame_image), kind=self._kind))

    @property
    def _crowd(self) -> int:
        """With more faces than this, the last full frame is a crowd; its faces keep the boxes that they have there."""
        return schedule.CROWD_FACES * self._pieces

    def _look(self, frame_image: FrameImage, part: Region, look: looks.Look) -> schedule.Search:
        """The faces in a part of a frame, scaled as ``look`` says, in pixels of the upright frame."""
        longest = max(frame_image.width, frame_image.height)
        image = frame_image.rgb(ceil(look.side * longest / max(part.width, part.height)))
        scale_x, scale_y = frame_image.width / image.shape[1], frame_image.height / image.shape[0]
        left, top = round(part.x / scale_x), round(part.y / scale_y)
        right, bottom = round((part.x + part.width) / scale_x), round((part.y + part.height) / scale_y)
        inside = image[top : max(bottom, top + 1), left : max(right, left + 1)]
        height, width = inside.shape[:2]
        tiles = looks.tiles(width, height, look)
        self._pieces += len(tiles)
        found: list[Detection] = []
        for tile in tiles:
            yield
            piece = inside[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
            shrink = 1 / look.enlargement
            faces = (face.scaled(shrink, shrink) for face in self._detect(_enlarged(piece, look.enlargement)))
            in_image = (face.moved(tile.x, tile.y) for face in faces)
            found.extend(face for face in in_image if not tile.cuts(face.box, width, height))
        if len(tiles) > 1:
            found = looks.distinct(found)
        return [face.moved(left, top).scaled(scale_x, scale_y) for face in found]

    def between(
        self, before: Sequence[Detection], frames: Sequence[Frame]
    ) -> Generator[None, None, list[list[Detection]]]:
        """The faces in ``frames``, the last of which gets a full-frame detection; ``before`` are those of the last one.

        See :func:`fer_batch.detection.schedule.detect_between`.
        """
        return schedule.detect_between(
            before,
            len(frames),
            full_frame=lambda index: self.full_frame(frames[index].image),
            near=lambda index, expected: self.near(frames[index].image, expected),
            crowd=self._crowd,
        )

    def near(self, frame_image: FrameImage, expected: Box) -> Detection | None:
        """The face near the box where one is expected, if it is still in the region; None: there is none."""
        found: list[Detection] = []
        for scale, side in schedule.SEARCH_SQUARES:
            square = schedule.search_square(expected, scale, frame_image.width, frame_image.height)
            luma = frame_image.luma(inf)  # as it was decoded: a large photo is not decoded again for each face
            grey = crop.cut_square(luma, square.left, square.top, square.side, side)
            detections = self._detect(np.broadcast_to(grey[:, :, np.newaxis], (side, side, 3)))
            ratio = square.side / side
            in_frame = (face.scaled(ratio, ratio).moved(square.left, square.top) for face in detections)
            face = schedule.best_match(expected, in_frame)
            if face is not None:
                found.append(face)
                if face.confidence >= looks.CONFIDENT_SCORE:
                    break
        best = max(found, key=lambda face: face.confidence, default=None)
        return best if best is None or self._region is None or self._region.holds(best.box) else None

    def checked(self, chunk: Chunk, items: Iterator[ReadItem]) -> Iterator[ReadItem]:
        """The same items; before the first frame outside of which the region lies, a line: one a video, one a photo."""
        reported = set()
        for item in items:
            if isinstance(item, Frame) and self._region is not None:
                width, height = item.image.width, item.image.height
                is_video = chunk.source.kind is Kind.VIDEO
                name = chunk.source.name if is_video else f"{chunk.source.name}/{item.time.file}"
                if name not in reported and self._region.within(width, height) is None:
                    reported.add(name)
                    reason = f"The region lies outside the image, which has {width}x{height} pixels. Change --region."
                    yield Skipped(name, reason, Severity.PARTIAL)
            yield item


def _enlarged(image: np.ndarray, scale: float) -> np.ndarray:
    """The image ``scale`` times as large, in memory of its own order."""
    if scale == 1:
        return np.ascontiguousarray(image)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def _scan_video(
    items: Iterator[ReadItem], scanner: FrameScanner, detect_every: int | None
) -> Iterator[ScannedFrames | Skipped | None]:
    """Frames from one full-frame detection to the next, from the first frame to the last."""
    last_full: FrameTime | None = None
    known: list[Detection] = []
    waiting: list[Frame | UnsampledFrame] = []
    sampled: list[Frame] = []
    """Those of the waiting frames in which faces are to be found."""
    for item in items:
        if isinstance(item, UnsampledFrame):
            waiting.append(item)
            yield None
        elif not isinstance(item, Frame):
            yield item
        else:
            waiting.append(item)
            sampled.append(item)
            pixels = item.image.width * item.image.height
            if last_full is None:
                found = [(yield from scanner.alone(item.image))]
            elif schedule.full_frame_due(last_full, item.time, len(sampled), pixels, detect_every):
                found = yield from scanner.between(known, sampled)
            else:
                continue
            yield _scanned(waiting, found)
            last_full, known, waiting, sampled = item.time, found[-1], [], []
    if waiting:
        yield _scanned(waiting, (yield from scanner.between(known, sampled)) if sampled else [])


def _scanned(frames: Sequence[Frame | UnsampledFrame], found: Sequence[Sequence[Detection]]) -> ScannedFrames:
    """Frames with their scenes; ``found`` has the faces of each sampled one, which get their crops and clarity."""
    scenes: list[np.ndarray] = []
    sizes: list[tuple[int, int]] = []
    owners: list[int] = []
    crops: list[np.ndarray] = []
    each = iter(found)
    for index, frame in enumerate(frames):
        if isinstance(frame, UnsampledFrame):
            scenes.append(frame.scene)
            sizes.append(frame.size)
            continue
        detections = next(each)
        luma = frame.image.luma(min((face.box.height for face in detections), default=inf))
        scenes.append(scene(luma))
        sizes.append((frame.image.width, frame.image.height))
        owners.extend(index for _ in detections)
        crops.extend(crop.cut(luma, face.box) for face in detections)
    all_faces = (face for detections in found for face in detections)
    rows = [
        replace(face, clarity=quality.clarity(face_crop)).as_row()
        for face, face_crop in zip(all_faces, crops, strict=True)
    ]
    return ScannedFrames(
        times=tuple(frame.time for frame in frames),
        sampled=np.array([isinstance(frame, Frame) for frame in frames]),
        sizes=np.array(sizes),
        scenes=np.stack(scenes),
        owners=np.array(owners, np.int64),
        faces=np.array(rows, np.float64).reshape(-1, Detection.ROW_LENGTH),
        crops=np.stack(crops) if crops else np.empty((0, crop.CROP_SIDE, crop.CROP_SIDE), np.uint8),
    )
