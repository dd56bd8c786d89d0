"""A wide network made of narrower ones that are trained: it begins as good as their mean, and has room to learn more.

The narrow networks stand side by side in the wide one: each channel of it is a channel of one of them, and a weight
between channels of two of them is 0. Its logits are the mean of theirs. Training then fills in the weights between
them. It is Net2Net's idea (Chen et al. 2016, arXiv:1511.05641), to begin a larger network with what smaller ones know,
with several of them in the place of copies of one.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import layers

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.errors import UsageError
from training import export, network, prediction, provenance
from training.config import Config, from_facts


def widen(files: Sequence[ModelFile], out: Path) -> Config:
    """Write the network of those in ``files`` side by side; returns the configuration that has its shape.

    Raises:
        UsageError: they do not have as many stages and blocks as each other, or are committees.
        ModelError: a file does not hold a network of ours.
        OutputError: ``out`` cannot be written.
    """
    facts = [file.metadata.get("provenance", {}) for file in files]
    if not all("config" in one for one in facts):
        raise UsageError("Only single networks can be put side by side: take a committee apart first, with `split`.")
    configs = [from_facts(one["config"]) for one in facts]
    if len({(config.stage_blocks, config.squeeze) for config in configs}) > 1 or configs[0].squeeze:
        raise UsageError("Only plain networks with as many blocks in every stage can be put side by side.")
    wide = replace(
        configs[0],
        stem_filters=sum(config.stem_filters for config in configs),
        stage_filters=tuple(map(sum, zip(*(config.stage_filters for config in configs), strict=True))),
    )
    trained = side_by_side([prediction.load(file.path) for file in files], wide)
    export.write_model(export.with_shares(trained, wide), out, provenance.side_by_side(wide, files))
    return wide


def side_by_side(models: Sequence[keras.Model], config: Config) -> keras.Model:
    """The network of ``config``, as :func:`training.network.build` makes it, with the weights of narrower ones.

    Raises:
        UsageError: one of them does not have its layers, such as those that normalize light.
    """
    wide = network.build(config)
    names = {layer.name for layer in wide.layers}
    if any(not names <= {layer.name for layer in model.layers} for model in models):
        raise UsageError(
            "Only networks with the same layers can be put side by side: one was made by an earlier recipe."
        )
    for layer in wide.layers:
        parts = [model.get_layer(layer.name).get_weights() for model in models] if layer.weights else []
        if isinstance(layer, layers.Conv2D):
            layer.set_weights([_joined_kernels([kernel for (kernel,) in parts], layer.kernel.shape)])
        elif isinstance(layer, layers.Dense):
            kernels, biases = zip(*parts, strict=True)
            layer.set_weights([np.concatenate(kernels) / len(models), np.mean(biases, axis=0)])
        elif parts:
            layer.set_weights([np.concatenate(weights) for weights in zip(*parts, strict=True)])
    return wide


def _joined_kernels(kernels: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Kernels (H, W, inputs, filters) on the diagonal of one of this shape; in the first layer they share the input."""
    joined = np.zeros(shape, np.float32)
    row = column = 0
    for kernel in kernels:
        rows, columns = kernel.shape[2:]
        joined[:, :, row : row + rows, column : column + columns] = kernel
        row, column = row + rows if shape[2] > rows else row, column + columns
    return joined
