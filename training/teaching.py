"""What teachers answer, asked once and kept in files; so a student costs what it costs without them.

Answers are about Training's own pictures, and small enough to be passed on; or about lessons: several views of every
picture, each placed and mixed at random, so that the student learns what the teachers make of exactly what it sees
(Beyer et al. 2022, arXiv:2106.05237). Neither is spoilt as a student's pictures are spoilt: a poor picture is taught to
mean what the good one does.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_batch.classifiers import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import UsageError
from fer_batch.faces import SIDE
from fer_batch.wholefile import replacing_path
from training import augment, batches, prediction, provenance
from training.config import Config
from training.fer2013 import Split

LESSON_BATCH = 2048
"""Pictures that a teacher of lessons is shown at once: there are a million, and a GPU is quickest with many."""


@dataclass(frozen=True)
class Answers:
    """The mean shares of several teachers, ``(V, N, 2, 7)``: views, rows as in Training, then VIEWS and EMOTIONS."""

    shares: np.ndarray
    data_sha256: str
    """Of the rows that were asked about."""
    teachers: Sequence[dict[str, Any]]
    """SHA-256 and provenance of each."""
    pictures: np.ndarray | None = None
    """The lessons, (V, N, 48, 48) uint8; none where the one view is Training's own pictures."""

    @property
    def sha256(self) -> str:
        """Hex digest of the shares."""
        return hashlib.sha256(self.shares.astype(np.float16).data).hexdigest()


def ask(teachers: Sequence[ModelFile], training: Split) -> Answers:
    """The mean of what the teachers answer for every picture of ``training`` and its mirror image.

    Raises:
        ModelError: a teacher cannot be loaded.
    """
    total = np.zeros((len(training), len(VIEWS), len(EMOTIONS)), np.float32)
    for teacher in teachers:
        predict = prediction.predictor(prediction.load(teacher.path))
        total += predict(training.images) + predict(training.images[:, :, ::-1])
    mean = (total / (2 * len(teachers))).astype(np.float16)
    return Answers(mean[np.newaxis], training.sha256, [provenance.origin(teacher) for teacher in teachers])


def asked(teachers: Sequence[ModelFile], training: Split, path: Path) -> Answers:
    """The answers in the file ``path`` if they are these teachers', or else asked for and written there.

    Raises:
        ModelError: as :func:`ask`.
        UsageError: the file is damaged, or about other rows.
        OutputError: it cannot be written.
    """
    if path.exists():
        found = read(path, training)
        if [one["sha256"] for one in found.teachers] == [one.sha256 for one in teachers]:
            return found
    answers = ask(teachers, training)
    write(answers, path)
    return answers


def write(answers: Answers, path: Path) -> None:
    """Keep answers about Training's own pictures in an ``.npz`` file.

    Raises:
        OutputError: it cannot be written.
    """
    facts = json.dumps({"data_sha256": answers.data_sha256, "teachers": list(answers.teachers)})
    with replacing_path(path) as part, part.open("wb") as file:
        np.savez_compressed(file, shares=answers.shares.astype(np.float16), facts=np.array(facts))


def read(path: Path, training: Split) -> Answers:
    """Answers that :func:`write` kept, about the rows of ``training``.

    Raises:
        UsageError: there is no such file, it is damaged, or about other rows.
    """
    try:
        with np.load(path) as file:
            shares, facts = file["shares"], json.loads(str(file["facts"]))
        answers = Answers(shares, facts["data_sha256"], facts["teachers"])
    except FileNotFoundError:
        raise UsageError(f"There are no teachers' answers at {path}.") from None
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} does not hold teachers' answers: {error}.") from error
    if answers.data_sha256 != training.sha256 or shares.shape != (1, len(training), len(VIEWS), len(EMOTIONS)):
        raise UsageError(f"The answers in {path} are about other rows of Training than these.")
    return answers


def lessons(teachers: Sequence[ModelFile], config: Config, training: Split, folder: Path) -> Answers:
    """What the teachers answer for ``config.views`` views of every row; ``folder`` keeps them, and what they answer.

    Raises:
        ModelError: as :func:`ask`.
        OutputError: ``folder`` cannot be written to.
    """
    pictures = views(config, training, folder / "pictures.npy")
    total = np.zeros((*pictures.shape[:2], len(VIEWS), len(EMOTIONS)), np.float32)
    for teacher in teachers:
        total += answered(teacher, pictures, folder / f"{teacher.sha256}.npy")
    mean = (total / len(teachers)).astype(np.float16)
    return Answers(mean, training.sha256, [provenance.origin(teacher) for teacher in teachers], pictures)


def views(config: Config, training: Split, path: Path) -> np.ndarray:
    """(V, N, 48, 48) uint8: every picture mixed and placed as ``config`` says, ``config.views`` times; kept in a file.

    Raises:
        OutputError: it cannot be written.
    """
    if not path.exists():
        random, place = np.random.default_rng(config.seed), augment.placement(config)
        with replacing_path(path) as part:
            shape = (config.views, len(training), SIDE, SIDE)
            kept = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            for view in kept:
                chosen = batches.parts(random, len(training), config.mixing)
                pictures = batches.mixed(training.images, training.images[random.permutation(len(training))], chosen)
                for at in range(0, len(training), LESSON_BATCH):
                    placed = place(_filled(pictures[at : at + LESSON_BATCH]), training=True)
                    view[at : at + LESSON_BATCH] = np.rint(keras.ops.convert_to_numpy(placed))[: len(training) - at]
            kept.flush()
    lessons: np.ndarray = np.load(path, mmap_mode="r")
    return lessons


def answered(teacher: ModelFile, pictures: np.ndarray, path: Path) -> np.ndarray:
    """(V, N, 2, 7) float16: what one teacher answers for lessons; kept in a file.

    Raises:
        ModelError: it cannot be loaded.
        OutputError: the file cannot be written.
    """
    if not path.exists():
        predict = prediction.predictor(prediction.load(teacher.path), LESSON_BATCH)
        with replacing_path(path) as part, part.open("wb") as file:
            np.save(file, np.stack([predict(view).astype(np.float16) for view in pictures]))
    shares: np.ndarray = np.load(path)
    return shares


def _filled(pictures: np.ndarray) -> np.ndarray:
    """A whole batch of them, so that a backend meets one shape."""
    return np.resize(pictures, (LESSON_BATCH, *pictures.shape[1:]))
