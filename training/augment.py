"""Augmentation as Keras layers, so that it runs inside the training graph, on whatever device trains."""

import math
from typing import Any

import keras
from keras import layers, ops

from fer_batch.faces import SIDE
from training.config import Config


def build(config: Config) -> keras.Model:
    """A model from (N, 48, 48) grey levels in 0..255 to the same, changed at random when ``training`` is true."""
    steps = [
        keras.Input((SIDE, SIDE)),
        layers.Reshape((SIDE, SIDE, 1)),
        RandomPlacement(config.rotation_degrees, config.translation, config.scale, seed=config.seed),
        layers.RandomBrightness(config.brightness, seed=config.seed + 1),
        layers.RandomContrast(config.contrast, seed=config.seed + 2),
    ]
    if config.blur:
        steps.append(layers.RandomGaussianBlur(config.blur, kernel_size=5, sigma=1.0, seed=config.seed + 4))
    if config.darkening:
        steps.append(RandomDarkness(config.darkening, seed=config.seed + 5))
    steps += [
        layers.RandomErasing(config.erasing, fill_value=127.5, seed=config.seed + 3),
        layers.Reshape((SIDE, SIDE)),
    ]
    return keras.Sequential(steps, name="augment")


class RandomPlacement(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Mirror, turn, scale and shift each picture by one affine map, so that it is resampled only once.

    A detector does not place its boxes as FER2013's makers did: what the network sees in use is turned, shifted and
    scaled against what it learnt from.

    Args:
        rotation_degrees: largest turn either way.
        translation: largest shift along each axis, as a share of the side.
        scale: largest scaling: a factor between 1 / (1 + scale) and 1 + scale, uniform in its logarithm.
        seed: seed of the random numbers.
    """

    def __init__(self, rotation_degrees: float, translation: float, scale: float, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.angle = math.radians(rotation_degrees)
        self.translation = translation
        self.log_scale = math.log1p(scale)
        self.random = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Images of shape (N, H, W, C); unchanged unless ``training``."""
        if not training:
            return images
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]

        def uniform(limit: float) -> keras.KerasTensor:
            return keras.random.uniform((count,), -limit, limit, seed=self.random)

        angle, stretch = uniform(self.angle), ops.exp(uniform(self.log_scale))
        mirror = ops.where(uniform(1.0) < 0, -1.0, 1.0)
        shift_x, shift_y = uniform(self.translation * width), uniform(self.translation * height)
        # Output (x, y), measured from the centre, is read at A (x, y) + centre + shift.
        cosine, sine = ops.cos(angle) * stretch, ops.sin(angle) * stretch
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        a0, a1, b0, b1 = cosine * mirror, -sine, sine * mirror, cosine
        a2 = centre_x + shift_x - a0 * centre_x - a1 * centre_y
        b2 = centre_y + shift_y - b0 * centre_x - b1 * centre_y
        zero = ops.zeros_like(a0)
        transform = ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)
        return ops.image.affine_transform(images, transform, interpolation="bilinear", fill_mode="nearest")


class RandomDarkness(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Take light away from each picture, and add a camera's noise.

    Args:
        darkening: largest part of the light that is taken away, 0 to 1.
        seed: seed of the random numbers.
    """

    NOISE = 3.0
    """Standard deviation in grey levels."""

    def __init__(self, darkening: float, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.darkening = darkening
        self.random = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Images of shape (N, H, W, C) in 0..255; unchanged unless ``training``."""
        if not training:
            return images
        light = 1 - keras.random.uniform((ops.shape(images)[0], 1, 1, 1), 0, self.darkening, seed=self.random)
        noise = keras.random.normal(ops.shape(images), stddev=self.NOISE, seed=self.random)
        return ops.clip(images * light + noise, 0, 255)
