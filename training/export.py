"""The trained network as a model file: shares instead of logits, all in float32, and its provenance."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from fer_batch.classifiers.model_file import METADATA_MEMBER
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError
from fer_batch.output.files import replacing_path
from training import network
from training.config import Config
from training.evaluate import UNCALIBRATED


def with_shares(trained: keras.Model, config: Config, temperatures: Sequence[float] = UNCALIBRATED) -> keras.Model:
    """The network that ``config`` made, from (N, 48, 48) grey levels in 0..255 to ``{view: (N, 7) shares}``.

    ``temperatures``, one for each of VIEWS, divide the logits before the softmax (Guo et al. 2017, arXiv:1706.04599):
    above 1 the shares become more even, the order of the emotions stays. Layers are Keras's own, so that the file loads
    in safe mode.
    """
    # Also in mixed precision the weights are float32; only the layers that use them must be made anew.
    keras.config.set_dtype_policy("float32")
    rebuilt = network.build(config)
    rebuilt.set_weights(trained.get_weights())
    shares = {}
    for view, temperature in zip(VIEWS, temperatures, strict=True):
        cooled = layers.Rescaling(1 / temperature, name=f"{view}_temperature")(rebuilt.output[view])
        shares[view] = layers.Softmax(name=f"{view}_shares")(cooled)
    return keras.Model(rebuilt.input, shares, name="fer2013")


def read_temperatures(model: keras.Model) -> tuple[float, ...]:
    """What the logits of ``model`` are divided by before the softmax, for each of VIEWS.

    Raises:
        ModelError: its logits go into the softmax without a temperature.
    """
    return tuple(1 / _temperature_layer(model, view).scale for view in VIEWS)


def with_temperatures(model: keras.Model, temperatures: Sequence[float]) -> keras.Model:
    """A copy of a model that :func:`with_shares` made, with other temperatures, one for each of VIEWS.

    Raises:
        ModelError: its logits go into the softmax without a temperature.
    """
    scales = {
        _temperature_layer(model, view).name: 1 / temperature
        for view, temperature in zip(VIEWS, temperatures, strict=True)
    }

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer.name in scales:
            config["scale"] = scales[layer.name]
        return type(layer).from_config(config)

    copied = keras.models.clone_model(model, clone_function=copy)
    copied.set_weights(model.get_weights())
    return copied


def with_biases(model: keras.Model, biases: np.ndarray) -> keras.Model:
    """A copy of a model that :func:`with_shares` made, with ``biases`` (2, 7) added to the logits of each of VIEWS."""
    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    for view, added in zip(VIEWS, biases, strict=True):
        kernel, bias = copied.get_layer(f"{view}_logits").get_weights()
        copied.get_layer(f"{view}_logits").set_weights([kernel, bias + added.astype(np.float32)])
    return copied


def write_model(model: keras.Model, path: Path, provenance: Mapping[str, Any]) -> None:
    """Write ``model`` as a ``.keras`` file that names its emotions and views and carries ``provenance``.

    The file replaces another at ``path`` only when it is whole.

    Raises:
        OutputError: it cannot be written.
    """
    metadata = {
        "emotions": list(EMOTIONS),
        "views": list(VIEWS),
        "input": {"shape": [CROP_SIDE, CROP_SIDE], "dtype": "float32", "values": "grey levels, 0 black to 255 white"},
        "provenance": dict(provenance),
    }
    with replacing_path(path, ".part.keras") as part:  # Keras insists on the suffix
        model.save(part)
        with zipfile.ZipFile(part, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(METADATA_MEMBER, json.dumps(metadata, indent=2))


def _temperature_layer(model: keras.Model, view: str) -> layers.Rescaling:
    """The layer that divides the view's logits; raises ModelError where there is none."""
    name = f"{view}_temperature"
    for layer in model.layers:
        if layer.name == name and isinstance(layer, layers.Rescaling):
            return layer
    raise ModelError(f"The model has no layer {name} that could be set; make it with `python -m training fit`.")
