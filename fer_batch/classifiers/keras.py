"""Runs the CNN with TensorFlow: the reference runtime, and the one for GPUs. No other module imports TensorFlow."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.classifiers import batching
from fer_batch.classifiers.base import not_loaded
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError


class KerasCnn:
    """Implements :class:`fer_batch.classifiers.base.Classifier`.

    Args:
        path: a ``.keras`` file with one input (N, 48, 48) and one output (N, 7) for each of VIEWS.
        batch_size: faces in one call, 1 or more.

    Raises:
        ModelError: the file is damaged or not safe to load, or its input or outputs have other shapes.
    """

    def __init__(self, path: Path, batch_size: int) -> None:
        tf, keras = _start()
        try:
            # Safe mode refuses files that contain code.
            self._model = keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises errors of any type
            raise not_loaded(path, "a Keras", error) from error
        _check(path, self._model)
        self._sizes = batching.sizes(batch_size)
        self._call = tf.function(self._shares, jit_compile=False)
        gpus = tf.config.list_physical_devices("GPU")
        self.runtime = f"tensorflow {tf.__version__} on {'GPU' if gpus else 'CPU'}"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares (N, 2, 7) float32 of faces (N, 48, 48) uint8."""
        return batching.predict(faces, self._sizes, lambda batch: self._call(batch).numpy())

    def _shares(self, batch: Any) -> Any:
        import tensorflow as tf

        outputs: Mapping[str, Any] = self._model(tf.cast(batch, tf.float32), training=False)
        return tf.stack([tf.cast(outputs[view], tf.float32) for view in VIEWS], axis=1)


def _start() -> tuple[Any, Any]:
    """Import TensorFlow without its messages, and let it allocate a GPU's memory as needed, instead of all of it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with _stderr_discarded():
            import keras
            import tensorflow as tf

            gpus = tf.config.list_physical_devices("GPU")
    except ImportError as error:
        raise ModelError(f"TensorFlow cannot be imported ({error}). Install it: pip install tensorflow.") from error
    if keras.backend.backend() != "tensorflow":
        raise ModelError("Keras is set to another backend; unset KERAS_BACKEND or set it to tensorflow.")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return tf, keras


@contextmanager
def _stderr_discarded() -> Iterator[None]:
    """Send stderr to the null device, for native code too: TensorFlow writes to it before it reads its log level."""
    sys.stderr.flush()
    stderr = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _check(path: Path, model: Any) -> None:
    """Raise ModelError unless the model's input and outputs have the shapes that fer-batch needs."""
    inputs = [tuple(tensor.shape) for tensor in model.inputs]
    outputs = model.output
    shapes = {name: tuple(tensor.shape) for name, tensor in outputs.items()} if isinstance(outputs, Mapping) else None
    wanted = {view: (None, len(EMOTIONS)) for view in VIEWS}
    if inputs != [(None, CROP_SIDE, CROP_SIDE)] or shapes != wanted:
        raise ModelError(
            f"{path.name} maps {inputs} to {shapes or outputs}, but fer-batch needs one input "
            f"(N, {CROP_SIDE}, {CROP_SIDE}) and the outputs {wanted}."
        )
