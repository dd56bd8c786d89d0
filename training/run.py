"""A whole run: train, calibrate, measure on PublicTest, write the file; and a run of teachers before their student."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_batch.classifiers.model_file import ModelFile
from training import balance, calibrate, export, prediction, provenance, train
from training.config import Config
from training.evaluate import Report, evaluate
from training.fer2013 import Split

MODEL_NAME = "fer2013.keras"

TEACHERS: tuple[Mapping[str, Any], ...] = (
    {"stem_filters": 64, "stage_filters": (64, 128, 256, 512), "stage_blocks": (2, 2, 2, 2)},
    {"stem_filters": 32, "stage_filters": (96, 192, 384), "stage_blocks": (2, 2, 2), "dropout": 0.5},
    {"stem_filters": 64, "stage_filters": (64, 128, 256, 512), "stage_blocks": (2, 2, 2, 2), "squeeze": 16},
    {"stem_filters": 32, "stage_filters": (96, 192, 384), "stage_blocks": (2, 2, 2), "squeeze": 16, "dropout": 0.5},
)
"""What is different in each teacher: ResNet-18's shape (.3 G multiply-adds here), a wider and shallower one (.5 G), and
each of them with its channels weighed. The seeds differ too."""


def run(
    config: Config,
    training: Split,
    validation: Split,
    folder: Path,
    *,
    start: ModelFile | None = None,
    teachers: Sequence[ModelFile] = (),
) -> Report:
    """Train as :func:`training.train.fit` does, and write ``folder``/fer2013.keras; what it answers on ``validation``.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit`.
    """
    trained = train.fit(config, training, validation, folder, start=start, teachers=teachers)
    model, biases, temperatures = calibrated(export.with_shares(trained, config), validation)
    report = evaluate(prediction.predictor(model), {"Training": training, "PublicTest": validation}, temperatures)
    facts = provenance.describe(config, training, validation, report, temperatures, biases)
    export.write(model, folder / MODEL_NAME, {**facts, **provenance.lineage(start, teachers)})
    return report


def calibrated(model: keras.Model, validation: Split) -> tuple[keras.Model, np.ndarray, tuple[float, ...]]:
    """A copy of a model as trained, with what is fitted to ``validation`` afterwards: biases (2, 7), and temperatures.

    The biases come first, since the temperatures are to mend what they do to the shares.
    """
    biases = balance.biases(prediction.predictor(model), validation)
    balanced = export.with_biases(model, biases)
    temperatures = calibrate.temperatures(prediction.predictor(balanced), validation)
    return export.with_temperatures(balanced, temperatures), biases, temperatures


def distil(student: Config, teachers: Sequence[Config], training: Split, validation: Split, folder: Path) -> Report:
    """Train the teachers one by one, each in a folder of its own, and then the student that learns from them all.

    May be cut at any moment and called again, as :func:`run`; a teacher whose file is written is not trained again.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit`.
    """
    taught = [_teacher(teacher, training, validation, folder / f"teacher{at}") for at, teacher in enumerate(teachers)]
    return run(student, training, validation, folder, teachers=taught)


def teachers(base: Config) -> list[Config]:
    """The configurations of TEACHERS: ``base`` with their shapes, and with a seed for each."""
    return [replace(base, seed=base.seed + 1 + at, **shape) for at, shape in enumerate(TEACHERS)]


def _teacher(config: Config, training: Split, validation: Split, folder: Path) -> ModelFile:
    path = folder / MODEL_NAME
    train.claim(folder, config, training)
    if not path.exists():
        run(config, training, validation, folder)
    return ModelFile(path)
