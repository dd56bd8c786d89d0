"""The figures of a model file, and all files that are shipped with it: metrics, model for OpenVINO, and card.

Metrics are a single JSON object: what was measured (``model``, ``data``), with what (``versions``), the order of the
``emotions``, the parts of the two outputs in the view ``combined``, and the figures of :mod:`training.evaluate` and
:mod:`training.robustness`; how far answers in 8 bits are from those in 32; and, if asked for, the figures of
:mod:`training.others`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.classifiers.model_file import CARD_SUFFIX, METRICS_NAME, ModelFile
from fer_batch.classifiers.openvino import OpenVinoCnn
from fer_batch.emotions import COMBINED, EMOTIONS, FERPLUS_PARTS, in_view
from fer_batch.openvino_net import F32, INT8
from fer_batch.output.files import replacing, write_json
from training import card, openvino_file, others, prediction, provenance, robustness
from training.evaluate import QUESTIONS, TEST_SPLITS, Evaluation, evaluate, right_answers
from training.fer2013 import Split
from training.metrics import accuracy, confusion_matrix
from training.prediction import BATCH_SIZE
from training.robustness import Robustness, measure_robustness


def evaluate_file(file: ModelFile, splits: Mapping[str, Split]) -> Evaluation:
    """Evaluate a model file on those of TEST_SPLITS that are there.

    Raises:
        ModelError: it does not hold a network of ours.
    """
    temperatures = provenance.recorded_temperatures(file.metadata.get("provenance", {}))
    return evaluate(prediction.predictor(prediction.load(file.path)), splits, temperatures)


def measure_file_robustness(file: ModelFile, splits: Mapping[str, Split]) -> Robustness:
    """Measure the robustness of a model file on those of TEST_SPLITS that are there.

    Raises:
        ModelError: it does not hold a network of ours.
    """
    predict = prediction.predictor(prediction.load(file.path))
    return {name: measure_robustness(predict, splits[name]) for name in TEST_SPLITS if name in splits}


def measure_file_others(file: ModelFile, split: Split) -> tuple[others.ViewResult, ...]:
    """Measure a model file on faces of other people.

    Raises:
        ModelError: it does not hold a network of ours.
        UsageError: there are too few neutral faces.
    """
    return others.measure_others(prediction.predictor(prediction.load(file.path)), split)


def measure_int8(file: ModelFile, splits: Mapping[str, Split]) -> dict[str, Any]:
    """How far shares in 8 bits are from those in 32, and both accuracies, by split; ready for JSON.

    Raises:
        ModelError: the files for OpenVINO are missing.
    """
    exact, fast = (OpenVinoCnn(file.path, file.sha256, BATCH_SIZE, precision).predict for precision in (F32, INT8))
    found = {}
    for name in TEST_SPLITS:
        if name not in splits:
            continue
        split = splits[name]
        shares = {F32: exact(split.images), INT8: fast(split.images)}
        moved = np.abs(shares[INT8] - shares[F32])
        answers = []
        for view, against in QUESTIONS:
            truth = right_answers(split, against)
            known = truth >= 0
            if known.any():
                right = {
                    precision: accuracy(confusion_matrix(truth[known], in_view(given[known], view).argmax(axis=1)))
                    for precision, given in shares.items()
                }
                answers.append({"view": view, "against": against, **right})
        found[name] = {
            "moved": {
                "mean": float(moved.mean()),
                "in_a_thousand": float(np.quantile(moved, 0.999)),
                "most": float(moved.max()),
            },
            "accuracy": answers,
        }
    return found


def metrics_as_json(
    file: ModelFile,
    splits: Mapping[str, Split],
    evaluation: Evaluation | None = None,
    robust: Robustness | None = None,
) -> dict[str, Any]:
    """The metrics of a model file, as far as they were measured, ready for JSON."""
    made = file.metadata.get("provenance", {})
    metrics: dict[str, Any] = {
        "model": {"file": file.path.name, "sha256": file.sha256},
        "data": {name: {"rows": len(split), "sha256": split.sha256} for name, split in splits.items()},
        "versions": provenance.versions(),
        "emotions": list(EMOTIONS),
    }
    if evaluation is not None:
        temperatures, biases = provenance.recorded_temperatures(made), provenance.recorded_biases(made)
        part = FERPLUS_PARTS[COMBINED]
        metrics[COMBINED] = {"fer2013": 1 - part, "ferplus": part}
        metrics |= provenance.calibration(temperatures, biases) | evaluation.as_json()
    if robust is not None:
        metrics["robustness"] = robustness.as_json(robust)
    return metrics


def release(
    file: ModelFile, splits: Mapping[str, Split], other_people: Split | None = None
) -> tuple[Evaluation, Robustness, list[Path]]:
    """Measure a model file, and write beside it all that is shipped with it; returns the figures and the files.

    All three splits are needed: Training and PublicTest for the model in 8 bits. Faces of ``other_people``, if given,
    are only measured.

    Raises:
        ModelError: it does not hold a network of ours.
        UsageError: OpenVINO's converter does not run under this Python, NNCF is missing, or there are too few neutral
            faces of other people.
        OutputError: a file cannot be written.
    """
    openvino = openvino_file.write_openvino(file.path)
    int8 = openvino_file.write_int8(file.path, splits["Training"], splits["PublicTest"])
    evaluation, robust = evaluate_file(file, splits), measure_file_robustness(file, splits)
    metrics, metrics_path = metrics_as_json(file, splits, evaluation, robust), file.path.with_name(METRICS_NAME)
    metrics[INT8] = measure_int8(file, splits)
    if other_people is not None:
        metrics["others"] = others.as_json(measure_file_others(file, other_people), other_people)
    write_json(metrics_path, metrics)
    card_path = file.path.with_suffix(CARD_SUFFIX)
    with replacing(card_path) as out:
        out.write(card.render_card(card.CardFacts.of(file, metrics)))
    networks = [path for xml in (openvino, int8) for path in (xml, xml.with_suffix(".bin"))]
    return evaluation, robust, [*networks, metrics_path, card_path]
