"""A trained model as a plain function, under any backend of Keras: evaluation needs no TensorFlow."""

from pathlib import Path

import keras
import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError
from training.evaluate import Predict

BATCH_SIZE = 256


def load(path: Path) -> keras.Model:
    """The model of a file that :mod:`training.export` wrote and :class:`ModelFile` has checked.

    Raises:
        ModelError: it does not hold a network that gives shares for each of VIEWS, or is not safe to load.
    """
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises errors of many types
        first_line = str(error).partition("\n")[0]
        raise ModelError(f"{path.name} cannot be loaded as a Keras model: {first_line}") from error
    if not isinstance(model.output, dict) or set(model.output) != set(VIEWS):
        raise ModelError(f"{path.name} does not answer in the views {', '.join(VIEWS)}.")
    return model


def predictor(model: keras.Model) -> Predict:
    """``model``, which gives ``{view: (N, 7) shares}``, as a function from (N, 48, 48) uint8 to (N, 2, 7) float32."""

    def predict(faces: np.ndarray) -> np.ndarray:
        if len(faces) == 0:
            return np.empty((0, len(VIEWS), len(EMOTIONS)), np.float32)
        # Every batch has the same shape, so that the backend compiles once.
        padded = np.concatenate([faces, np.zeros((-len(faces) % BATCH_SIZE, *faces.shape[1:]), faces.dtype)])
        shares = model.predict(padded, batch_size=BATCH_SIZE, verbose=0)
        return np.stack([shares[view] for view in VIEWS], axis=1)[: len(faces)]

    return predict
