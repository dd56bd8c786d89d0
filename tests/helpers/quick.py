"""A detector and a model that take no time, for tests of all that is around them."""

import numpy as np
import pytest

from fer_batch import detection
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.pipeline import contents
from fer_batch.types import Box, Detection


class Middle:
    """A detector that finds a face in the middle of every picture that is not dark."""

    facts = {"name": "middle"}  # noqa: RUF012

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        height, width = image.shape[:2]
        box = Box(width / 4, height / 4, width / 2, height / 2)
        return [Detection(box, 0.9)] if image.mean() > 40 else []


class ByGrey:
    """A classifier that knows a face's emotion by how light it is."""

    runtime = "by grey"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        shares = np.zeros((len(faces), len(VIEWS), len(EMOTIONS)), np.float32)
        shares[np.arange(len(faces)), :, faces.mean(axis=(1, 2)).astype(int) % len(EMOTIONS)] = 1
        return shares


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a real detector nor a network; and files that were written just now count as old."""
    monkeypatch.setitem(detection.REGISTRY, detection.DEFAULT, Middle)
    monkeypatch.setattr(ModelFile, "load", lambda *_: ByGrey())
    monkeypatch.setattr(contents, "RACY_NS", -(10**9))
