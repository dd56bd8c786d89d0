"""A run learns, goes on where it was cut, and refuses a folder that is another run's."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from fer_batch.errors import UsageError
from training import train
from training.fer2013 import Split


def test_what_can_be_told_apart_is_learnt(run, splits: dict[str, Split]) -> None:
    unseen = splits["PrivateTest"]
    logits = run.network.predict(unseen.images, verbose=0)
    for view in ("fer2013", "ferplus"):
        assert (logits[view].argmax(axis=1) == unseen.labels).mean() > 0.9  # chance is one in seven


def test_a_run_that_was_cut_has_every_epoch_once(run) -> None:
    log = pd.read_csv(run.folder / "log.csv")
    assert log["epoch"].tolist() == list(range(run.config.epochs))
    assert {"loss", "fer2013_accuracy", "val_ferplus_accuracy"} <= set(log.columns)


def test_the_optimiser_goes_on_too(run, splits: dict[str, Split]) -> None:
    steps_per_epoch = -(-len(splits["Training"]) // run.config.batch_size)
    model = train._trainable(run.config, steps_per_epoch)
    assert train.Checkpoint(run.folder).restore(model) == run.config.epochs
    assert int(model.optimizer.iterations) == run.config.epochs * steps_per_epoch
    # The last step of the cosine is at zero; a schedule that had begun anew would not be.
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-6)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_finished_run_only_averages_again(run, splits: dict[str, Split], tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    again = train.fit(run.config, splits["Training"], splits["PublicTest"], folder)
    assert (folder / "log.csv").read_text() == (run.folder / "log.csv").read_text()
    for found, expected in zip(again.trainable_weights, run.network.trainable_weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(expected))


def test_the_folder_says_what_the_run_is(run, splits: dict[str, Split]) -> None:
    config = json.loads((run.folder / "config.json").read_text())
    assert config == json.loads(json.dumps(asdict(run.config)))
    data = json.loads((run.folder / "data.json").read_text())
    assert data == {"rows": 196, "sha256": splits["Training"].sha256}


def test_another_configuration_is_refused(run, splits: dict[str, Split]) -> None:
    with pytest.raises(UsageError, match=r"another config\.json; choose another folder"):
        train.fit(replace(run.config, seed=1), splits["Training"], splits["PublicTest"], run.folder)


def test_other_rows_are_refused(run, splits: dict[str, Split]) -> None:
    with pytest.raises(UsageError, match=r"another data\.json; choose another folder"):
        train.fit(run.config, splits["Training"].head(190), splits["PublicTest"], run.folder)


def test_a_damaged_checkpoint_is_refused(run, splits: dict[str, Split], tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    for weights in folder.glob("*.weights.h5"):
        weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UsageError, match="remove the folder to begin anew"):
        train.fit(run.config, splits["Training"], splits["PublicTest"], folder)


def test_without_votes_there_is_nothing_to_learn_for_ferplus(run, splits: dict[str, Split], tmp_path: Path) -> None:
    training = splits["Training"]
    voteless = Split(training.images, training.labels, np.zeros_like(training.votes))
    with pytest.raises(UsageError, match=r"fer2013new\.csv"):
        train.fit(run.config, voteless, splits["PublicTest"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_precision_is_as_before(run) -> None:
    assert keras.config.dtype_policy().name == "float32"


def test_votes_take_their_part_of_the_label(splits: dict[str, Split]) -> None:
    split = splits["Training"]
    targets = train._targets(split, 0.25)["fer2013"]
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    rows = np.arange(len(split))
    believed = targets[rows, split.labels]
    np.testing.assert_allclose(
        believed, np.where(split.has_shares, 0.75 + 0.25 * split.shares[rows, split.labels], 1), atol=1e-6
    )
