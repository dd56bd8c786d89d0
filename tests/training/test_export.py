"""The file that is shipped: safe to load, in float32, giving shares, saying what it is."""

import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_batch.classifiers.model_file import read_metadata
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError, OutputError
from training import evaluate, export, prediction, provenance
from training.fer2013 import Split


@pytest.fixture(scope="module")
def shipped(run) -> keras.Model:
    return export.with_shares(run.network, run.config)


@pytest.fixture(scope="module")
def facts(run, shipped: keras.Model, splits: dict[str, Split]) -> dict[str, object]:
    evaluation = evaluate.evaluate(prediction.predictor(shipped), {"PublicTest": splits["PublicTest"]})
    return provenance.describe(run.config, splits["Training"], splits["PublicTest"], evaluation)


@pytest.fixture(scope="module")
def file(shipped: keras.Model, facts: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "new" / "fer2013.keras"
    export.write_model(shipped, path, facts)
    return path


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_it_loads_in_safe_mode_and_gives_what_was_trained(file: Path, run, splits: dict[str, Split]) -> None:
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    faces = splits["PrivateTest"].images
    shares, logits = model.predict(faces, verbose=0), run.network.predict(faces, verbose=0)
    assert list(model.output) == list(VIEWS)
    for view in VIEWS:
        assert shares[view].dtype == np.float32
        assert shares[view].shape == (len(faces), len(EMOTIONS))
        np.testing.assert_allclose(shares[view].sum(axis=1), 1, atol=1e-6)
        # Trained in bfloat16, which has eight bits of mantissa; shipped in float32.
        np.testing.assert_allclose(shares[view], softmax(logits[view]), atol=0.05)
        np.testing.assert_array_equal(shares[view].argmax(axis=1)[:7], np.arange(7))


def test_every_layer_computes_in_float32_and_is_keras_own(file: Path) -> None:
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    assert model.input.dtype == "float32"
    for layer in model.layers:
        assert layer.compute_dtype == "float32"
        assert type(layer).__module__.startswith("keras.")


def test_the_predictor_takes_any_number_of_bytes(file: Path, splits: dict[str, Split]) -> None:
    predict = prediction.predictor(prediction.load(file))
    faces = splits["PrivateTest"].images
    every = predict(faces)
    assert every.shape == (70, len(VIEWS), len(EMOTIONS))
    assert predict(faces[:0]).shape == (0, len(VIEWS), len(EMOTIONS))
    np.testing.assert_allclose(predict(faces[5:6]), every[5:6], atol=1e-6)
    more = np.concatenate([faces] * 4)
    np.testing.assert_allclose(predict(more), np.concatenate([every] * 4), atol=1e-6)


def test_a_temperature_evens_the_shares_of_its_view_and_keeps_their_order(
    run, shipped: keras.Model, splits: dict[str, Split]
) -> None:
    faces = splits["PrivateTest"].images
    plain = prediction.predictor(shipped)(faces)
    cooled = prediction.predictor(export.with_shares(run.network, run.config, temperatures=(2.0, 1.0)))(faces)
    by_hand = np.sqrt(plain[:, 0]) / np.sqrt(plain[:, 0]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(cooled[:, 0], by_hand, atol=1e-5)
    np.testing.assert_allclose(cooled[:, 1], plain[:, 1], atol=1e-6)


def test_biases_are_added_to_the_logits(shipped: keras.Model, splits: dict[str, Split]) -> None:
    faces = splits["PrivateTest"].images
    biases = np.zeros((len(VIEWS), len(EMOTIONS)))
    biases[1, 3] = 2.0
    plain, biased = (prediction.predictor(model)(faces) for model in (shipped, export.with_biases(shipped, biases)))
    by_hand = plain[:, 1] * np.exp(biases[1])
    np.testing.assert_allclose(biased[:, 1], by_hand / by_hand.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(biased[:, 0], plain[:, 0], atol=1e-6)
    recorded = provenance.calibration((1.0, 1.0), biases)
    np.testing.assert_array_equal(provenance.recorded_biases(json.loads(json.dumps(recorded))), biases)
    np.testing.assert_array_equal(provenance.recorded_biases({}), 0)


def test_the_file_names_its_emotions_and_views(file: Path, facts: dict[str, object]) -> None:
    metadata = read_metadata(file)
    assert metadata["emotions"] == list(EMOTIONS)
    assert metadata["views"] == list(VIEWS)
    assert metadata["input"]["shape"] == [48, 48]
    assert metadata["provenance"] == json.loads(json.dumps(facts))


def test_provenance_says_what_made_it_and_nothing_of_the_machine(
    facts: dict[str, object], run, splits: dict[str, Split]
) -> None:
    assert facts["config"] == asdict(run.config)
    assert facts["data"] == {
        "training_sha256": splits["Training"].sha256,
        "rows": {"Training": 196, "PublicTest": 70},
    }
    assert facts["versions"]["keras"] == keras.__version__
    assert facts["public_test"]["fer2013"]["faces"] == 70
    assert facts["public_test"]["ferplus"]["accuracy"] > 0.9
    assert facts["temperatures"] == {"fer2013": 1, "ferplus": 1}
    assert provenance.recorded_temperatures(facts) == provenance.recorded_temperatures({}) == (1, 1)
    assert provenance.recorded_temperatures(provenance.calibration((1.5, 2.0))) == (1.5, 2.0)
    text = json.dumps(facts)
    assert "/" not in text.replace("-dirty", "")
    assert Path.home().name not in text.split('"')


def test_nothing_is_left_beside_the_file(file: Path) -> None:
    assert [path.name for path in file.parent.iterdir()] == ["fer2013.keras"]


def test_where_it_cannot_be_written_that_is_said(shipped: keras.Model, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(OutputError, match="Cannot write"):
        export.write_model(shipped, tmp_path / "taken" / "fer2013.keras", {})


def test_a_file_with_other_outputs_is_not_loaded(tmp_path: Path) -> None:
    inputs = keras.Input((48, 48))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    export.write_model(model, tmp_path / "other.keras", {})
    with pytest.raises(ModelError, match="does not answer in the views"):
        prediction.load(tmp_path / "other.keras")


def test_a_damaged_file_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "damaged.keras").write_bytes(b"PK, but no more")
    with pytest.raises(ModelError, match=r"damaged\.keras cannot be loaded"):
        prediction.load(tmp_path / "damaged.keras")
