"""The OpenVINO file that is written beside a model."""

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.errors import OutputError, UsageError
from fer_batch.options import OPENVINO, TENSORFLOW
from training import committee, export, network, openvino_file
from training.__main__ import app
from training.config import Config
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
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert {path.name for path in model.parent.iterdir()} == {"tiny.keras", "tiny.xml", "tiny.bin"}


@converter
def test_a_mirrored_committee_answers_there_as_in_tensorflow(model: Path) -> None:
    members = [load(model), load(model)]
    export.write_model(committee.build(members, mirrored=True), model.with_name("both.keras"), {})
    openvino_file.write_openvino(model.with_name("both.keras"))
    faces = np.random.default_rng(0).integers(0, 256, (5, CROP_SIDE, CROP_SIDE), np.uint8)
    file = ModelFile(model.with_name("both.keras"))
    one, other = (file.load(4, runtime).predict(faces) for runtime in (OPENVINO, TENSORFLOW))
    np.testing.assert_allclose(one, other, atol=1e-5)


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
