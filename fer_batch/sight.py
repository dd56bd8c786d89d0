"""See a chunk: decode its frames, find the faces, cut them out. Needs no classifier."""

from collections.abc import Callable

import numpy as np

from fer_batch import faces, looking
from fer_batch.decoding import decode
from fer_batch.detectors import Detector
from fer_batch.types import Chunk, Detection, Moment, Sightings


def see(chunk: Chunk, detector: Detector, min_confidence: float, looked: Callable[[int], object]) -> Sightings:
    """Every frame of the chunk and every face in it whose score is at least ``min_confidence``.

    ``looked`` is told of every further frame that has been looked at.

    Raises:
        MediaError: nothing of the chunk can be read, or it is not what its film's index announced.
    """
    decoding = decode(chunk)
    longest_side = looking.longest_side(chunk.source.kind)
    moments: list[Moment] = []
    owners: list[int] = []
    detections: list[Detection] = []
    crops: list[np.ndarray] = []
    for frame in decoding.frames:
        image = frame.picture.rgb(longest_side)
        x, y = frame.picture.width / image.shape[1], frame.picture.height / image.shape[0]
        found = [one.scaled(x, y) for one in detector.detect(image, min_confidence)]
        if found:
            luma = frame.picture.luma()
            crops.extend(faces.cut(luma, one.box) for one in found)
        owners.extend([len(moments)] * len(found))
        detections.extend(found)
        moments.append(frame.moment)
        looked(1)
    return Sightings(
        tuple(moments),
        np.array(owners, np.int64),
        tuple(detections),
        np.stack(crops) if crops else np.empty((0, faces.SIDE, faces.SIDE), np.uint8),
        tuple(decoding.skipped),
    )
