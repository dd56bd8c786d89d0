"""A run learns, goes on where it was cut, and refuses a folder that is another run's."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from fer_batch.classifiers import ModelFile
from fer_batch.errors import UsageError
from training import export, teaching, train
from training.config import Config
from training.fer2013 import Split


def test_what_can_be_told_apart_is_learnt(run, splits: dict[str, Split]) -> None:
    assert _right(run.network, splits["PrivateTest"]) > 0.9  # chance is one in seven


def test_a_run_that_was_cut_has_every_epoch_once(run) -> None:
    log = pd.read_csv(run.folder / "log.csv")
    assert log["epoch"].tolist() == list(range(run.config.epochs))
    assert {"loss", "fer2013_accuracy", "val_ferplus_accuracy"} <= set(log.columns)


def test_the_optimiser_goes_on_too(run, splits: dict[str, Split]) -> None:
    steps_per_epoch = -(-len(splits["Training"]) // run.config.batch_size)
    model = train._trainable(run.config, steps_per_epoch)
    assert train.Checkpoint(run.folder, run.config.epochs).restore(model) == run.config.epochs
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
    targets = train._targets(split, vote_smoothing=0.25)["fer2013"]
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    rows = np.arange(len(split))
    believed = targets[rows, split.labels]
    np.testing.assert_allclose(
        believed, np.where(split.has_shares, 0.75 + 0.25 * split.shares[rows, split.labels], 1), atol=1e-6
    )


@pytest.fixture(scope="module")
def teacher(run, splits: dict[str, Split], tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """The finished run as a file."""
    path = tmp_path_factory.mktemp("teacher") / "fer2013.keras"
    export.write(export.with_shares(run.network, run.config), path, {"name": "textures"})
    return ModelFile(path)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_run_begins_with_the_weights_of_another(
    run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path
) -> None:
    gentle = replace(run.config, epochs=1, learning_rate=1e-6)
    begun = train.fit(gentle, splits["Training"], splits["PublicTest"], tmp_path / "run", start=teacher)
    for found, expected in zip(begun.trainable_weights, run.network.trainable_weights, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(expected), atol=1e-3)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_what_is_kept_of_the_start_is_in_the_final_weights(
    run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path
) -> None:
    config = replace(run.config, epochs=1)
    weights = {}
    for kept in (0.0, 0.25, 1.0):
        ended = train.fit(
            replace(config, kept=kept), splits["Training"], splits["PublicTest"], tmp_path / str(kept), start=teacher
        )
        weights[kept] = [keras.ops.convert_to_numpy(one) for one in ended.trainable_weights]
    for new, some, old in zip(*weights.values(), strict=True):
        np.testing.assert_allclose(some, 0.75 * new + 0.25 * old, atol=1e-5)
    first = [keras.ops.convert_to_numpy(one) for one in run.network.trainable_weights]
    assert all(np.array_equal(*pair) for pair in zip(weights[1.0], first, strict=True))


def test_a_start_of_another_shape_is_refused(run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path) -> None:
    wider = replace(run.config, stem_filters=12)
    with pytest.raises(UsageError, match="not of the shape that the configuration says"):
        train.fit(wider, splits["Training"], splits["PublicTest"], tmp_path / "run", start=teacher)


@pytest.fixture(scope="module")
def wrong(splits: dict[str, Split]) -> Split:
    """Training's pictures with labels and votes that say nothing of them."""
    training = splits["Training"]
    return Split(training.images, np.zeros_like(training.labels), np.roll(training.votes, 1, axis=0))


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_student_learns_what_only_the_teachers_say(
    run, teacher: ModelFile, wrong: Split, splits: dict[str, Split], tmp_path: Path
) -> None:
    obedient = replace(run.config, imitation=1.0)
    answers = teaching.ask([teacher, teacher], wrong)
    student = train.fit(obedient, wrong, splits["PublicTest"], tmp_path / "run", answers=answers)
    assert _right(student, splits["PrivateTest"]) > 0.9
    models = json.loads((tmp_path / "run" / "models.json").read_text())
    assert models == {"start": None, "answers": answers.sha256}
    others = replace(answers, shares=np.roll(answers.shares, 1, axis=1))
    with pytest.raises(UsageError, match=r"another models\.json"):
        train.fit(obedient, wrong, splits["PublicTest"], tmp_path / "run", answers=others)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_student_learns_from_lessons_alone(
    run, teacher: ModelFile, wrong: Split, splits: dict[str, Split], tmp_path: Path
) -> None:
    config = replace(run.config, imitation=0.0, views=3)
    lessons = teaching.lessons([teacher], config, wrong, tmp_path / "lessons")
    student = train.fit(config, wrong, splits["PublicTest"], tmp_path / "run", answers=lessons)
    assert _right(student, splits["PrivateTest"]) > 0.9


def test_part_of_what_is_learnt_is_the_teachers(splits: dict[str, Split]) -> None:
    split = splits["Training"]
    answers = teaching.Answers(np.full((1, len(split), 2, 7), 1 / 7), split.sha256, [])
    rows = train._rows(split, Config(label_smoothing=0.0, imitation=0.75), answers)
    labels = np.eye(7)[split.labels]
    np.testing.assert_allclose(rows.targets["fer2013"][0], 0.25 * labels + 0.75 / 7, atol=1e-6)
    # A row without votes has the teachers' answer alone, and it weighs as much as they do.
    voteless = Split(split.images, split.labels, np.zeros_like(split.votes))
    rows = train._rows(voteless, Config(imitation=0.75), answers)
    np.testing.assert_allclose(rows.targets["ferplus"][0], 1 / 7, atol=1e-6)
    np.testing.assert_allclose(rows.weights["ferplus"], 0.75)


def test_a_checkpoint_is_written_as_often_as_its_writing_is_cheap(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train.Checkpoint, "PART_OF_TIME", 0.5)
    clock = iter([100.0, 101.0, 102.5, 103.1, 104.1, 105.0])
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    checkpoint = train.Checkpoint(tmp_path, 5)
    checkpoint.set_model(run.network)
    written = []
    for epoch in range(5):
        checkpoint.on_epoch_end(epoch)
        written.append(json.loads((tmp_path / "checkpoint.json").read_text())["epochs"])
    # A second's writing is followed by two without: the next time is at 103; and the last epoch is always kept.
    assert written == [1, 1, 3, 3, 5]


def _right(network: keras.Model, unseen: Split) -> float:
    """The lower accuracy of the two views."""
    logits = network.predict(unseen.images, verbose=0)
    return min((logits[view].argmax(axis=1) == unseen.labels).mean() for view in ("fer2013", "ferplus"))
