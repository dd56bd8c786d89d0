"""What an emotion classifier is."""

from typing import Protocol

import numpy as np


class Classifier(Protocol):
    """Answers for many faces at once."""

    @property
    def runtime(self) -> str:
        """Library, its version and the device that computes."""

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """(N, 48, 48) uint8 faces to (N, 2, 7) float32 shares: axis 1 as in VIEWS, axis 2 as in EMOTIONS, summing to 1.

        N may be 0.
        """
