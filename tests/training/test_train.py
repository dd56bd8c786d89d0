"""A run learns, goes on where it was cut, and refuses a folder that is another run's."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.errors import UsageError
from training import export, prediction, train
from training.fer2013 import Split


def test_one_step_is_logged_and_kept(config, splits: dict[str, Split], tmp_path: Path, monkeypatch) -> None:
    """The only training that is quick; tests with the marker ``training`` show what is learnt."""
    monkeypatch.setattr(train, "RENORMALISING_STEPS", 1)
    few = Split(*(getattr(splits["Training"], name)[: config.batch_size] for name in ("images", "labels", "votes")))
    once = replace(config, epochs=1)
    network = train.fit_network(once, few, few, tmp_path / "run")
    assert all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in network.weights)
    assert np.isfinite(pd.read_csv(tmp_path / "run" / "log.csv")["loss"]).tolist() == [True]
    model = train._trainable(once, 1)
    assert train.Checkpoint(tmp_path / "run").restore(model) == 1
    assert int(model.optimizer.iterations) == 1


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
    again = train.fit_network(run.config, splits["Training"], splits["PublicTest"], folder)
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
        train.fit_network(replace(run.config, seed=1), splits["Training"], splits["PublicTest"], run.folder)


def test_other_rows_are_refused(run, splits: dict[str, Split]) -> None:
    with pytest.raises(UsageError, match=r"another data\.json; choose another folder"):
        train.fit_network(run.config, splits["Training"].head(190), splits["PublicTest"], run.folder)


def test_a_damaged_checkpoint_is_refused(run, splits: dict[str, Split], tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    for weights in folder.glob("*.weights.h5"):
        weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UsageError, match="remove the folder to begin anew"):
        train.fit_network(run.config, splits["Training"], splits["PublicTest"], folder)


def test_without_votes_there_is_nothing_to_learn_for_ferplus(run, splits: dict[str, Split], tmp_path: Path) -> None:
    training = splits["Training"]
    voteless = Split(training.images, training.labels, np.zeros_like(training.votes))
    with pytest.raises(UsageError, match=r"fer2013new\.csv"):
        train.fit_network(run.config, voteless, splits["PublicTest"], tmp_path / "run")
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


@pytest.fixture(scope="module")
def teacher(run, splits: dict[str, Split], tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """The finished run as a file."""
    path = tmp_path_factory.mktemp("teacher") / "fer2013.keras"
    export.write_model(export.with_shares(run.network, run.config), path, {"name": "textures"})
    return ModelFile(path)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_run_begins_with_the_weights_of_another(
    run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path
) -> None:
    gentle = replace(run.config, epochs=1, learning_rate=1e-6)
    begun = train.fit_network(gentle, splits["Training"], splits["PublicTest"], tmp_path / "run", start=teacher)
    for found, expected in zip(begun.trainable_weights, run.network.trainable_weights, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(expected), atol=1e-3)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_what_is_kept_of_the_start_is_in_the_final_weights(
    run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path
) -> None:
    config = replace(run.config, epochs=1)
    weights = {}
    for kept in (0.0, 0.25, 1.0):
        ended = train.fit_network(
            replace(config, kept=kept), splits["Training"], splits["PublicTest"], tmp_path / str(kept), start=teacher
        )
        weights[kept] = [keras.ops.convert_to_numpy(weight) for weight in ended.trainable_weights]
    for new, some, old in zip(*weights.values(), strict=True):
        np.testing.assert_allclose(some, 0.75 * new + 0.25 * old, atol=1e-5)
    first = [keras.ops.convert_to_numpy(weight) for weight in run.network.trainable_weights]
    assert all(np.array_equal(*pair) for pair in zip(weights[1.0], first, strict=True))


def test_a_start_of_another_shape_is_refused(run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path) -> None:
    wider = replace(run.config, stem_filters=12)
    with pytest.raises(UsageError, match="not of the shape that the configuration says"):
        train.fit_network(wider, splits["Training"], splits["PublicTest"], tmp_path / "run", start=teacher)


@pytest.mark.usefixtures("few_renormalising_steps")
def test_a_student_learns_what_only_the_teacher_says(
    run, teacher: ModelFile, splits: dict[str, Split], tmp_path: Path
) -> None:
    training, unseen = splits["Training"], splits["PrivateTest"]
    wrong = Split(training.images, np.zeros_like(training.labels), np.roll(training.votes, 1, axis=0))
    obedient = replace(run.config, imitation=1.0)
    student = train.fit_network(obedient, wrong, splits["PublicTest"], tmp_path / "run", teachers=[teacher, teacher])
    logits = student.predict(unseen.images, verbose=0)
    for view in ("fer2013", "ferplus"):
        assert (logits[view].argmax(axis=1) == unseen.labels).mean() > 0.9
    assert json.loads((tmp_path / "run" / "models.json").read_text()) == {
        "start": None,
        "teachers": [teacher.sha256] * 2,
    }
    with pytest.raises(UsageError, match=r"another models\.json"):
        train.fit_network(obedient, wrong, splits["PublicTest"], tmp_path / "run", teachers=[teacher])


def test_teachers_are_not_changed(run, teacher: ModelFile) -> None:
    model = train._trainable(run.config, 7, [prediction.load(teacher.path)])
    assert len(model.trainable_variables) == len(run.network.trainable_variables)


def test_a_teacher_computes_in_the_students_precision_and_answers_alike(
    teacher: ModelFile, splits: dict[str, Split]
) -> None:
    faces = splits["PrivateTest"].images
    whole, half = prediction.load(teacher.path), train._load_teacher(teacher, "mixed_bfloat16")
    assert half.get_layer("stem_conv").compute_dtype == "bfloat16"
    assert half.get_layer("fer2013_logits").compute_dtype == "float32"
    before, after = (prediction.predictor(model)(faces) for model in (whole, half))
    assert 0 < np.abs(before - after).max() < 0.05
