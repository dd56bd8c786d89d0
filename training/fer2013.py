"""FER2013 and FER+ in the shapes in which they are found: Kaggle's csv, Kaggle's folder tree, or parquet files.

FER2013: Goodfellow et al. 2013, arXiv:1307.0414. FER+ votes: Barsoum et al. 2016, arXiv:1608.01041.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_batch.detection import crop
from fer_batch.emotions import EMOTIONS
from fer_batch.errors import FerBatchError

SPLITS = ("Training", "PublicTest", "PrivateTest")
VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""FER+'s ten columns in their published order; NF is "not a face"."""
SEVEN = tuple(VOTES.index(name) for name in EMOTIONS)
"""Positions in VOTES of the emotions, in the order of EMOTIONS."""
FOLDERS = {"angry": 0, "disgust": 1, "fear": 2, "happy": 3, "sad": 4, "surprise": 5, "neutral": 6}
"""Kaggle's folder names and the FER2013 code of each."""


class DataError(FerBatchError):
    """The data set is not in one of the shapes that this module reads. The text says which those are."""


@dataclass(frozen=True)
class Split:
    """One official split, rows in the order of the file.

    ``images`` (N, 48, 48) uint8; ``labels`` (N,) FER2013 codes, which are positions in EMOTIONS; ``votes`` (N, 10) of
    FER+ in the order of VOTES, all zero where there are none.
    """

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Split":
        """The rows of an index or a mask."""
        return Split(self.images[rows], self.labels[rows], self.votes[rows])

    def head(self, count: int) -> "Split":
        """The first rows, or all where there are fewer."""
        return self.take(np.arange(min(count, len(self))))

    @property
    def shares(self) -> np.ndarray:
        """(N, 7) float32: of the raters who chose one of EMOTIONS, the share that chose each; zeros where none did."""
        seven = self.votes[:, SEVEN].astype(np.float32)
        shares: np.ndarray = seven / np.maximum(seven.sum(axis=1, keepdims=True), 1)
        return shares

    @property
    def has_shares(self) -> np.ndarray:
        """(N,) bool: a rater chose one of EMOTIONS."""
        has_shares: np.ndarray = self.votes[:, SEVEN].sum(axis=1) > 0
        return has_shares

    @property
    def majority(self) -> np.ndarray:
        """(N,) position in EMOTIONS of FER+'s top vote; -1 where it is tied or is none of EMOTIONS."""
        top = self.votes.max(axis=1, keepdims=True)
        unique = (self.votes == top).sum(axis=1) == 1
        seven = self.votes[:, SEVEN] == top
        return np.where(unique & seven.any(axis=1), seven.argmax(axis=1), -1)

    @property
    def sha256(self) -> str:
        """Hex digest over every image, label and vote, in order; the same in every shape that holds the same rows."""
        digest = hashlib.sha256()
        for values in (self.images, self.labels, self.votes):
            digest.update(values.astype(np.uint8).tobytes())
        return digest.hexdigest()


def read_data_set(path: Path) -> dict[str, Split]:
    """The splits of the data set at ``path``, by their official names.

    ``path`` is fer2013.csv (with FER+'s fer2013new.csv beside it, if there is one), a folder that holds it, a folder
    of parquet files, or the folder tree with ``train/angry/`` and so on. In the tree an image's split is the prefix
    of its name (``PublicTest_…``, as on Kaggle); without such prefixes ``test/`` is PrivateTest.

    Raises:
        DataError: nothing of the kind is there, or it is damaged.
    """
    read, path = _reader(path)
    try:
        splits = read(path)
    except KeyError as error:
        raise DataError(f"{path} is not FER2013 as expected: there is no column {error}.") from error
    except (ValueError, OverflowError, OSError, cv2.error) as error:
        raise DataError(f"{path} is not FER2013 as expected: {error}.") from error
    if not splits:
        raise DataError(f"{path} holds no rows of {', '.join(SPLITS)}.")
    return splits


def _reader(path: Path) -> tuple[Callable[[Path], dict[str, Split]], Path]:
    """The function that reads the data set's shape, and the path that it reads."""
    if path.suffix == ".csv" and path.is_file():
        return _read_csv, path
    if (path / "fer2013.csv").is_file():
        return _read_csv, path / "fer2013.csv"
    if any(path.glob("*.parquet")):
        return _read_parquet, path
    if (path / "train").is_dir():
        return _read_folders, path
    raise DataError(
        f"No FER2013 at {path}: expected fer2013.csv (and fer2013new.csv beside it for FER+), a folder of parquet "
        "files with the columns usage, emotion, image and FER+'s votes, or a folder tree train/angry/*.jpg, "
        "test/angry/*.jpg."
    )


def _read_csv(path: Path) -> dict[str, Split]:
    # One of Kaggle's files, icml_face_data.csv, has a space before each name of a column.
    table = pd.read_csv(path, dtype={"pixels": str, "Usage": str}, keep_default_na=False, skipinitialspace=True)
    images = np.stack([_parse(pixels) for pixels in table["pixels"]])
    votes = np.zeros((len(table), len(VOTES)), np.uint8)
    ferplus = path.with_name("fer2013new.csv")
    if ferplus.is_file():
        rows = pd.read_csv(ferplus)
        if list(rows["Usage"]) != list(table["Usage"]):
            raise DataError(f"{ferplus} does not have the rows of {path} in the same order.")
        votes = rows[list(VOTES)].to_numpy(np.uint8)
    return _by_usage(table["Usage"].to_numpy(str), Split(images, table["emotion"].to_numpy(np.int64), votes))


def _read_parquet(path: Path) -> dict[str, Split]:
    table = pd.concat([pd.read_parquet(part) for part in sorted(path.glob("*.parquet"))], ignore_index=True)
    images = np.stack([_decode(encoded) for encoded in table["image"]])
    votes = table[list(VOTES)].to_numpy(np.uint8)
    return _by_usage(table["usage"].to_numpy(str), Split(images, table["emotion"].to_numpy(np.int64), votes))


def _read_folders(path: Path) -> dict[str, Split]:
    usages, codes, images = [], [], []
    for half, default in (("train", "Training"), ("test", "PrivateTest")):
        for folder, code in FOLDERS.items():
            for file in sorted((path / half / folder).iterdir()):
                prefix = file.name.split("_")[0]
                usages.append(prefix if prefix in SPLITS else default)
                codes.append(code)
                images.append(_decode(file.read_bytes()))
    votes = np.zeros((len(codes), len(VOTES)), np.uint8)
    return _by_usage(np.array(usages), Split(np.stack(images), np.array(codes, np.int64), votes))


def _parse(pixels: str) -> np.ndarray:
    return np.array(pixels.split(), np.uint8).reshape(crop.CROP_SIDE, crop.CROP_SIDE)


def _decode(encoded: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError("an image in it cannot be decoded")
    return image if image.shape == (crop.CROP_SIDE, crop.CROP_SIDE) else crop.resample(image)


def _by_usage(usages: np.ndarray, rows: Split) -> dict[str, Split]:
    if not np.isin(rows.labels, range(len(EMOTIONS))).all():
        raise ValueError(f"an emotion's code is not one of 0 to {len(EMOTIONS) - 1}")
    return {usage: rows.take(usages == usage) for usage in SPLITS if (usages == usage).any()}
