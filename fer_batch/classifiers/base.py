"""The protocol of emotion classifiers."""

from pathlib import Path
from typing import Protocol

import numpy as np

from fer_batch.errors import ModelError


class Classifier(Protocol):
    """Predicts the shares of the emotions for many faces at once."""

    @property
    def runtime(self) -> str:
        """Name and version of the library that runs the model, and the device."""

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares (N, 2, 7) float32 of N ≥ 0 faces (N, 48, 48) uint8, black 0 and white 255.

        Axis 1 is in the order of VIEWS, axis 2 in the order of EMOTIONS; along axis 2 they sum to 1.
        """


def not_loaded(path: Path, form: str, error: Exception) -> ModelError:
    """The error where a library refuses a model file; of the library's message it has the first line."""
    first_line = str(error).strip().partition("\n")[0]
    return ModelError(f"{path.name} cannot be loaded as {form} model: {first_line}")
