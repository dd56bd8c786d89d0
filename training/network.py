"""The network: grey 48x48 faces in, two heads of seven logits out. Backend-neutral Keras 3."""

import math

import keras
from keras import layers

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from training.config import Config


def build(config: Config) -> keras.Model:
    """A residual net from (N, 48, 48) grey levels in 0..255 to ``{view: (N, 7) logits}``.

    The first layers bring every image to mean 0 and variance 1, so that light and contrast do not matter, and training
    and use cannot differ. The last batch normalisation of a block starts at zero, so that the block starts as the
    identity (Goyal et al. 2017, arXiv:1706.02677).
    """
    inputs = keras.Input((CROP_SIDE, CROP_SIDE), name="faces")
    x = layers.Reshape((CROP_SIDE, CROP_SIDE, 1), name="channel")(inputs)
    x = layers.LayerNormalization((1, 2, 3), center=False, scale=False, epsilon=1.0, dtype="float32", name="light")(x)
    x = layers.Rescaling(0.5, name="scale")(x)
    x = _convolve(x, config.stem_filters, name="stem")
    for stage, (filters, blocks) in enumerate(zip(config.stage_filters, config.stage_blocks, strict=True)):
        for block in range(blocks):
            stride = 2 if block == 0 else 1
            x = _residual_block(x, filters, stride, config.squeeze, name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    logits = {view: layers.Dense(len(EMOTIONS), dtype="float32", name=f"{view}_logits")(x) for view in VIEWS}
    return keras.Model(inputs, logits, name="network")


def multiply_adds(network: keras.Model) -> int:
    """Multiply-adds of an image, over convolutions and dense layers."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            _, height, width, _ = layer.output.shape
            total += height * width * math.prod(layer.kernel.shape)
        elif isinstance(layer, layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total


def _residual_block(x: keras.KerasTensor, filters: int, stride: int, squeeze: int, name: str) -> keras.KerasTensor:
    """Two 3x3 convolutions beside a shortcut, projected where the shape changes."""
    shortcut = x
    if stride != 1 or x.shape[-1] != filters:
        shortcut = _convolve(x, filters, kernel=1, stride=stride, activation=None, name=f"{name}_shortcut")
    y = _convolve(x, filters, stride=stride, name=f"{name}_first")
    y = _convolve(y, filters, activation=None, gamma="zeros", name=f"{name}_second")
    if squeeze:
        y = _excite(y, filters // squeeze, name=f"{name}_squeeze")
    y = layers.Add(name=f"{name}_add")([shortcut, y])
    return layers.ReLU(name=f"{name}_out")(y)


def _excite(x: keras.KerasTensor, bottleneck: int, name: str) -> keras.KerasTensor:
    """Every channel weighted by the means of all channels over the whole image (squeeze and excitation)."""
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    weights = layers.Dense(bottleneck, activation="relu", name=f"{name}_reduce")(weights)
    weights = layers.Dense(x.shape[-1], activation="sigmoid", name=f"{name}_expand")(weights)
    return layers.Multiply(name=f"{name}_weigh")([x, weights])


def _convolve(
    x: keras.KerasTensor,
    filters: int,
    *,
    name: str,
    kernel: int = 3,
    stride: int = 1,
    activation: str | None = "relu",
    gamma: str = "ones",
) -> keras.KerasTensor:
    """Convolution without bias, batch normalisation, and an activation, if any."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(gamma_initializer=gamma, momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.Activation(activation, name=f"{name}_act")(x) if activation else x
