"""Frames: what photographs and films are decoded to, one at a time, upright, each with its true moment."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fer_batch.detection.crop import Luma
from fer_batch.types import Moment


class Picture(Protocol):
    """An upright picture that converts no more of itself than it is asked for."""

    @property
    def width(self) -> int:
        """Pixels, upright."""

    @property
    def height(self) -> int:
        """Pixels, upright."""

    def luma(self, smallest: float = 0.0) -> Luma:
        """The grey of the whole picture, with all the detail that a face of ``smallest`` pixels' height has."""

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, shrunk so that no side is longer than ``longest_side``; never enlarged."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source and its place in it."""

    moment: Moment
    picture: Picture
