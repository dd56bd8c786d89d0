"""A small data set that a small network can learn, and one run on it."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS
from training import train
from training.config import Config
from training.fer2013 import SEVEN, SPLITS, VOTES, Split

CUT_AFTER = 2

TRAIN = {"run", "finished_run", "small_network", "few_renormalising_steps"}
"""Fixtures of which each means that a network is trained; their tests get the marker ``training``."""


@pytest.hookimpl(tryfirst=True)  # before those without the wanted markers are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and TRAIN.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.training)


@dataclass(frozen=True)
class Run:
    """A finished run that was cut once on its way."""

    network: keras.Model
    folder: Path
    config: Config


def textures(count: int, seed: int) -> Split:
    """Noise over a texture, one for each emotion; nine raters see it, one says "unknown".

    Stripes and checks look the same in a mirror and wherever they begin, so augmentation leaves them what they are.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    signs = [np.zeros((CROP_SIDE, CROP_SIDE))]
    for half_period in (2, 6):
        rows, columns = (np.where(axis // half_period % 2, 1, -1) for axis in (y, x))
        signs += [rows, columns, rows * columns]
    labels = np.arange(count) % len(EMOTIONS)
    images = 128 + 80 * np.stack(signs)[labels] + random.normal(0, 20, (count, CROP_SIDE, CROP_SIDE))
    votes = np.zeros((count, len(VOTES)), np.uint8)
    votes[np.arange(count), np.array(SEVEN)[labels]] = 9
    votes[:, VOTES.index("unknown")] = 1
    return Split(images.clip(0, 255).astype(np.uint8), labels, votes)


@pytest.fixture(scope="session")
def splits() -> dict[str, Split]:
    """Three splits, of 196, 70 and 70 rows."""
    return {name: textures(count, seed) for seed, (name, count) in enumerate(zip(SPLITS, (196, 70, 70), strict=True))}


@pytest.fixture(scope="session")
def config() -> Config:
    """A network that is trained in seconds, augmented so little that fine stripes survive."""
    return Config(
        epochs=10,
        batch_size=28,
        stem_filters=8,
        stage_filters=(8, 16),
        stage_blocks=(1, 1),
        dropout=0.0,
        learning_rate=0.1,
        ema_momentum=0.8,
        rotation_degrees=2.0,
        translation=0.01,
        scale=0.02,
        erasing=0.1,
    )


@pytest.fixture
def few_renormalising_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textures need no more; the real number takes longer than the rest of a small run."""
    monkeypatch.setattr(train, "RENORMALISING_STEPS", 21)


@pytest.fixture(scope="session")
def run(splits: dict[str, Split], config: Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was cut at the end of its third epoch, and called again."""
    folder = tmp_path_factory.mktemp("runs") / "textures"
    written = train.Checkpoint.on_epoch_end

    def write_and_stop(checkpoint: train.Checkpoint, epoch: int, logs: dict[str, float] | None = None) -> None:
        written(checkpoint, epoch, logs)
        checkpoint.model.stop_training = epoch + 1 == CUT_AFTER

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "RENORMALISING_STEPS", 21)
        with pytest.MonkeyPatch.context() as knife:
            knife.setattr(train.Checkpoint, "on_epoch_end", write_and_stop)
            train.fit_network(config, splits["Training"], splits["PublicTest"], folder)
        # The cut came while the next epoch's weights were written.
        (folder / f"checkpoint-{CUT_AFTER % 2}.weights.h5").write_bytes(b"half a file")
        network = train.fit_network(config, splits["Training"], splits["PublicTest"], folder)
    return Run(network, folder, config)
