"""The model for OpenVINO, the fastest runtime on CPUs: an ``.xml`` and a ``.bin`` beside the ``.keras`` file."""

import os
from pathlib import Path

import keras

from fer_batch.classifiers.model_file import sha256
from fer_batch.classifiers.openvino import ORIGIN
from fer_batch.errors import OutputError, UsageError
from fer_batch.openvino_net import import_openvino


def write(path: Path) -> Path:
    """Export the ``.keras`` file at ``path``; gives the ``.xml`` file, which names the digest of the ``.keras`` file.

    Weights stay in float32, so that both answer alike. Each of the two files takes its place only when it is whole; a
    pair that does not belong together is told by the digest.

    Raises:
        OutputError: a file cannot be written.
        UsageError: OpenVINO's converter does not run under this Python.
    """
    openvino = import_openvino()
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    exported, part = (path.with_name(f"{path.stem}.{name}.xml") for name in ("exported", "part"))
    try:
        try:
            _export(model, exported)
            network = openvino.Core().read_model(exported)
            network.set_rt_info(sha256(path), list(ORIGIN))
            openvino.save_model(network, part, compress_to_fp16=False)
            del network  # it holds the exported file open
            for suffix in (".bin", ".xml"):
                os.replace(part.with_suffix(suffix), path.with_suffix(suffix))
        finally:
            for temporary in (exported, part):
                for suffix in (".bin", ".xml"):
                    temporary.with_suffix(suffix).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write beside {path}: {error.strerror or error}.") from error
    return path.with_suffix(".xml")


def _export(model: keras.Model, path: Path) -> None:
    try:
        model.export(str(path), format="openvino", verbose=False)
    except NameError as error:  # it deletes names through exec, which Python 3.13 no longer lets it do
        raise UsageError(f"OpenVINO's converter does not run under this Python ({error}): use 3.11 or 3.12.") from error
