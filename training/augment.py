"""Augmentation as Keras layers, so that it runs in the training graph, on the device that trains."""

import math
from collections.abc import Iterable
from typing import Any

import cv2
import keras
import numpy as np
from keras import layers, ops

from fer_batch.detection.crop import CROP_SIDE
from training.config import Config

LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
"""JPEG's quantization steps of luminance at quality 50, in grey levels, by vertical and horizontal frequency."""


def placement(config: Config) -> keras.Model:
    """A model from (N, 48, 48) grey levels in 0..255 to the same, placed at random while training."""
    place = RandomPlacement(config.rotation_degrees, config.translation, config.scale, seed=config.seed)
    return _sequence([place], name="placement")


def degradation(config: Config) -> keras.Model:
    """A model from (N, 48, 48) grey levels in 0..255 to the same, of worse quality at random while training.

    Apart from :func:`placement`, because a teacher sees the face in the same place, but in its full quality.
    """
    steps = [
        RandomSoftness(config.softness, seed=config.seed + 1),
        RandomDarkness(config.darkness, seed=config.seed + 2),
        RandomCompression(config.compression, seed=config.seed + 3),
        layers.RandomErasing(config.erasing, fill_value=127.5, seed=config.seed + 4),
    ]
    return _sequence(steps, name="degradation")


def _sequence(steps: list[keras.Layer], name: str) -> keras.Model:
    faces = keras.Input((CROP_SIDE, CROP_SIDE))
    return keras.Sequential(
        [faces, layers.Reshape((CROP_SIDE, CROP_SIDE, 1)), *steps, layers.Reshape((CROP_SIDE, CROP_SIDE))], name=name
    )


class RandomPlacement(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Mirror, turn, scale and shift each image by a single affine map, so that it is resampled only once.

    A detector does not place its boxes as FER2013's makers did: the faces that the network sees in use are turned,
    shifted and scaled in comparison with those that it learnt from.

    Args:
        rotation_degrees: largest turn to either side.
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
        """Images (N, H, W, C) to the same; unchanged unless ``training``."""
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


class _Random(layers.Layer):  # type: ignore[misc] # Keras has no types
    """A change of some images, and only while training.

    Args:
        probability: that an image is changed.
        seed: seed of the random numbers.
    """

    def __init__(self, probability: float, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.probability = probability
        self.random = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Images (N, 48, 48, 1) in 0..255 to the same; unchanged unless ``training``."""
        if not training or not self.probability:
            return images
        chosen = self.uniform(images, 0.0, 1.0) < self.probability
        changed = ops.clip(self.change(ops.squeeze(images, -1)), 0.0, 255.0)
        return ops.where(ops.expand_dims(chosen, -1), ops.expand_dims(changed, -1), images)

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """(N, 48, 48) images to the same, all of them changed."""
        raise NotImplementedError

    def uniform(self, images: keras.KerasTensor, low: float, high: float) -> keras.KerasTensor:
        """(N, 1, 1) random numbers, one for each image."""
        return keras.random.uniform((ops.shape(images)[0], 1, 1), low, high, seed=self.random)


class RandomSoftness(_Random):
    """Blur an image, or reduce and enlarge it again as :func:`fer_batch.detection.crop.resample` does.

    Both are linear and the same along rows and columns, so each is a matrix that is applied from both sides.
    """

    SIGMAS = np.arange(0.5, 2.01, 0.25)
    """Of the Gaussian blurs, in pixels of the 48x48 image."""
    SIDES = range(14, 46, 2)
    """Sides of the reduced images, in pixels."""

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:  # noqa: D102
        matrices = _softeners(self.SIGMAS, self.SIDES)
        index = ops.cast(ops.floor(self.uniform(images, 0.0, float(len(matrices)))), "int32")
        chosen = ops.take(matrices, ops.minimum(index[:, 0, 0], len(matrices) - 1), axis=0)
        return ops.matmul(ops.matmul(chosen, images), ops.transpose(chosen, (0, 2, 1)))


class RandomDarkness(_Random):
    """Darken an image, and add a sensor's noise."""

    LIGHT = (0.15, 1.0)
    """Least and greatest factor of the grey levels."""
    NOISE = (0.0, 8.0)
    """Least and greatest standard deviation of the noise, in grey levels."""

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:  # noqa: D102
        noise = keras.random.normal(ops.shape(images), seed=self.random)
        noisy = images * self.uniform(images, *self.LIGHT) + noise * self.uniform(images, *self.NOISE)
        return ops.round(noisy)


class RandomCompression(_Random):
    """Quantize as JPEG does: the cosine terms of each 8x8 block are rounded to multiples of the quality's step sizes.

    The table of step sizes is that of ITU-T T.81, annex K.1, scaled by the quality as libjpeg does.
    """

    QUALITY = (8.0, 80.0)
    """Least and greatest, 0 to 100 as libjpeg counts."""

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:  # noqa: D102
        quality = self.uniform(images, *self.QUALITY)
        percent = ops.where(quality < 50, 5000 / quality, 200 - 2 * quality)
        steps = ops.clip(
            ops.floor((percent * np.tile(LUMINANCE, (CROP_SIDE // 8, CROP_SIDE // 8)) + 50) / 100), 1.0, 255.0
        )
        cosines = ops.convert_to_tensor(_block_cosines())
        terms = ops.matmul(ops.matmul(cosines, images - 128), ops.transpose(cosines))
        kept = ops.round(terms / steps) * steps
        return ops.round(ops.matmul(ops.matmul(ops.transpose(cosines), kept), cosines) + 128)


def _softeners(sigmas: Iterable[float], sides: Iterable[int]) -> np.ndarray:
    """(K, 48, 48) float32: the matrices of OpenCV's blurs and changes of size, for a column of an image."""
    columns = np.eye(CROP_SIDE, dtype=np.float32)
    blurs = [
        cv2.sepFilter2D(
            columns, -1, np.ones(1), cv2.getGaussianKernel(2 * math.ceil(4 * sigma) + 1, sigma), None, (-1, -1), 0,
            cv2.BORDER_REPLICATE,
        )
        for sigma in sigmas
    ]  # fmt: skip
    reduced = [cv2.resize(columns, (CROP_SIDE, side), interpolation=cv2.INTER_AREA) for side in sides]
    enlarged = [cv2.resize(image, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_LINEAR) for image in reduced]
    return np.stack([*blurs, *enlarged])


def _block_cosines() -> np.ndarray:
    """(48, 48) float32: the orthonormal cosine transform of each eight rows."""
    eight_rows = cv2.dct(np.eye(8, dtype=np.float32), flags=cv2.DCT_ROWS).T
    return np.kron(np.eye(CROP_SIDE // 8, dtype=np.float32), eight_rows)
