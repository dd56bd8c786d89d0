"""What it is worth to leave poor pictures out: ``python -m training.selection`` tells.

The pictures of a split are spoilt in the ways that curves of :mod:`fer_batch.detection.quality` were measured on, at
random, and a fifth of them is left out: those of the lowest quality, or those whose top share is the lowest. The same
pictures give the same figures.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import typer

from fer_batch.detection import quality
from fer_batch.detection.crop import CROP_SCALE, CROP_SIDE, resample
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.types import Box, Detection
from training.__main__ import Data, _errors_in_one_line, _read
from training.evaluate import TEST_SPLITS, Predict
from training.fer2013 import Split

LEFT_OUT = 0.2
"""Share of the pictures."""

BLUR_SIGMA, SMALLEST_SIDE, DARK_GAIN, BRIGHT_GAIN = 4.0, 6, 0.05, 8.0
"""The worst that happens: pixels of 48, side of the crop in pixels, factors of the grey levels."""

NOISE = 5.0
"""Standard deviation of the noise that comes with darkness, in grey levels."""

SPOILT_SHARE, SPOILT = 0.2, 0.95
"""How many pictures are spoilt beyond recognition in :func:`some`, and how far on the way to the worst they are."""

SEEDS = range(5)


@dataclass(frozen=True)
class Spoilt:
    """Pictures of faces as a detector might have found them."""

    images: np.ndarray
    """(N, 48, 48) uint8"""
    sides: np.ndarray
    """(N,) int64: pixels of the crop before it was enlarged."""

    @property
    def quality(self) -> np.ndarray:
        """(N,) float64, as a timeline has it; where landmarks would be is not known."""
        heights = self.sides / CROP_SCALE
        found = zip(self.images, heights.tolist(), strict=True)
        return np.array(
            [
                quality.score(Detection(Box(0, 0, height, height), 1.0, (), quality.clarity(image)))
                for image, height in found
            ]
        )


@dataclass(frozen=True)
class Row:
    """Figures of the ``fer2013`` view on what is left, means over SEEDS; parts of 1."""

    left_out: str
    accuracy: float
    macro_recall: float
    shift: float
    """How much the emotions' parts of the faces have changed by leaving some out: the sum of all differences."""


def some(images: np.ndarray, random: np.random.Generator) -> Spoilt:
    """A fifth of the pictures spoilt beyond recognition, the others as they are."""
    return _spoil(images, np.where(random.random(len(images)) < SPOILT_SHARE, SPOILT, 0.0), random)


def all_of_them(images: np.ndarray, random: np.random.Generator) -> Spoilt:
    """Every picture spoilt, from hardly to beyond recognition."""
    return _spoil(images, random.random(len(images)), random)


WAYS: dict[str, Callable[[np.ndarray, np.random.Generator], Spoilt]] = {"some": some, "all": all_of_them}


def table(predict: Predict, split: Split, way: str) -> tuple[Row, ...]:
    """What is right of all pictures, and of those that are left when a fifth is left out by one measure or another."""
    labels = split.labels
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for seed in SEEDS:
        spoilt = WAYS[way](split.images, np.random.default_rng(seed))
        shares = predict(spoilt.images)[:, VIEWS.index("fer2013")]
        right = shares.argmax(axis=1) == labels
        everything = np.zeros(len(labels))
        scores = {"nothing": None, "lowest quality": spoilt.quality, "lowest top share": shares.max(axis=1)}
        for name, score in scores.items():
            first = 0 if score is None else int(LEFT_OUT * len(labels))
            kept = np.argsort(everything if score is None else score, kind="stable")[first:]
            recalls = [right[kept][labels[kept] == one].mean() for one in np.unique(labels[kept])]
            parts, all_parts = (np.bincount(one, minlength=len(EMOTIONS)) / len(one) for one in (labels[kept], labels))
            figures = (float(right[kept].mean()), float(np.mean(recalls)), float(np.abs(parts - all_parts).sum()))
            rows.setdefault(name, []).append(figures)
    return tuple(Row(name, *np.mean(figures, axis=0).tolist()) for name, figures in rows.items())


def render(title: str, rows: tuple[Row, ...]) -> str:
    """A table for a terminal, in percent."""
    lines = [f"{title:<22}  left out            accuracy   macro   shift"]
    for row in rows:
        figures = "".join(f"{100 * figure:>8.2f}" for figure in (row.accuracy, row.macro_recall, row.shift))
        lines.append(f"{'':<22}  {row.left_out:<18}  {figures}")
    return "\n".join(lines)


def main(data: Data) -> None:
    """Print what leaving out a fifth of spoilt PublicTest and PrivateTest does, for the shipped model."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must stand before TensorFlow is imported
    with _errors_in_one_line():
        from fer_batch.classifiers.model_file import ModelFile
        from fer_batch.options import AUTO

        splits = _read(data, ("PrivateTest",), None)
        predict = ModelFile(None).load(256, AUTO).predict
        for name in TEST_SPLITS:
            if name in splits:
                for way in WAYS:
                    typer.echo(render(f"{name}, {way} spoilt", table(predict, splits[name], way)))


def _spoil(images: np.ndarray, severities: np.ndarray, random: np.random.Generator) -> Spoilt:
    """Each picture in one of four ways, at random; a severity of 0 leaves it as it is, 1 is the worst."""
    spoilt, sides = images.copy(), np.full(len(images), CROP_SIDE)
    for at, (way, severity) in enumerate(zip(random.integers(4, size=len(images)), severities.tolist(), strict=True)):
        if severity == 0:
            continue
        image = images[at]
        if way == 0:
            sigma = 0.1 + severity * (BLUR_SIGMA - 0.1)
            spoilt[at] = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        elif way == 1:
            side = round(CROP_SIDE - severity * (CROP_SIDE - SMALLEST_SIDE))
            spoilt[at] = resample(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA))
            sides[at] = side
        else:
            gain = 1 + severity * ((DARK_GAIN if way == 2 else BRIGHT_GAIN) - 1)
            noise = random.normal(0, NOISE, image.shape) if way == 2 else 0.0
            spoilt[at] = np.rint(image * gain + noise).clip(0, 255).astype(np.uint8)
    return Spoilt(spoilt, sides)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app(prog_name="python -m training.selection")
