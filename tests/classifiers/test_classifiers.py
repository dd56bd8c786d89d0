"""The contract of every classifier, and which model files are refused."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_batch.classifiers.base import Classifier
from fer_batch.classifiers.keras import KerasCnn
from fer_batch.classifiers.model_file import METADATA_MEMBER, SHIPPED, ModelFile, read_metadata
from fer_batch.classifiers.openvino import OpenVinoCnn
from fer_batch.detection import crop
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError
from fer_batch.media.frame import Luma
from fer_batch.openvino_net import F32, INT8
from fer_batch.options import AUTO, OPENVINO, RUNTIMES, TENSORFLOW
from fer_batch.types import Box


@pytest.fixture(scope="module", params=[TENSORFLOW, OPENVINO])
def classifier(request: pytest.FixtureRequest) -> Classifier:
    return ModelFile().load(batch_size=32, runtime=request.param)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (75, crop.CROP_SIDE, crop.CROP_SIDE), np.uint8)


def test_it_gives_both_views_of_every_face(classifier: Classifier, crops: np.ndarray) -> None:
    shares = classifier.predict(crops)
    assert shares.shape == (75, len(VIEWS), len(EMOTIONS))
    assert shares.dtype == np.float32
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-5)


def test_a_face_is_judged_alone(classifier: Classifier, crops: np.ndarray) -> None:
    together = classifier.predict(crops)
    for count in (1, 16, 17, 33):
        np.testing.assert_allclose(classifier.predict(crops[:count]), together[:count], atol=1e-5)


def test_no_faces_give_no_answers(classifier: Classifier) -> None:
    assert classifier.predict(np.empty((0, 48, 48), np.uint8)).shape == (0, 2, 7)


def test_the_same_faces_give_the_same_bytes(classifier: Classifier, crops: np.ndarray) -> None:
    assert classifier.predict(crops).tobytes() == classifier.predict(crops).tobytes()


def test_it_says_what_computes(classifier: Classifier) -> None:
    assert classifier.runtime.split()[0] in RUNTIMES
    assert "CPU" in classifier.runtime or "GPU" in classifier.runtime


@pytest.fixture(scope="module")
def exact(crops: np.ndarray) -> np.ndarray:
    """What TensorFlow answers."""
    return ModelFile().load(32, TENSORFLOW).predict(crops)


def test_both_runtimes_answer_alike_in_32_bits(crops: np.ndarray, exact: np.ndarray) -> None:
    """The weights of OpenVINO's file have 16 bits."""
    shares = OpenVinoCnn(SHIPPED, ModelFile().sha256, 32, F32).predict(crops)
    np.testing.assert_allclose(shares, exact, atol=1e-3)


def test_8_bits_move_shares_little(exact: np.ndarray, crops: np.ndarray) -> None:
    """On noise, of which no training row is made; for faces the model card has figures."""
    moved = np.abs(OpenVinoCnn(SHIPPED, ModelFile().sha256, 32, INT8).predict(crops) - exact)
    assert 0 < moved.mean() < 0.01
    assert moved.max() < 0.1


def test_the_precision_is_told_and_the_same_for_every_call() -> None:
    precision = ModelFile().precision(OPENVINO)
    assert precision == ModelFile().precision(OPENVINO)
    assert ModelFile().load(32, OPENVINO).runtime.endswith(f"on CPU, {precision.name}")
    assert ModelFile().precision(TENSORFLOW).name == F32


def test_without_a_file_in_8_bits_32_are_used(tmp_path: Path) -> None:
    for suffix in (".keras", ".xml", ".bin"):
        (tmp_path / f"mine{suffix}").write_bytes(SHIPPED.with_suffix(suffix).read_bytes())
    mine = ModelFile(tmp_path / "mine.keras")
    assert mine.precision(OPENVINO).name == F32
    assert mine.load(32, OPENVINO).runtime.endswith(F32)


def test_the_runtime_is_the_one_that_suits(tmp_path: Path) -> None:
    model = ModelFile()
    assert model.choose(TENSORFLOW) == (TENSORFLOW, "asked for")
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        assert model.choose(AUTO)[0] == OPENVINO
        alone = tmp_path / "mine.keras"
        alone.write_bytes(SHIPPED.read_bytes())
        assert ModelFile(alone).choose(AUTO) == (TENSORFLOW, "there is no mine.xml for OpenVINO beside the model")


def test_an_openvino_file_of_another_model_is_refused(tmp_path: Path) -> None:
    for suffix in (".xml", ".bin"):
        (tmp_path / f"mine{suffix}").write_bytes(SHIPPED.with_suffix(suffix).read_bytes())
    mine = relabelled(tmp_path / "mine.keras", note="mine")
    with pytest.raises(ModelError, match=r"mine.xml is another model's"):
        ModelFile(mine).load(32, OPENVINO)
    (tmp_path / "mine.xml").write_text("<net/>")
    with pytest.raises(ModelError, match="cannot be loaded as an OpenVINO model"):
        ModelFile(mine).load(32, OPENVINO)
    (tmp_path / "mine.xml").unlink()
    with pytest.raises(ModelError, match="cannot be loaded as an OpenVINO model"):
        ModelFile(mine).load(32, OPENVINO)


def test_metrics_of_another_model_are_left_aside(tmp_path: Path) -> None:
    text = SHIPPED.with_name("metrics.json").read_text(encoding="utf-8")
    assert ModelFile().metrics == text
    mine, path = relabelled(tmp_path / "mine.keras", note="mine"), tmp_path / "metrics.json"
    assert ModelFile(mine).metrics is None
    for other in (text, "", "{", "[]", "{}", '{"model": []}'):
        path.write_text(other, encoding="utf-8")
        assert ModelFile(mine).metrics is None
    path.write_text(text.replace(ModelFile().sha256, ModelFile(mine).sha256), encoding="utf-8")
    assert ModelFile(mine).metrics == path.read_text(encoding="utf-8")
    path.write_bytes(b"\xff")
    with pytest.raises(ModelError, match=r"metrics\.json cannot be read"):
        ModelFile(mine).metrics  # noqa: B018 # reading it is what is tested


def test_the_astronaut_smiles(classifier: Classifier, astronaut: Path) -> None:
    grey = cv2.imread(str(astronaut), cv2.IMREAD_GRAYSCALE)
    shares = classifier.predict(crop.cut(Luma(grey), Box(182, 59, 88, 119))[np.newaxis])
    for view in range(len(VIEWS)):
        assert EMOTIONS[shares[0, view].argmax()] == "happiness"


def test_the_shipped_model_says_where_it_comes_from() -> None:
    provenance = read_metadata(SHIPPED)["provenance"]
    members = provenance["members"]
    assert sum(member["part"] for member in members) == pytest.approx(1)
    for member in members:
        assert len(member["sha256"]) == 64
        assert member["provenance"]["config"]["epochs"] > 0
    assert len(provenance["data"]["training_sha256"]) == 64
    metrics = json.loads(ModelFile().metrics or "")
    assert next(result for result in metrics["results"] if result["view"] == "fer2013")["accuracy"] >= 0.68


def relabelled(path: Path, **changes: object) -> Path:
    """The shipped model, saying other things of itself."""
    with zipfile.ZipFile(SHIPPED) as shipped, zipfile.ZipFile(path, "w") as changed:
        for name in shipped.namelist():
            content = shipped.read(name)
            if name == METADATA_MEMBER:
                content = json.dumps(json.loads(content) | changes).encode()
            changed.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "changes", [{"emotions": EMOTIONS[::-1]}, {"emotions": None}, {"views": ["fer2013"]}, {"views": "fer2013"}]
)
def test_a_model_with_other_answers_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=f"answers in these {next(iter(changes))}: "):
        ModelFile(relabelled(tmp_path / "other.keras", **changes))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.keras"
    garbage.write_bytes(b"no model")
    foreign = tmp_path / "foreign.keras"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("config.json", "{}")
    for path, reason in [(garbage, "not a .keras"), (foreign, "does not say"), (tmp_path / "no.keras", "no model at")]:
        with pytest.raises(ModelError, match=reason):
            ModelFile(path)


def described(path: Path) -> Path:
    """Add our description to a Keras file that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(METADATA_MEMBER, json.dumps({"emotions": EMOTIONS, "views": VIEWS}))
    return path


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((48, 48))
    outputs = keras.layers.Dense(7, activation="softmax")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "one_head.keras")
    with pytest.raises(ModelError, match="fer-batch needs one input"):
        KerasCnn(described(tmp_path / "one_head.keras"), batch_size=32)


def test_a_model_that_carries_code_is_refused(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((48, 48))
    flat = keras.layers.Lambda(lambda image: image * 0)(keras.layers.Flatten()(inputs))
    keras.Model(inputs, {view: keras.layers.Dense(7)(flat) for view in VIEWS}).save(tmp_path / "code.keras")
    with pytest.raises(ModelError, match="cannot be loaded"):
        KerasCnn(described(tmp_path / "code.keras"), batch_size=32)
