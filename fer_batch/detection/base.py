"""The protocol of face detectors."""

from typing import Any, Protocol

import numpy as np

from fer_batch.types import Detection


class Detector(Protocol):
    """Finds faces in single images. Its results depend on nothing but the image."""

    @property
    def facts(self) -> dict[str, Any]:
        """What its results depend on (name, weights' digest …), ready for JSON. A change makes old results invalid."""

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        """Faces in ``image`` (height, width, 3) uint8 RGB of any size, in its pixels, by falling confidence.

        ``min_confidence``: the least score of a face, 0 to 1.
        """
