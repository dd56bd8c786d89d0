"""What a face detector is."""

from typing import Any, Protocol

import numpy as np

from fer_batch.types import Detection


class Detector(Protocol):
    """Finds faces in one picture at a time and remembers nothing."""

    @property
    def facts(self) -> dict[str, Any]:
        """What decides its answers (name, weights' hash, precision, …), ready for JSON: a part of every fingerprint."""

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        """Faces in ``image`` (height, width, 3) uint8 RGB of any size, in its pixels, surest first."""
