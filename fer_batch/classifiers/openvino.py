"""Runs the CNN with OpenVINO: the runtime for CPUs. It starts in a tenth of a second, TensorFlow in several seconds.

It reads an OpenVINO model (``.xml`` and ``.bin``) that training writes beside the ``.keras`` file, in 32 or in 8 bits.
It contains the digest of the ``.keras`` file, so that files of different models are not used together.
"""

from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.classifiers import batching
from fer_batch.classifiers.base import not_loaded
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError
from fer_batch.openvino_net import F32, INT8, CompiledNet, import_openvino

KERAS_DIGEST_KEY = ("fer_batch", "keras_sha256")
"""Path in the model's runtime information to the digest of its ``.keras`` file."""

SUFFIXES = {F32: ".xml", INT8: ".int8.xml"}
"""What the file for each precision ends with."""

MAX_BATCH_FACES = 64
"""Most faces in one call. Milliseconds for a face on one thread of an AMD EPYC: 1.8 for batches of 1, 1.2 for 16, 1.1
for 32 and 64, 1.2 for 128 and 256. Memory grows with the batch."""


class OpenVinoCnn:
    """Implements :class:`fer_batch.classifiers.base.Classifier`.

    Args:
        path: the ``.keras`` file; an ``.xml`` and a ``.bin`` file must be beside it.
        keras_sha256: digest of the ``.keras`` file from which it must have been exported.
        batch_size: faces in one call, 1 or more; at most MAX_BATCH_FACES are used.
        precision: one of SUFFIXES.

    Raises:
        ModelError: it is missing or damaged, or was exported from another model.
    """

    def __init__(self, path: Path, keras_sha256: str, batch_size: int, precision: str) -> None:
        path = path.with_suffix(SUFFIXES[precision])
        openvino = import_openvino()
        core = openvino.Core()
        key = list(KERAS_DIGEST_KEY)
        try:
            model = core.read_model(path)
            found = model.get_rt_info(key).astype(str) if model.has_rt_info(key) else None
        except RuntimeError as error:
            raise not_loaded(path, "an OpenVINO", error) from error
        if found != keras_sha256:
            raise ModelError(f"{path.name} is another model's: export it again, or use --runtime tensorflow.")
        self._output_indices = [_output_index(path, model, view) for view in VIEWS]
        self._sizes = batching.sizes(min(batch_size, MAX_BATCH_FACES))
        self._nets: dict[int, CompiledNet] = {}
        for size in self._sizes:
            fixed = model.clone()
            fixed.reshape([size, CROP_SIDE, CROP_SIDE])
            self._nets[size] = CompiledNet(core, fixed, precision)
        self.runtime = f"openvino {openvino.__version__} on CPU, {precision}"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares (N, 2, 7) float32 of faces (N, 48, 48) uint8."""
        return batching.predict(faces, self._sizes, self._shares)

    def _shares(self, batch: np.ndarray) -> np.ndarray:
        net = self._nets[len(batch)]
        net.input[:] = batch
        outputs = net()
        return np.stack([outputs[index] for index in self._output_indices], axis=1)


def _output_index(path: Path, model: Any, view: str) -> int:
    for index, output in enumerate(model.outputs):
        if view in output.get_names() and output.partial_shape[1].get_length() == len(EMOTIONS):
            return index
    raise ModelError(f"{path.name} has no output {view} of {len(EMOTIONS)} emotions.")
