"""A whole run: train, calibrate, evaluate on PublicTest, write the file; or teachers first and then their student."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import VIEWS
from fer_batch.errors import UsageError
from training import balance, calibrate, export, prediction, provenance, train
from training.config import Config
from training.evaluate import UNCALIBRATED, Evaluation, evaluate
from training.fer2013 import Split

MODEL_NAME = "fer2013.keras"

TEACHERS: tuple[Mapping[str, Any], ...] = (
    {"stem_filters": 64, "stage_filters": (64, 128, 256, 512), "stage_blocks": (2, 2, 2, 2)},
    {"stem_filters": 32, "stage_filters": (96, 192, 384), "stage_blocks": (2, 2, 2), "dropout": 0.5},
    {"stem_filters": 64, "stage_filters": (64, 128, 256, 512), "stage_blocks": (2, 2, 2, 2), "squeeze": 16},
    {"stem_filters": 32, "stage_filters": (96, 192, 384), "stage_blocks": (2, 2, 2), "squeeze": 16, "dropout": 0.5},
)
"""The settings of each teacher: ResNet-18's shape (.3 G multiply-adds here), a wider and shallower one (.5 G), and each
of them with squeeze and excitation. The seeds differ too."""


def train_model(
    config: Config,
    training: Split,
    validation: Split,
    folder: Path,
    *,
    start: ModelFile | None = None,
    teachers: Sequence[ModelFile] = (),
) -> Evaluation:
    """Train as :func:`training.train.fit_network` does, and write ``folder``/fer2013.keras.

    Returns how the model answers on ``validation``, which is PublicTest.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit_network`.
    """
    trained = train.fit_network(config, training, validation, folder, start=start, teachers=teachers)
    model, biases, temperatures = calibrate_model(export.with_shares(trained, config), validation)
    evaluation = evaluate(prediction.predictor(model), {"Training": training, "PublicTest": validation}, temperatures)
    facts = provenance.describe(config, training, validation, evaluation, temperatures, biases)
    export.write_model(model, folder / MODEL_NAME, {**facts, **provenance.lineage(start, teachers)})
    return evaluation


def calibrate_model(model: keras.Model, validation: Split) -> tuple[keras.Model, np.ndarray, tuple[float, ...]]:
    """A copy of a model as trained, with biases (2, 7) and temperatures (for each of VIEWS) fitted to ``validation``.

    The biases come first, because the temperatures also correct what they do to the shares.
    """
    biases = balance.fit_biases(prediction.predictor(model), validation)
    balanced = export.with_biases(model, biases)
    temperatures = calibrate.fit_temperatures(prediction.predictor(balanced), validation)
    return export.with_temperatures(balanced, temperatures), biases, temperatures


def calibrate_file(file: ModelFile, validation: Split, out: Path) -> list[str]:
    """Write a model file anew, its biases and temperatures fitted to ``validation``; returns a line for each of VIEWS.

    The biases and temperatures that it has are taken away first, so that doing it twice changes nothing.

    Raises:
        UsageError: ``validation`` has no FER+ votes.
        ModelError: the file does not hold a network of ours.
        OutputError: ``out`` cannot be written.
    """
    if not validation.has_shares.any():
        raise UsageError("PublicTest has no FER+ votes: put fer2013new.csv beside fer2013.csv.")
    facts = file.metadata.get("provenance", {})
    model = prediction.load(file.path)
    before = export.read_temperatures(model)
    trained = export.with_biases(export.with_temperatures(model, UNCALIBRATED), -provenance.recorded_biases(facts))
    calibrated, biases, temperatures = calibrate_model(trained, validation)
    export.write_model(calibrated, out, {**facts, **provenance.calibration(temperatures, biases)})
    return [
        f"{view}: temperature {new:.4f}, was {old:.4f}; rarest emotion's logit {added.max():+.3f}"
        for view, old, new, added in zip(VIEWS, before, temperatures, biases, strict=True)
    ]


def distil(student: Config, teachers: Sequence[Config], training: Split, validation: Split, folder: Path) -> Evaluation:
    """Train the teachers, each in a folder of its own, and then the student that learns from all of them.

    May be cut at any moment and called again; a teacher whose file is written is not trained again. Returns how the
    student answers on ``validation``, which is PublicTest.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit_network`.
    """
    files = [
        _train_teacher(teacher, training, validation, folder / f"teacher{number}")
        for number, teacher in enumerate(teachers)
    ]
    return train_model(student, training, validation, folder, teachers=files)


def teacher_configs(base: Config) -> list[Config]:
    """The configurations of TEACHERS: ``base`` with their settings, and with a seed for each."""
    return [replace(base, seed=base.seed + 1 + number, **settings) for number, settings in enumerate(TEACHERS)]


def _train_teacher(config: Config, training: Split, validation: Split, folder: Path) -> ModelFile:
    path = folder / MODEL_NAME
    train.claim(folder, config, training)
    if not path.exists():
        train_model(config, training, validation, folder)
    return ModelFile(path)
