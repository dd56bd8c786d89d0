"""A whole run: train, calibrate, measure on PublicTest, write the file; and a run of teachers before their student."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_batch.classifiers import ModelFile
from training import balance, calibrate, export, prediction, provenance, teaching, train
from training.config import Config
from training.evaluate import Report, evaluate
from training.fer2013 import Split
from training.teaching import Answers

MODEL_NAME = "fer2013.keras"
ANSWERS_NAME = "answers.npz"
LESSONS_NAME = "lessons"

GOOD_PICTURES: Mapping[str, Any] = {"softness": 0.1, "darkness": 0.0, "compression": 0.0}
"""What teachers learn from: they are shown nothing worse when they teach."""

TEACHERS: tuple[Mapping[str, Any], ...] = (
    {"stem_filters": 64, "stage_filters": (64, 128, 256, 512), "stage_blocks": (2, 2, 2, 2), "dropout": 0.3},
    {"stem_filters": 32, "stage_filters": (96, 192, 384), "stage_blocks": (2, 2, 2), "dropout": 0.5},
    {
        "stem_filters": 64,
        "stage_filters": (64, 128, 256, 512),
        "stage_blocks": (2, 2, 2, 2),
        "squeeze": 16,
        "dropout": 0.3,
    },
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
    answers: Answers | None = None,
) -> Report:
    """Train as :func:`training.train.fit` does, and write ``folder``/fer2013.keras; what it answers on ``validation``.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit`.
    """
    trained = train.fit(config, training, validation, folder, start=start, answers=answers)
    model, biases, temperatures = calibrated(export.with_shares(trained, config), validation)
    report = evaluate(prediction.predictor(model), {"Training": training, "PublicTest": validation}, temperatures)
    facts = provenance.describe(config, training, validation, report, temperatures, biases)
    export.write(
        model, folder / MODEL_NAME, {**facts, **provenance.lineage(start, answers.teachers if answers else ())}
    )
    return report


def calibrated(model: keras.Model, validation: Split) -> tuple[keras.Model, np.ndarray, tuple[float, ...]]:
    """A copy of a model as trained, with what is fitted to ``validation`` afterwards: biases (2, 7), and temperatures.

    The biases come first, since the temperatures are to mend what they do to the shares.
    """
    biases = balance.biases(prediction.predictor(model), validation)
    balanced = export.with_biases(model, biases)
    temperatures = calibrate.temperatures(prediction.predictor(balanced), validation)
    return export.with_temperatures(balanced, temperatures), biases, temperatures


def distil(
    student: Config,
    teachers: Sequence[Config],
    training: Split,
    validation: Split,
    folder: Path,
    *,
    answers: Answers | None = None,
) -> Report:
    """Train the teachers one by one, each in a folder of its own, and then the student, on their lessons.

    May be cut at any moment and called again, as :func:`run`; a teacher whose file is written is not trained again.

    Args:
        student: every setting.
        teachers: every setting of each.
        training: rows to learn.
        validation: rows to watch.
        folder: the runs'.
        answers: what teachers of an earlier run answer, which these teachers learn beside the data set's own answers
            (born-again networks: Furlanello et al. 2018, arXiv:1805.04770).

    Raises:
        UsageError, OutputError: as :func:`training.train.fit`.
    """
    train.claim(folder / LESSONS_NAME, student, training)
    taught = [
        teacher(config, training, validation, folder / f"teacher{at}", answers) for at, config in enumerate(teachers)
    ]
    lessons = teaching.lessons(taught, student, training, folder / LESSONS_NAME)
    return run(student, training, validation, folder, answers=lessons)


def teachers(base: Config) -> list[Config]:
    """The configurations of TEACHERS: ``base`` with their shapes, GOOD_PICTURES, and a seed for each."""
    return [replace(base, seed=base.seed + 1 + at, **GOOD_PICTURES, **shape) for at, shape in enumerate(TEACHERS)]


def teacher(
    config: Config, training: Split, validation: Split, folder: Path, answers: Answers | None = None
) -> ModelFile:
    """The file of a teacher, which is trained unless it is there.

    Raises:
        UsageError, OutputError: as :func:`training.train.fit`.
    """
    path = folder / MODEL_NAME
    train.claim(folder, config, training, None, answers)
    if not path.exists():
        run(config, training, validation, folder, answers=answers)
    return ModelFile(path)
