"""Detectors that come to grief over pictures of one grey; here, where other processes can import them."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.detection.schedule import SEARCH_SQUARES
from fer_batch.types import Box, Detection

GRIEF = 20
"""The number whose grey (:func:`tests.helpers.media.level`) upsets them."""

SLOW_GRIEF = 25
"""The same, only later."""

DARK = 20
"""Grey of a picture up to which SureByDay sees nothing."""

MARK = "ODD_DETECTOR_MARK"
"""The environment variable that names a file for a detector to remember in that it has come to grief."""


class Blind:
    """Sees no face, and bears every picture."""

    @property
    def facts(self) -> dict[str, Any]:
        """The same for all of them, so that one goes on where another has come to grief."""
        return {"name": "blind"}

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        number = round((float(image.mean()) - 30) / 6)
        if number == SLOW_GRIEF:
            time.sleep(1.5)
        if number in (GRIEF, SLOW_GRIEF):
            self.grieve()
        return self.faces(image)

    def faces(self, image: np.ndarray) -> list[Detection]:
        return []

    def grieve(self) -> None:
        """Bear it."""


class Aborting(Blind):
    """Takes its process along, as a bug in native code does."""

    def grieve(self) -> None:
        os.abort()


class Raising(Blind):
    """Raises what nobody foresaw."""

    def grieve(self) -> None:
        raise ZeroDivisionError("of one grey")


class Hanging(Blind):
    """Never comes back."""

    def grieve(self) -> None:
        time.sleep(600)


class Sure(Blind):
    """Sees one face in the middle of every picture, as large as that of which the picture is a square."""

    @property
    def facts(self) -> dict[str, Any]:
        return {"name": "sure"}

    def faces(self, image: np.ndarray) -> list[Detection]:
        height, width, _ = image.shape
        scale = SEARCH_SQUARES[0][0]
        left, top = width * (1 - 1 / scale) / 2, height * (1 - 1 / scale) / 2
        return [Detection(Box(left, top, width / scale, height / scale), 0.9)]


class SureAbortingOnce(Sure):
    """Takes its process along, but only the first time."""

    def grieve(self) -> None:
        mark = Path(os.environ[MARK])
        if not mark.exists():
            mark.touch()
            os.abort()


class SlowAbortingOnce(SureAbortingOnce):
    """The same, but slowly, so that what it has looked at before is told of."""

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        time.sleep(0.02)
        return super().detect(image, min_confidence)


class SureByDay(Sure):
    """The same, but not in the dark."""

    @property
    def facts(self) -> dict[str, Any]:
        return {"name": "sure by day"}

    def faces(self, image: np.ndarray) -> list[Detection]:
        return super().faces(image) if image.mean() > DARK else []
