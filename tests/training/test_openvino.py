"""The OpenVINO file that is written beside a model."""

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import SHIPPED, ModelFile
from fer_batch.classifiers.openvino import OpenVinoCnn
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.errors import OutputError, UsageError
from fer_batch.openvino_net import F32, INT8, import_openvino
from fer_batch.options import OPENVINO, TENSORFLOW
from training import calibrate, committee, export, network, openvino_file
from training.__main__ import app
from training.config import Config
from training.fer2013 import Split
from training.prediction import load

converter = pytest.mark.skipif(sys.version_info >= (3, 13), reason="OpenVINO's converter does not run there yet")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    config = Config(stem_filters=4, stage_filters=(8,), stage_blocks=(1,), squeeze=2)
    path = tmp_path / "tiny.keras"
    export.write_model(export.with_shares(network.build(config), config), path, {})
    return path


@converter
def test_it_answers_as_the_model_does_and_leaves_nothing_else_behind(model: Path) -> None:
    assert openvino_file.write_openvino(model) == model.with_suffix(".xml")
    faces = np.random.default_rng(0).integers(0, 256, (5, CROP_SIDE, CROP_SIDE), np.uint8)
    one, other = (ModelFile(model).load(4, runtime).predict(faces) for runtime in (OPENVINO, TENSORFLOW))
    np.testing.assert_allclose(one, other, atol=1e-3)  # weights of 16 bits
    assert {path.name for path in model.parent.iterdir()} == {"tiny.keras", "tiny.xml", "tiny.bin"}


@converter
@pytest.mark.slow
def test_a_committee_in_8_bits_answers_as_in_32_but_for_its_temperatures(
    model: Path, splits: dict[str, Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "fit_temperatures", lambda *_: (2.0, 0.5))
    config = Config(stem_filters=4, stage_filters=(8, 16), stage_blocks=(1, 1))
    members = [load(model), export.with_shares(network.build(config), config)]
    path = model.with_name("both.keras")
    export.write_model(committee.build(members, [0.75, 0.25], mirrored=False), path, {})
    openvino_file.write_openvino(path)
    assert openvino_file.write_int8(path, splits["Training"], splits["PublicTest"]) == path.with_suffix(".int8.xml")
    assert path.with_suffix(".int8.bin").is_file()
    faces, sha256 = splits["PrivateTest"].images, ModelFile(path).sha256
    exact, fast = (np.log(OpenVinoCnn(path, sha256, 64, precision).predict(faces)) for precision in (F32, INT8))
    for view, temperature in enumerate((2.0, 0.5)):
        logits, expected = (given[:, view] - given[:, view].mean(axis=1, keepdims=True) for given in (fast, exact))
        np.testing.assert_allclose(temperature * logits, expected, atol=0.1)
    openvino_file.write_openvino(path)
    assert not list(path.parent.glob("*.int8.*"))


def test_only_what_lies_between_convolutions_is_quantised(model: Path) -> None:
    """The first layer, the light, the heads and the mean of the members stay in 32 bits."""
    shipped = import_openvino().Core().read_model(SHIPPED.with_suffix(".int8.xml"))
    operations = shipped.get_ordered_ops()
    ranked = {
        op.input_value(0).get_node().get_type_name(): op.get_output_partial_shape(0).rank.get_length()
        for op in operations
        if op.get_type_name() == "FakeQuantize"
    }
    assert set(ranked) <= {"Relu", "Add", "Constant", "Convert", "Multiply"}
    assert set(ranked.values()) == {4}


@converter
def test_a_mirrored_committee_answers_there_as_in_tensorflow(model: Path) -> None:
    members = [load(model), load(model)]
    export.write_model(committee.build(members, [0.5, 0.5], mirrored=True), model.with_name("both.keras"), {})
    openvino_file.write_openvino(model.with_name("both.keras"))
    faces = np.random.default_rng(0).integers(0, 256, (5, CROP_SIDE, CROP_SIDE), np.uint8)
    file = ModelFile(model.with_name("both.keras"))
    one, other = (file.load(4, runtime).predict(faces) for runtime in (OPENVINO, TENSORFLOW))
    np.testing.assert_allclose(one, other, atol=1e-3)


@converter
def test_the_command_line_writes_it(model: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(model)])
    assert result.exit_code == 0, result.output
    assert Path(result.stdout.strip()) == model.with_suffix(".xml")
    assert CliRunner().invoke(app, ["export", str(model.with_name("none.keras"))]).exit_code == 2


@converter
def test_a_folder_in_its_way_is_an_output_error(model: Path) -> None:
    (model.with_suffix(".bin") / "full").mkdir(parents=True)
    with pytest.raises(OutputError, match="Cannot write"):
        openvino_file.write_openvino(model)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the converter runs here")
def test_a_python_that_the_converter_does_not_bear_is_told(model: Path) -> None:
    with pytest.raises(UsageError, match=r"use 3\.11 or 3\.12"):
        openvino_file.write_openvino(model)
