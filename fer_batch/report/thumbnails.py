"""Thumbnails of faces, cut from the videos and photos themselves when a report asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fer_batch.errors import FerBatchError
from fer_batch.media import photos
from fer_batch.media.frame import Frame
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.types import Box, Chunk, Kind, Source

SIDE = 112
"""Width and height of a thumbnail, in pixels."""

MARGIN = 1.5
"""A thumbnail's side, in heights of the face's box."""

BLURRED_SIDE = 7
"""Pixels to which an anonymous thumbnail is reduced before it is enlarged again; a face is then about five high."""

LONGEST_SIDE = 2048
"""Longest side of the image that thumbnails are cut from, in pixels."""

QUALITY = 80
"""JPEG quality, 0 to 100."""


def of_video(path: Path, faces: Mapping[int, tuple[int, Box]], *, anonymize: bool) -> dict[int, bytes]:
    """JPEGs by face_id; ``faces`` has the number of a frame that shows the face, and its box there.

    A face whose frame can no longer be read has none.
    """
    source = Source(Kind.VIDEO, path.name, (path,), path.name)
    cut: dict[int, bytes] = {}
    try:
        index = read_index(path)
        for level in sorted({reader.read_mode(index), reader.ReadMode.ORDER}, reverse=True):
            left = {face_id: place for face_id, place in faces.items() if face_id not in cut}
            for chunk in reader.plan(source, index, Sampling(), level):
                cut |= _of_chunk(chunk, left, anonymize)
    except (FerBatchError, OSError):
        pass  # the video is gone or can no longer be read: the report has no thumbnails of it
    return cut


def of_photo(path: Path, boxes: Sequence[Box], *, anonymize: bool) -> list[bytes]:
    """A JPEG for each box; empty if the photo can no longer be read."""
    try:
        photo = photos.open_photo(path, LONGEST_SIDE)
    except (FerBatchError, OSError):
        return []
    image = photo.rgb(LONGEST_SIDE)
    return [_thumbnail(image, box, image.shape[1] / photo.width, anonymize) for box in boxes]


def _of_chunk(chunk: Chunk, faces: Mapping[int, tuple[int, Box]], anonymize: bool) -> dict[int, bytes]:
    """JPEGs of the faces whose frame is in the chunk."""
    numbers = {number for number, _ in faces.values()}
    wanted = chunk.times and tuple(time for time in chunk.times if time.number in numbers)
    if wanted == () or not numbers:
        return {}
    cut: dict[int, bytes] = {}
    try:
        for frame in reader.read(replace(chunk, times=wanted, decoded=None)):
            if not isinstance(frame, Frame):
                continue
            here = [(face_id, box) for face_id, (number, box) in faces.items() if number == frame.time.number]
            if here:
                image = frame.image.rgb(LONGEST_SIDE)
                scale = image.shape[1] / frame.image.width
                cut |= {face_id: _thumbnail(image, box, scale, anonymize) for face_id, box in here}
    except (reader.IndexMismatch, FerBatchError, OSError):
        return {}  # does not match the index when read on its own; reading the whole video in order may succeed
    return cut


def _thumbnail(image: np.ndarray, box: Box, scale: float, anonymize: bool) -> bytes:
    """A square around the box as JPEG; ``image`` is (height, width, 3) RGB, shrunk by ``scale``."""
    side = MARGIN * box.height * scale
    left = (box.x + box.width / 2) * scale - side / 2
    top = (box.y + box.height / 2) * scale - side / 2
    low_x, low_y = max(0, round(left)), max(0, round(top))
    part = image[low_y : max(low_y + 1, round(top + side)), low_x : max(low_x + 1, round(left + side))]
    if not part.size:
        part = image
    if anonymize:
        # Averages only, of squares larger than an eye: nothing can be sharpened out of them again.
        part = cv2.resize(part, (BLURRED_SIDE, BLURRED_SIDE), interpolation=cv2.INTER_AREA)
    shrinks = part.shape[0] > SIDE
    small = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    _, jpeg = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(jpeg)
