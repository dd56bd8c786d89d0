"""What teachers answer: kept once, about the right rows; lessons show every picture several times."""

from pathlib import Path

import keras
import numpy as np
import pytest

from fer_batch.classifiers import ModelFile
from fer_batch.errors import UsageError
from training import export, prediction, provenance, teaching
from training.config import Config
from training.fer2013 import Split


@pytest.fixture(scope="module")
def teachers(run, splits: dict[str, Split], tmp_path_factory: pytest.TempPathFactory) -> list[ModelFile]:
    """Two that answer differently: the finished run, and it with other temperatures."""
    folder = tmp_path_factory.mktemp("teachers")
    model = export.with_shares(run.network, run.config)
    export.write(model, folder / "0.keras", {"provenance": {"config": {"seed": 5}}})
    export.write(export.with_temperatures(model, (2.0, 3.0)), folder / "1.keras", {})
    return [ModelFile(folder / f"{at}.keras") for at in range(2)]


@pytest.fixture(scope="module")
def answers(teachers: list[ModelFile], splits: dict[str, Split]) -> teaching.Answers:
    """What both say."""
    return teaching.ask(teachers, splits["Training"])


def test_answers_are_the_mean_over_teachers_and_mirror_images(
    teachers: list[ModelFile], answers: teaching.Answers, splits: dict[str, Split]
) -> None:
    faces = splits["Training"].images
    each = [prediction.predictor(prediction.load(one.path)) for one in teachers]
    expected = np.mean([predict(seen) for predict in each for seen in (faces, faces[:, :, ::-1])], axis=0)
    np.testing.assert_allclose(answers.shares[0], expected, atol=1e-3)
    assert list(answers.teachers) == [provenance.origin(one) for one in teachers]
    assert answers.teachers[0]["provenance"]["config"]["seed"] == 5


def test_a_file_gives_back_what_was_written(
    answers: teaching.Answers, splits: dict[str, Split], tmp_path: Path
) -> None:
    teaching.write(answers, tmp_path / "answers.npz")
    found = teaching.read(tmp_path / "answers.npz", splits["Training"])
    np.testing.assert_array_equal(found.shares, answers.shares)
    assert found.sha256 == answers.sha256
    assert found.teachers == answers.teachers


def test_teachers_are_asked_once(
    teachers: list[ModelFile], splits: dict[str, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], teaching.ask
    monkeypatch.setattr(teaching, "ask", lambda which, training: asked.append(which) or ask(which, training))
    for which in (teachers, teachers, teachers[:1]):
        teaching.asked(which, splits["Training"], tmp_path / "answers.npz")
    assert asked == [teachers, teachers[:1]]


def test_answers_about_other_rows_are_refused(
    answers: teaching.Answers, splits: dict[str, Split], tmp_path: Path
) -> None:
    teaching.write(answers, tmp_path / "answers.npz")
    with pytest.raises(UsageError, match="about other rows of Training than these"):
        teaching.read(tmp_path / "answers.npz", splits["PublicTest"])


def test_what_is_no_file_of_answers_is_refused(splits: dict[str, Split], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There are no teachers' answers at .*answers\.npz"):
        teaching.read(tmp_path / "answers.npz", splits["Training"])
    (tmp_path / "answers.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UsageError, match="does not hold teachers' answers"):
        teaching.read(tmp_path / "answers.npz", splits["Training"])
    np.savez(tmp_path / "answers.npz", shares=np.zeros(3))
    with pytest.raises(UsageError, match="does not hold teachers' answers"):
        teaching.read(tmp_path / "answers.npz", splits["Training"])


def test_lessons_are_other_views_of_every_row_each_with_its_answer(
    teachers: list[ModelFile], splits: dict[str, Split], tmp_path: Path
) -> None:
    training = splits["Training"]
    lessons = teaching.lessons(teachers, Config(views=2, mixing=0.0, rotation_degrees=0.0), training, tmp_path)
    assert lessons.pictures is not None
    assert lessons.pictures.shape == (2, len(training), 48, 48)
    first, second = lessons.pictures.astype(float)
    assert np.abs(first - second).mean() > 5
    for view, pictures in enumerate(lessons.pictures):
        # Shifted and scaled a little, and mirrored, a picture is nearer to its own row than noise is.
        assert np.abs(pictures.mean(axis=(1, 2)) - training.images.mean(axis=(1, 2))).max() < 20
        each = [prediction.predictor(prediction.load(one.path))(pictures) for one in teachers]
        np.testing.assert_allclose(lessons.shares[view], np.mean(each, axis=0), atol=2e-3)


def test_lessons_are_mixed(splits: dict[str, Split], tmp_path: Path) -> None:
    still = Config(views=1, rotation_degrees=0.0, translation=0.0, scale=0.0)
    training = splits["Training"]
    for mixing, expected in ((0.0, 0.0), (0.5, 0.5)):
        config = Config(**{**vars(still), "mixing": mixing})
        (view,) = teaching.views(config, training, tmp_path / f"{mixing}.npy")
        own, mirrored = training.images, training.images[:, :, ::-1]
        nearest = np.minimum(*(np.abs(view - one.astype(float)).mean(axis=(1, 2)) for one in (own, mirrored)))
        assert (nearest > 1).mean() == pytest.approx(expected, abs=0.1)


def test_lessons_are_made_once(
    teachers: list[ModelFile], splits: dict[str, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(views=1)
    first = teaching.lessons(teachers[:1], config, splits["Training"], tmp_path)
    monkeypatch.setattr(keras.models, "load_model", None)
    again = teaching.lessons(teachers[:1], config, splits["Training"], tmp_path)
    np.testing.assert_array_equal(again.shares, first.shares)
    np.testing.assert_array_equal(again.pictures, first.pictures)
