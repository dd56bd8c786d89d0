"""Networks side by side answer with the mean of their logits, and their wide network can be trained further."""

from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import VIEWS
from fer_batch.errors import UsageError
from training import export, network, prediction, widen
from training.__main__ import app
from training.config import Config, from_facts


def write_random(path: Path, config: Config, seed: int) -> ModelFile:
    """A network whose every weight is drawn, those of batch normalisation too."""
    random = np.random.default_rng(seed)
    model = export.with_shares(network.build(config), config)
    model.set_weights([random.uniform(0.1, 0.3, weight.shape).astype(np.float32) for weight in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            layer.set_weights(
                [random.normal(0, 0.3, weight.shape).astype(np.float32) for weight in layer.get_weights()]
            )
    export.write_model(model, path, {"config": asdict(config)})
    return ModelFile(path)


@pytest.fixture
def narrow(tmp_path: Path) -> list[ModelFile]:
    """Two networks, one of them wider than the other."""
    shapes = [
        Config(stem_filters=3, stage_filters=(4, 6), stage_blocks=(2, 1)),
        Config(stem_filters=2, stage_filters=(5, 4), stage_blocks=(2, 1)),
    ]
    return [write_random(tmp_path / f"{seed}.keras", shape, seed) for seed, shape in enumerate(shapes)]


def logits(file: ModelFile, faces: np.ndarray) -> dict[str, np.ndarray]:
    model = prediction.load(file.path)
    outputs = {view: model.get_layer(f"{view}_logits").output for view in VIEWS}
    answers = keras.Model(model.inputs[0], outputs)(faces, training=False)
    return {view: np.array(answers[view]) for view in VIEWS}


def test_side_by_side_they_answer_with_the_mean_of_their_logits(narrow: list[ModelFile], tmp_path: Path) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.float32)
    out = tmp_path / "wide.keras"
    made = CliRunner().invoke(app, ["widen", *(str(file.path) for file in narrow), "--out", str(out)])
    assert made.exit_code == 0, made.output
    assert "--set stem_filters=5 --set stage_filters=9,10" in made.output
    wide, one, other = (logits(file, faces) for file in (ModelFile(out), *narrow))
    for view in VIEWS:
        assert np.ptp(one[view] - other[view]) > 0.1
        np.testing.assert_allclose(wide[view], (one[view] + other[view]) / 2, rtol=1e-4, atol=1e-4)
    facts = ModelFile(out).metadata["provenance"]
    assert [part["sha256"] for part in facts["side_by_side"]] == [file.sha256 for file in narrow]
    # The file begins a run of the shape that it names.
    wide_config = from_facts(facts["config"])
    network.build(wide_config).set_weights(prediction.load(out).get_weights())


def test_what_cannot_stand_side_by_side_is_refused(narrow: list[ModelFile], tmp_path: Path) -> None:
    out = tmp_path / "wide.keras"
    with pytest.raises(UsageError, match="take a committee apart"):
        widen.widen([ModelFile(), narrow[0]], out)
    config = from_facts(narrow[0].metadata["provenance"]["config"])
    for other in (replace(config, stage_blocks=(1, 1)), replace(config, squeeze=2)):
        with pytest.raises(UsageError, match="as many blocks"):
            widen.widen([narrow[0], write_random(tmp_path / "other.keras", other, 2)], out)
    assert not out.exists()


def test_a_network_of_an_earlier_recipe_is_refused(narrow: list[ModelFile], tmp_path: Path) -> None:
    def without_light(layer: keras.Layer) -> keras.Layer:
        return (
            keras.layers.Rescaling(1 / 255, name="grey")
            if layer.name == "light"
            else layer.from_config(layer.get_config())
        )

    earlier = keras.models.clone_model(prediction.load(narrow[0].path), clone_function=without_light)
    path = tmp_path / "earlier.keras"
    export.write_model(earlier, path, {"config": narrow[0].metadata["provenance"]["config"]})
    with pytest.raises(UsageError, match="earlier recipe"):
        widen.widen([ModelFile(path), narrow[0]], tmp_path / "wide.keras")
    assert not (tmp_path / "wide.keras").exists()
