"""The models for OpenVINO, the fastest runtime on CPUs: ``.xml`` and ``.bin`` files beside the ``.keras`` file."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from fer_batch.classifiers.model_file import sha256
from fer_batch.classifiers.openvino import KERAS_DIGEST_KEY, SUFFIXES, OpenVinoCnn
from fer_batch.emotions import VIEWS
from fer_batch.errors import UsageError
from fer_batch.openvino_net import F32, INT8, import_openvino
from fer_batch.output.files import replacing_path
from training import calibrate
from training.evaluate import UNCALIBRATED
from training.fer2013 import Split
from training.prediction import BATCH_SIZE, load

SAMPLES = 500
"""Images by which the ranges of activations are found."""


def write_openvino(path: Path) -> Path:
    """Convert the ``.keras`` file at ``path``; returns the ``.xml`` file, which holds the other's digest.

    Weights are kept in 16 bits, half the size, and computed with in 32: shares move by less than .001. Each of the two
    files is replaced only when it is whole; the digest tells files that do not belong together. Files in 8 bits that
    are there are removed.

    Raises:
        ModelError: the ``.keras`` file does not hold a network of ours, or is not safe to load.
        OutputError: a file cannot be written.
        UsageError: OpenVINO's converter does not run under this Python.
    """
    with TemporaryDirectory() as folder:
        exported = Path(folder, "exported.xml")
        _export(load(path), exported)
        network = import_openvino().Core().read_model(exported)
        target = _save(network, path, F32)
        for suffix in (".xml", ".bin"):  # of the model that was here before
            target.with_suffix(f".int8{suffix}").unlink(missing_ok=True)
        del network  # it keeps the exported file open
    return target


def write_int8(path: Path, training: Split, validation: Split) -> Path:
    """Quantise the model that :func:`write_openvino` wrote for ``path`` to 8 bits; returns the ``.xml`` file.

    Post-training quantisation by NNCF (https://github.com/openvinotoolkit/nncf), its ranges from SAMPLES rows of
    ``training``, its temperatures fitted anew to ``validation``, which is PublicTest.

    Quantised are the convolutions but for the first, and the sums between them. The first one and the heads stay in 32
    bits, and so does what stands before and behind them. Activations may take their whole range: with NNCF's usual cut
    of extremes, one share in 1,000 moved by .14, now by .04. Weights take 7 of the 8 bits, so that no sum overflows on
    CPUs without VNNI, and shares are the same there up to .01.

    Raises:
        OutputError: a file cannot be written.
        UsageError: NNCF is not installed.
    """
    openvino = import_openvino()
    try:
        import nncf
        from nncf.quantization.range_estimator import RangeEstimatorParametersSet
    except ImportError as error:
        raise UsageError(f"NNCF is missing ({error}): pip install -e .[training].") from error
    nncf.set_log_level(logging.ERROR)
    model = openvino.Core().read_model(path.with_suffix(SUFFIXES[F32]))
    rows = np.random.default_rng(0).choice(len(training), min(SAMPLES, len(training)), replace=False)
    quantised = nncf.quantize(
        model,
        nncf.Dataset([training.images[row : row + 1].astype(np.float32) for row in sorted(rows)]),
        subset_size=len(rows),
        preset=nncf.QuantizationPreset.MIXED,
        fast_bias_correction=False,  # the fast one moved the shares of combined by 1 point of accuracy
        ignored_scope=nncf.IgnoredScope(names=_kept_in_32_bits(model)),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.ENABLE,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )
    _save(quantised, path, INT8)
    predict = OpenVinoCnn(path, sha256(path), BATCH_SIZE, INT8).predict
    return _save(_with_temperatures(quantised, calibrate.fit_temperatures(predict, validation)), path, INT8)


def _kept_in_32_bits(model: Any) -> list[str]:
    """Names of all operations that do not lie between the first and the last convolution of a network."""
    operations = model.get_ordered_ops()
    firsts = [op for op in operations if _is_convolution(op) and op.input(1).get_partial_shape()[1].get_length() == 1]
    behind = _reached(firsts, lambda op: (put.get_node() for out in op.outputs() for put in out.get_target_inputs()))
    lasts = [op for op in operations if _is_convolution(op)]
    before = _reached(lasts, lambda op: (put.get_source_output().get_node() for put in op.inputs()))
    # The sum and activation behind the last convolution belong to it, up to the mean over the image.
    inside = {name for name in behind if name in before} | {
        op.get_friendly_name()
        for op in operations
        if op.get_friendly_name() in behind and op.get_output_partial_shape(0).rank.get_length() == 4
    }
    computing = (op for op in operations if op.get_type_name() not in ("Parameter", "Constant", "Result", "Convert"))
    return [op.get_friendly_name() for op in computing if op.get_friendly_name() not in inside]


def _is_convolution(operation: Any) -> bool:
    return bool(operation.get_type_name() == "Convolution")


def _reached(begin: list[Any], neighbours: Any) -> set[str]:
    """Names of all operations that are reached from these, without themselves."""
    found: set[str] = set()
    waiting = list(begin)
    while waiting:
        for other in neighbours(waiting.pop()):
            if other.get_friendly_name() not in found:
                found.add(other.get_friendly_name())
                waiting.append(other)
    return found


def _with_temperatures(model: Any, temperatures: tuple[float, ...]) -> Any:
    """The model, with what goes into the softmax of each of VIEWS divided by a temperature."""
    openvino = import_openvino()
    for view, temperature in zip(VIEWS, temperatures, strict=True):
        softmax = model.output(view).get_node().input_value(0).get_node()
        if temperature != UNCALIBRATED[0]:
            logits = softmax.input_value(0)
            scale = openvino.opset13.constant(np.float32(1 / temperature))
            softmax.input(0).replace_source_output(openvino.opset13.multiply(logits, scale).output(0))
    return model


def _save(network: Any, path: Path, precision: str) -> Path:
    """Write a network beside the ``.keras`` file at ``path``, with the digest of that; returns the ``.xml`` file."""
    target = path.with_suffix(SUFFIXES[precision])
    network.set_rt_info(sha256(path), list(KERAS_DIGEST_KEY))
    # OpenVINO writes the weights beside the .xml file; they are replaced first.
    with replacing_path(target, ".part.xml") as part, replacing_path(target.with_suffix(".bin"), ".part.bin"):
        import_openvino().save_model(network, part, compress_to_fp16=True)
    return target


def _export(model: keras.Model, path: Path) -> None:
    try:
        model.export(str(path), format="openvino", verbose=False)
    except NameError as error:  # it deletes names through exec, which Python 3.13 no longer allows
        raise UsageError(f"OpenVINO's converter does not run under this Python ({error}): use 3.11 or 3.12.") from error
