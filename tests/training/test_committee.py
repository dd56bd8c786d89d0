"""A committee answers with the mean of its members, also in a mirror, and gives them back as they were."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import UsageError
from training import committee, export, network, prediction, run
from training.__main__ import app
from training.config import Config
from training.fer2013 import Split


@pytest.fixture(scope="module")
def files(config: Config, tmp_path_factory: pytest.TempPathFactory) -> list[ModelFile]:
    """Three networks of two shapes, untrained, so that they answer differently."""
    written = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        shape = config if seed else Config(stem_filters=4, stage_filters=(8,), stage_blocks=(1,))
        model = export.with_shares(network.build(shape), shape)
        for view in VIEWS:
            kernel, bias = model.get_layer(f"{view}_logits").get_weights()
            model.get_layer(f"{view}_logits").set_weights([4 * kernel, bias])
        path = tmp_path_factory.mktemp("members") / "fer2013.keras"
        export.write_model(model, path, {"config": {"seed": seed}, "data": {"training_sha256": "ab"}})
        written.append(ModelFile(path))
    return written


@pytest.fixture(scope="module")
def faces(splits: dict[str, Split]) -> np.ndarray:
    """Faces that are not the same in a mirror."""
    return np.maximum(splits["PrivateTest"].images, np.arange(48, dtype=np.uint8) * 4)


def shares_of(path: Path, faces: np.ndarray) -> np.ndarray:
    return answers(prediction.load(path), faces)


def answers(model: keras.Model, faces: np.ndarray) -> np.ndarray:
    """As training.prediction's, but without compiling."""
    shares = model(faces.astype(np.float32), training=False)
    return np.stack([shares[view] for view in VIEWS], axis=1)


def mean_shares(files: Sequence[ModelFile], faces: np.ndarray) -> np.ndarray:
    return np.mean([shares_of(file.path, faces) for file in files], axis=0)


@pytest.mark.parametrize("mirrored", [False, True])
def test_it_answers_with_the_mean(files: list[ModelFile], faces: np.ndarray, mirrored: bool) -> None:
    model = committee.build([prediction.load(file.path) for file in files], [1 / 3] * 3, mirrored)
    expected = mean_shares(files, faces)
    if mirrored:
        assert np.abs(mean_shares(files, faces[:, :, ::-1]) - expected).max() > 0.01
        expected = (expected + mean_shares(files, faces[:, :, ::-1])) / 2
    np.testing.assert_allclose(answers(model, faces), expected, atol=1e-5)


def test_a_member_may_count_for_more(files: list[ModelFile], faces: np.ndarray) -> None:
    model = committee.build([prediction.load(file.path) for file in files[:2]], [0.75, 0.25], mirrored=False)
    first, second = (shares_of(file.path, faces) for file in files[:2])
    np.testing.assert_allclose(answers(model, faces), 0.75 * first + 0.25 * second, atol=1e-5)


@pytest.fixture(scope="module")
def whole(files: list[ModelFile], splits: dict[str, Split], tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """The file of a mirrored committee of two, to which a third was added."""
    folder = tmp_path_factory.mktemp("committee")
    committee.combine(files[:2], splits["PublicTest"], folder / "two.keras")
    path = folder / "three.keras"
    two = ModelFile(folder / "two.keras")
    committee.combine([two, files[2]], splits["PublicTest"], path, weights=[3, 1], mirrored=True)
    return ModelFile(path)


@pytest.mark.slow
def test_members_come_back_as_they_were(whole: ModelFile, files: list[ModelFile], faces: np.ndarray, tmp_path) -> None:
    done = CliRunner().invoke(app, ["split", str(whole.path), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert [path.name for path in paths] == ["member0.keras", "member1.keras", "member2.keras"]
    for path, file in zip(paths, files, strict=True):
        np.testing.assert_array_equal(shares_of(path, faces), shares_of(file.path, faces))
        assert ModelFile(path).metadata == file.metadata


@pytest.mark.slow
def test_the_file_tells_where_its_members_come_from(whole: ModelFile, files: list[ModelFile]) -> None:
    facts = whole.metadata["provenance"]
    assert [member["sha256"] for member in facts["members"]] == [file.sha256 for file in files]
    assert [member["provenance"]["config"]["seed"] for member in facts["members"]] == [0, 1, 2]
    assert [member["part"] for member in facts["members"]] == [0.375, 0.375, 0.25]
    assert facts["mirrored"] is True
    assert facts["data"] == {"training_sha256": "ab"}


@pytest.mark.slow
def test_it_is_calibrated_as_a_whole_and_can_be_again(whole: ModelFile, splits: dict[str, Split], tmp_path) -> None:
    facts, faces = whole.metadata["provenance"], splits["PublicTest"].images
    model = prediction.load(whole.path)
    assert export.read_temperatures(model) == pytest.approx([facts["temperatures"][view] for view in VIEWS])
    assert set(facts["temperatures"].values()) != {1.0}
    run.calibrate_file(whole, splits["PublicTest"], tmp_path / "again.keras")
    again = shares_of(tmp_path / "again.keras", faces)
    np.testing.assert_allclose(again, shares_of(whole.path, faces), atol=1e-4)
    assert ModelFile(tmp_path / "again.keras").metadata["provenance"]["members"] == facts["members"]
    np.testing.assert_allclose(again.sum(axis=2), 1, atol=1e-6)
    assert again.shape == (len(faces), len(VIEWS), len(EMOTIONS))


@pytest.mark.slow
def test_a_member_stands_in_it_once_and_a_single_model_has_none(
    whole: ModelFile, files: list[ModelFile], splits: dict[str, Split], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="named twice"):
        committee.combine([whole, files[0]], splits["PublicTest"], tmp_path / "out.keras")
    with pytest.raises(UsageError, match="no committee"):
        committee.split(files[0], tmp_path)
    for weights in ([1], [1, 0], [1, 2, 3]):
        with pytest.raises(UsageError, match="a weight above 0"):
            committee.combine(files[:2], splits["PublicTest"], tmp_path / "out.keras", weights=weights)
    no_votes = Split(splits["PublicTest"].images, splits["PublicTest"].labels, splits["PublicTest"].votes * 0)
    with pytest.raises(UsageError, match=r"fer2013new\.csv"):
        committee.combine(files, no_votes, tmp_path / "out.keras")
    assert not (tmp_path / "out.keras").exists()
