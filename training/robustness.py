"""How much worse the model answers when faces are not as FER2013 cut them. ``python -m training.robustness`` tells.

Each condition changes all pictures of a split in one way that happens in use: a box that a detector placed otherwise, a
tilted head, a small, blurred, dark or much compressed face. Past the edge the border is repeated, as in
:func:`fer_batch.detection.crop.cut`. Where a change has several directions, the rows take them in turn. The same
pictures give the same bytes.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from fer_batch.detection.crop import CROP_SIDE, resample
from fer_batch.emotions import VIEWS
from training.__main__ import Data, _errors_in_one_line, _read
from training.evaluate import TEST_SPLITS, Predict
from training.fer2013 import Split
from training.metrics import accuracy, confusion_matrix, macro_recall

SHIFT = 0.1
"""Share of the side."""
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1))
"""Right, left, up, down: where the face goes; y points down."""
LARGER, SMALLER = 1.15, 0.85
ROLL_DEGREES = 20.0
BLUR_SIGMA = 1.5
"""Pixels of the 48x48 picture."""
SMALL_SIDE = 24
"""Pixels; the default of --min-face."""
JPEG_QUALITY = 20
"""0 to 100, as libjpeg counts."""
DARK_GAIN, DARK_NOISE = 0.3, 5.0
"""Factor of the grey levels, and standard deviation of the noise of a sensor that lacks light, in grey levels."""
SEED = 0

CLEAN = "clean"


@dataclass(frozen=True)
class Condition:
    """One way in which pictures differ from the test set's."""

    name: str
    meaning: str
    change: Callable[[np.ndarray], np.ndarray]
    """(N, 48, 48) uint8 to the same."""


@dataclass(frozen=True)
class Row:
    """One view's answers under one condition. Figures are parts of 1."""

    condition: str
    view: str
    faces: int
    """Rows that have an answer to the view's question."""
    accuracy: float
    macro_recall: float
    accuracy_lost: float
    """How much higher it is under the first condition, CLEAN."""
    macro_recall_lost: float


def shift(images: np.ndarray) -> np.ndarray:
    """Each face SHIFT of the side off its place: row by row to the right, left, up, down."""
    steps = [(SHIFT * CROP_SIDE * x, SHIFT * CROP_SIDE * y) for x, y in DIRECTIONS]
    return _warp(images, [_placed(move=step) for step in steps])


def enlarge(images: np.ndarray) -> np.ndarray:
    """Each face LARGER times as large about the centre: the box was too tight."""
    return _warp(images, [_placed(scale=LARGER)])


def reduce(images: np.ndarray) -> np.ndarray:
    """Each face SMALLER times as large about the centre: the box was too wide."""
    return _warp(images, [_placed(scale=SMALLER)])


def roll(images: np.ndarray) -> np.ndarray:
    """Each face turned by ROLL_DEGREES in the picture's plane, row by row against the clock and with it."""
    return _warp(images, [_placed(degrees=ROLL_DEGREES), _placed(degrees=-ROLL_DEGREES)])


def blur(images: np.ndarray) -> np.ndarray:
    """Gaussian blur of BLUR_SIGMA."""
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA, borderType=cv2.BORDER_REPLICATE))


def coarsen(images: np.ndarray) -> np.ndarray:
    """What a face of SMALL_SIDE pixels becomes when :func:`fer_batch.detection.crop.resample` enlarges it."""
    small = (SMALL_SIDE, SMALL_SIDE)
    return _each(images, lambda image: resample(cv2.resize(image, small, interpolation=cv2.INTER_AREA)))


def compress(images: np.ndarray) -> np.ndarray:
    """Through JPEG and back."""

    def through(image: np.ndarray) -> np.ndarray:
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))

    return _each(images, through)


def darken(images: np.ndarray) -> np.ndarray:
    """DARK_GAIN of the light, with noise."""
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


def table(predict: Predict, split: Split) -> tuple[Row, ...]:
    """Every condition of CONDITIONS in both views, each on its own question as in :mod:`training.evaluate`.

    A view without a single answered row is left out.
    """
    truths = {"fer2013": split.labels, "ferplus": split.majority}
    rows: list[Row] = []
    clean: dict[str, Row] = {}
    for condition in CONDITIONS:
        shares = predict(condition.change(split.images))
        for axis, view in enumerate(VIEWS):
            asked = truths[view] >= 0
            if not asked.any():
                continue
            confusion = confusion_matrix(truths[view][asked], shares[asked, axis].argmax(axis=1))
            right, macro = accuracy(confusion), macro_recall(confusion)
            first = clean.get(view)
            lost = (first.accuracy - right, first.macro_recall - macro) if first else (0.0, 0.0)
            row = Row(condition.name, view, int(asked.sum()), right, macro, *lost)
            clean.setdefault(view, row)
            rows.append(row)
    return tuple(rows)


def render(tables: Mapping[str, tuple[Row, ...]]) -> str:
    """The tables of some splits for a terminal: a line for each row, in percent; what was lost, in points."""
    width = max((len(name) for name in tables), default=0)
    lines = [f"{'rows':<{width}}  condition  view     faces  accuracy    lost   macro    lost"]
    for name, rows in tables.items():
        for row in rows:
            figures = (row.accuracy, row.accuracy_lost, row.macro_recall, row.macro_recall_lost)
            percents = "".join(f"{100 * figure + 0.0:>8.2f}" for figure in figures)
            lines.append(f"{name:<{width}}  {row.condition:<9}  {row.view:<7}  {row.faces:>5}  {percents}")
    return "\n".join(lines)


def as_json(tables: Mapping[str, tuple[Row, ...]]) -> dict[str, Any]:
    """What the conditions mean, and every figure, ready for JSON."""
    return {
        "conditions": {condition.name: condition.meaning for condition in CONDITIONS},
        "results": [{"rows": name, **asdict(row)} for name, rows in tables.items() for row in rows],
    }


def main(
    data: Data,
    model: Annotated[
        Path | None, typer.Option(show_default=False, help="A file that fit wrote; if left out, the shipped model.")
    ] = None,
    written: Annotated[
        Path | None, typer.Option("--json", show_default=False, help="Also write every figure to this file.")
    ] = None,
) -> None:
    """Print how well a model answers on changed pictures of PublicTest and PrivateTest, in percent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must stand before TensorFlow is imported
    with _errors_in_one_line():
        from fer_batch.classifiers.model_file import ModelFile
        from fer_batch.output.files import replacing

        file = ModelFile(model)
        splits = _read(data, ("PrivateTest",), None)

        from training import prediction, provenance

        predict = prediction.predictor(prediction.load(file.path))
        tables = {name: table(predict, splits[name]) for name in TEST_SPLITS if name in splits}
        typer.echo(render(tables))
        if written is not None:
            facts = {
                "model": {"file": file.path.name, "sha256": file.sha256},
                "data": {name: {"rows": len(splits[name]), "sha256": splits[name].sha256} for name in tables},
                "versions": provenance.versions(),
                **as_json(tables),
            }
            with replacing(written) as out:
                json.dump(facts, out, indent=2)


def _placed(*, degrees: float = 0.0, scale: float = 1.0, move: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """(2, 3) map of points of the picture: turned and scaled about its centre, then moved."""
    centre = (CROP_SIDE - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), degrees, scale))
    matrix[:, 2] += np.array(move)
    return matrix


def _warp(images: np.ndarray, maps: list[np.ndarray]) -> np.ndarray:
    """Every picture through one of the maps, which the rows take in turn."""
    warped = np.empty_like(images)
    for at, image in enumerate(images):
        warped[at] = cv2.warpAffine(
            image, maps[at % len(maps)], (CROP_SIDE, CROP_SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return warped


def _each(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    changed = np.empty_like(images)
    for at, image in enumerate(images):
        changed[at] = change(image)
    return changed


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app(prog_name="python -m training.robustness")
