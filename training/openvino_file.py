"""The model for OpenVINO, the fastest runtime on CPUs: an ``.xml`` and a ``.bin`` beside the ``.keras`` file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from fer_batch.classifiers.model_file import sha256
from fer_batch.classifiers.openvino import KERAS_DIGEST_KEY
from fer_batch.errors import UsageError
from fer_batch.openvino_net import import_openvino
from fer_batch.output.files import replacing_path
from training.prediction import load


def write_openvino(path: Path) -> Path:
    """Convert the ``.keras`` file at ``path``; returns the ``.xml`` file, which holds the other's digest.

    Weights stay in float32, so that both files give the same shares. Each of the two files is replaced only when it is
    whole; the digest tells files that do not belong together.

    Raises:
        ModelError: the ``.keras`` file does not hold a network of ours, or is not safe to load.
        OutputError: a file cannot be written.
        UsageError: OpenVINO's converter does not run under this Python.
    """
    openvino = import_openvino()
    model = load(path)
    target, weights = path.with_suffix(".xml"), path.with_suffix(".bin")
    # OpenVINO writes the weights beside the .xml file; they are replaced first.
    with (
        replacing_path(target, ".part.xml") as part,
        replacing_path(weights, ".part.bin"),
        TemporaryDirectory() as folder,
    ):
        exported = Path(folder, "exported.xml")
        _export(model, exported)
        network = openvino.Core().read_model(exported)
        network.set_rt_info(sha256(path), list(KERAS_DIGEST_KEY))
        openvino.save_model(network, part, compress_to_fp16=False)
        del network  # it keeps the exported file open
    return target


def _export(model: keras.Model, path: Path) -> None:
    try:
        model.export(str(path), format="openvino", verbose=False)
    except NameError as error:  # it deletes names through exec, which Python 3.13 no longer allows
        raise UsageError(f"OpenVINO's converter does not run under this Python ({error}): use 3.11 or 3.12.") from error
