"""A detector and a model that take no time, and no report, for tests of all that is around them."""

from pathlib import Path

import numpy as np
import pytest

from fer_batch import detection
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection import schedule
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.pipeline import contents
from fer_batch.report import render
from fer_batch.types import Box, Detection

SQUARES = {(side, side): side / scale for scale, side in schedule.SEARCH_SQUARES}
"""The size that a face has in a square around it, by the square's shape."""


class Middle:
    """A detector that finds a face in the middle of every picture that is not dark, and the same one in squares."""

    facts = {"name": "middle"}  # noqa: RUF012

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        height, width = image.shape[:2]
        face_width = face_height = SQUARES.get((height, width), 0)
        if not face_height:
            face_width, face_height = width / 2, height / 2
        box = Box((width - face_width) / 2, (height - face_height) / 2, face_width, face_height)
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


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process render no report: for tests of tables, whose pages nobody looks at."""
    monkeypatch.setattr(render, "render", lambda folder, *_, **__: Path(folder) / render.INDEX)
