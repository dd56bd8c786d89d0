"""How much worse the model answers when faces are not cut or not as clear as in FER2013. Pure NumPy and OpenCV.

Each condition changes all images of a split in a way that happens in use: a box that a detector placed otherwise, a
tilted head, a small, blurred, dark or much compressed face. Beyond the edge the border is repeated, as in
:func:`fer_batch.detection.crop.cut`. Where a change has several directions, the rows take them in turn. The same images
give the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from fer_batch.detection.crop import CROP_SIDE, resample
from fer_batch.emotions import in_view
from training.evaluate import QUESTIONS, Predict, right_answers
from training.fer2013 import Split
from training.metrics import accuracy, confusion_matrix, macro_recall

SHIFT = 0.1
"""Share of the side."""
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1))
"""Unit steps of the face to the right, left, up and down; y points down."""
LARGER, SMALLER = 1.15, 0.85
"""Factors of the face's size."""
ROLL_DEGREES = 20.0
BLUR_SIGMA = 1.5
"""Pixels of the 48x48 image."""
SMALL_SIDE = 24
"""Pixels; the default of --min-face."""
JPEG_QUALITY = 20
"""0 to 100, as libjpeg counts."""
DARK_GAIN, DARK_NOISE = 0.3, 5.0
"""Factor of the grey levels, and standard deviation of a sensor's noise in the dark, in grey levels."""
SEED = 0

CLEAN = "clean"


@dataclass(frozen=True)
class Condition:
    """A way in which images differ from the test set's."""

    name: str
    meaning: str
    change: Callable[[np.ndarray], np.ndarray]
    """(N, 48, 48) uint8 to the same."""


@dataclass(frozen=True)
class ConditionResult:
    """A view's answers under a condition. Figures are parts of 1."""

    condition: str
    view: str
    against: str
    """What it is compared with, as in :data:`training.evaluate.QUESTIONS`."""
    faces: int
    """Rows that have such a ground truth."""
    accuracy: float
    macro_recall: float
    accuracy_lost: float
    """How much higher it is under the first condition, CLEAN."""
    macro_recall_lost: float


Robustness = Mapping[str, tuple[ConditionResult, ...]]
"""The results on some splits, by the split's name."""


def shift(images: np.ndarray) -> np.ndarray:
    """Each face moved by SHIFT of the side: row by row to the right, left, up, down."""
    steps = [(SHIFT * CROP_SIDE * x, SHIFT * CROP_SIDE * y) for x, y in DIRECTIONS]
    return _warp(images, [_placed(move=step) for step in steps])


def enlarge(images: np.ndarray) -> np.ndarray:
    """Each face LARGER times as large about the centre: the box was too tight."""
    return _warp(images, [_placed(scale=LARGER)])


def reduce(images: np.ndarray) -> np.ndarray:
    """Each face SMALLER times as large about the centre: the box was too wide."""
    return _warp(images, [_placed(scale=SMALLER)])


def roll(images: np.ndarray) -> np.ndarray:
    """Each face turned by ROLL_DEGREES in the image's plane, row by row counterclockwise and clockwise."""
    return _warp(images, [_placed(degrees=ROLL_DEGREES), _placed(degrees=-ROLL_DEGREES)])


def blur(images: np.ndarray) -> np.ndarray:
    """Gaussian blur of BLUR_SIGMA."""
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA, borderType=cv2.BORDER_REPLICATE))


def coarsen(images: np.ndarray) -> np.ndarray:
    """What a face of SMALL_SIDE pixels becomes when :func:`fer_batch.detection.crop.resample` enlarges it."""
    small = (SMALL_SIDE, SMALL_SIDE)
    return _each(images, lambda image: resample(cv2.resize(image, small, interpolation=cv2.INTER_AREA)))


def compress(images: np.ndarray) -> np.ndarray:
    """Compressed by JPEG of JPEG_QUALITY, and decoded again."""

    def compress_image(image: np.ndarray) -> np.ndarray:
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))

    return _each(images, compress_image)


def darken(images: np.ndarray) -> np.ndarray:
    """Grey levels times DARK_GAIN, with noise of DARK_NOISE."""
    noise = np.random.default_rng(SEED).normal(0, DARK_NOISE, images.shape)
    return np.asarray(np.rint(images * DARK_GAIN + noise).clip(0, 255), np.uint8)


CONDITIONS: tuple[Condition, ...] = (
    Condition(CLEAN, "as FER2013 has them", np.copy),
    Condition("shifted", f"face moved by {SHIFT:.0%} of the side: right, left, up and down in turn", shift),
    Condition("larger", f"face {LARGER - 1:.0%} larger", enlarge),
    Condition("smaller", f"face {1 - SMALLER:.0%} smaller, border repeated", reduce),
    Condition("rolled", f"head tilted by {ROLL_DEGREES:g} degrees, to either side in turn", roll),
    Condition("blurred", f"Gaussian blur, sigma {BLUR_SIGMA:g} px", blur),
    Condition("small", f"face of {SMALL_SIDE} px, enlarged", coarsen),
    Condition("JPEG", f"JPEG of quality {JPEG_QUALITY}", compress),
    Condition("dark", f"grey levels times {DARK_GAIN:g}, with noise of sigma {DARK_NOISE:g}", darken),
)


def measure_robustness(predict: Predict, split: Split) -> tuple[ConditionResult, ...]:
    """Every condition of CONDITIONS and every question of :mod:`training.evaluate` to which the split has answers."""
    results: list[ConditionResult] = []
    clean: dict[tuple[str, str], ConditionResult] = {}
    for condition in CONDITIONS:
        shares = predict(condition.change(split.images))
        for question in QUESTIONS:
            view, against = question
            truth = right_answers(split, against)
            known = truth >= 0
            if not known.any():
                continue
            confusion = confusion_matrix(truth[known], in_view(shares[known], view).argmax(axis=1))
            right, macro = accuracy(confusion), macro_recall(confusion)
            first = clean.get(question)
            lost = (first.accuracy - right, first.macro_recall - macro) if first else (0.0, 0.0)
            result = ConditionResult(condition.name, view, against, int(known.sum()), right, macro, *lost)
            clean.setdefault(question, result)
            results.append(result)
    return tuple(results)


def render_robustness(robustness: Robustness) -> str:
    """A table for a terminal: a line for each result, in percent; losses in points."""
    width = max((len(name) for name in robustness), default=0)
    lines = [f"{'rows':<{width}}  condition  view      against   faces  accuracy    lost   macro    lost"]
    for name, results in robustness.items():
        for result in results:
            figures = (result.accuracy, result.accuracy_lost, result.macro_recall, result.macro_recall_lost)
            percents = "".join(f"{100 * figure + 0.0:>8.2f}" for figure in figures)
            question = f"{result.view:<8}  {result.against:<8}"
            lines.append(f"{name:<{width}}  {result.condition:<9}  {question}  {result.faces:>5}  {percents}")
    return "\n".join(lines)


def as_json(robustness: Robustness) -> dict[str, Any]:
    """What the conditions mean, and every figure, ready for JSON."""
    return {
        "conditions": {condition.name: condition.meaning for condition in CONDITIONS},
        "results": [{"rows": name, **asdict(result)} for name, results in robustness.items() for result in results],
    }


def _placed(*, degrees: float = 0.0, scale: float = 1.0, move: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """(2, 3) affine map of the image: turned and scaled about its centre, then moved by ``move``, in pixels."""
    centre = (CROP_SIDE - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), degrees, scale))
    matrix[:, 2] += np.array(move)
    return matrix


def _warp(images: np.ndarray, maps: list[np.ndarray]) -> np.ndarray:
    """Every image resampled by one of the affine maps, which the rows take in turn."""
    side = (CROP_SIDE, CROP_SIDE)
    warped = np.empty_like(images)
    for row, image in enumerate(images):
        warped[row] = cv2.warpAffine(
            image, maps[row % len(maps)], side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return warped


def _each(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Every image changed by ``change``, (48, 48) to the same."""
    changed = np.empty_like(images)
    for row, image in enumerate(images):
        changed[row] = change(image)
    return changed
