"""Where a model and its figures come from: facts for JSON that name no path, person or machine."""

import importlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

import fer_batch
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from training.config import Config
from training.evaluate import UNCALIBRATED, Evaluation
from training.fer2013 import Split

UNBIASED = np.zeros((len(VIEWS), len(EMOTIONS)))
"""The biases, by view and emotion, of a model whose logits are as they were trained."""


def describe(
    config: Config,
    training: Split,
    validation: Split,
    evaluation: Evaluation,
    temperatures: Sequence[float] = UNCALIBRATED,
    biases: np.ndarray = UNBIASED,
) -> dict[str, Any]:
    """What a model file says of the run that made it; ``evaluation`` is that on ``validation``, which is PublicTest.

    ``temperatures``, one for each of VIEWS, and ``biases`` (2, 7) are those that the model applies.
    """
    facts: dict[str, Any] = {
        **made_with(),
        "config": asdict(config),
        "data": {
            "training_sha256": training.sha256,
            "rows": {"Training": len(training), "PublicTest": len(validation)},
        },
        **calibration(temperatures, biases),
        "public_test": {
            view: {
                "faces": result.faces,
                "accuracy": result.accuracy,
                "macro_recall": result.macro_recall,
            }
            for view in VIEWS
            for result in [evaluation.result("PublicTest", view, flips=False)]
        },
    }
    commit = _commit()
    return {**facts, "commit": commit} if commit else facts


def calibration(temperatures: Sequence[float], biases: np.ndarray = UNBIASED) -> dict[str, Any]:
    """The facts of a model's temperatures, by view, and of the biases in its logits, by view and emotion."""
    by_view = {
        view: dict(zip(EMOTIONS, map(float, added), strict=True)) for view, added in zip(VIEWS, biases, strict=True)
    }
    return {"temperatures": dict(zip(VIEWS, temperatures, strict=True)), "biases": by_view}


def recorded_biases(facts: Mapping[str, Any]) -> np.ndarray:
    """(2, 7): what was added to a model's logits after training, from its provenance; 0 where that does not say."""
    biases = facts.get("biases", {})
    return np.array([[float(biases.get(view, {}).get(emotion, 0)) for emotion in EMOTIONS] for view in VIEWS])


def lineage(start: ModelFile | None, teachers: Sequence[ModelFile]) -> dict[str, Any]:
    """The models that a run began with and learnt from, by their SHA-256 and their own provenance."""
    return {
        name: [{"sha256": file.sha256, "provenance": file.metadata.get("provenance", {})} for file in files]
        for name, files in (("start", [start] if start else []), ("teachers", teachers))
        if files
    }


def side_by_side(config: Config, files: Sequence[ModelFile]) -> dict[str, Any]:
    """What a file says whose network holds those of others side by side."""
    return {
        **made_with(),
        "config": asdict(config),
        "side_by_side": [{"sha256": file.sha256, "provenance": file.metadata.get("provenance", {})} for file in files],
        **calibration(UNCALIBRATED),
    }


def made_with() -> dict[str, Any]:
    """What every model file says of its making: the version of fer-batch, the day, and the software."""
    return {
        "fer_batch": fer_batch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "backend": keras.backend.backend(),
        "versions": versions(),
    }


def recorded_temperatures(facts: Mapping[str, Any]) -> tuple[float, ...]:
    """A model's temperatures, one for each of VIEWS, from its provenance; 1 where that does not say."""
    temperatures = facts.get("temperatures", {})
    return tuple(float(temperatures.get(view, 1)) for view in VIEWS)


def versions() -> dict[str, str]:
    """Versions of Python, Keras and Keras's backend."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: str(importlib.import_module(backend).__version__),
    }


def _commit() -> str | None:
    """This checkout's commit in short, with ``-dirty`` where files differ from it; None outside of one."""
    command = ("git", "describe", "--always", "--dirty", "--exclude=*")
    try:
        run = subprocess.run(  # noqa: S603 # fixed words, nothing from outside
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return run.stdout.strip() or None
