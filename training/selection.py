"""What leaving out poor images is worth. Pure NumPy and OpenCV.

The images of a split are degraded at random, in the ways by which the curves of :mod:`fer_batch.detection.quality`
were measured, and a fifth of them is left out: those of the lowest quality, or those with the lowest top share. The
same images give the same figures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fer_batch.detection import quality
from fer_batch.detection.crop import CROP_SCALE, CROP_SIDE, resample
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.types import Box, Detection
from training.evaluate import Predict
from training.fer2013 import Split

LEFT_OUT = 0.2
"""Part of the images."""

BLUR_SIGMA, SMALLEST_SIDE, DARK_GAIN, BRIGHT_GAIN = 4.0, 6, 0.05, 8.0
"""The worst degradations: pixels of the 48x48 image, side of the crop in pixels, factors of the grey levels."""

NOISE = 5.0
"""Standard deviation of the noise that comes with darkness, in grey levels."""

DEGRADED_PART, SEVERITY = 0.2, 0.95
"""Part of the images that :func:`degrade_some` degrades, and how severely, 1 being the worst."""

SEEDS = range(5)


@dataclass(frozen=True)
class Degraded:
    """Images of faces as a detector might have found them."""

    images: np.ndarray
    """(N, 48, 48) uint8"""
    sides: np.ndarray
    """(N,) int64: side of each crop before it was enlarged, in pixels."""

    @property
    def quality(self) -> np.ndarray:
        """(N,) float64, 0 to 1, as in a timeline, but without the landmarks' part, which are not known."""
        heights = self.sides / CROP_SCALE
        faces = zip(self.images, heights.tolist(), strict=True)
        return np.array(
            [
                quality.score(Detection(Box(0, 0, height, height), 1.0, (), quality.clarity(image)))
                for image, height in faces
            ]
        )


@dataclass(frozen=True)
class SelectionResult:
    """Figures of the ``fer2013`` view on the images that are left, means over SEEDS; parts of 1."""

    left_out: str
    accuracy: float
    macro_recall: float
    shift: float
    """Sum over the emotions of how much their parts of the faces differ from those before leaving some out."""


def degrade_some(images: np.ndarray, random: np.random.Generator) -> Degraded:
    """A fifth of the images degraded beyond recognition, the others as they are."""
    return _degrade(images, np.where(random.random(len(images)) < DEGRADED_PART, SEVERITY, 0.0), random)


def degrade_all(images: np.ndarray, random: np.random.Generator) -> Degraded:
    """Every image degraded, from hardly to beyond recognition."""
    return _degrade(images, random.random(len(images)), random)


WAYS: dict[str, Callable[[np.ndarray, np.random.Generator], Degraded]] = {"some": degrade_some, "all": degrade_all}


def measure_selection(predict: Predict, split: Split, way: str) -> tuple[SelectionResult, ...]:
    """Figures of all images, and of those that are left when a fifth is left out by quality or by top share.

    The images are degraded in one of WAYS.
    """
    labels = split.labels
    figures: dict[str, list[tuple[float, float, float]]] = {}
    for seed in SEEDS:
        degraded = WAYS[way](split.images, np.random.default_rng(seed))
        shares = predict(degraded.images)[:, VIEWS.index("fer2013")]
        right = shares.argmax(axis=1) == labels
        scores = {"nothing": None, "lowest quality": degraded.quality, "lowest top share": shares.max(axis=1)}
        for name, score in scores.items():
            kept = slice(None) if score is None else np.argsort(score, kind="stable")[int(LEFT_OUT * len(labels)) :]
            recalls = [right[kept][labels[kept] == emotion].mean() for emotion in np.unique(labels[kept])]
            shift = np.abs(_parts(labels[kept]) - _parts(labels)).sum()
            figures.setdefault(name, []).append((float(right[kept].mean()), float(np.mean(recalls)), float(shift)))
    return tuple(SelectionResult(name, *np.mean(rows, axis=0).tolist()) for name, rows in figures.items())


def render_selection(title: str, results: tuple[SelectionResult, ...]) -> str:
    """A table for a terminal, in percent."""
    lines = [f"{title:<25}  left out            accuracy   macro   shift"]
    for result in results:
        figures = "".join(f"{100 * figure:>8.2f}" for figure in (result.accuracy, result.macro_recall, result.shift))
        lines.append(f"{'':<25}  {result.left_out:<18}  {figures}")
    return "\n".join(lines)


def _parts(labels: np.ndarray) -> np.ndarray:
    """(7,) the emotions' parts of the faces."""
    return np.bincount(labels, minlength=len(EMOTIONS)) / len(labels)


def _degrade(images: np.ndarray, severities: np.ndarray, random: np.random.Generator) -> Degraded:
    """Each image blurred, reduced, darkened or brightened, at random; severity 0 leaves it as it is, 1 is the worst."""
    degraded, sides = images.copy(), np.full(len(images), CROP_SIDE)
    for row, (way, severity) in enumerate(zip(random.integers(4, size=len(images)), severities.tolist(), strict=True)):
        if severity == 0:
            continue
        image = images[row]
        if way == 0:
            sigma = 0.1 + severity * (BLUR_SIGMA - 0.1)
            degraded[row] = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        elif way == 1:
            side = round(CROP_SIDE - severity * (CROP_SIDE - SMALLEST_SIDE))
            degraded[row] = resample(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA))
            sides[row] = side
        else:
            gain = 1 + severity * ((DARK_GAIN if way == 2 else BRIGHT_GAIN) - 1)
            noise = random.normal(0, NOISE, image.shape) if way == 2 else 0.0
            degraded[row] = np.rint(image * gain + noise).clip(0, 255).astype(np.uint8)
    return Degraded(degraded, sides)
