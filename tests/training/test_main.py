"""The commands, on data small enough to wait for."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import SHIPPED, ModelFile, read_metadata
from fer_batch.classifiers.openvino import OpenVinoCnn
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.openvino_net import F32, INT8
from fer_batch.options import OPENVINO, TENSORFLOW
from fer_batch.report.model_card import read_accuracy
from training import export, prediction
from training.__main__ import app
from training.card import read_metrics
from training.config import Config
from training.evaluate import QUESTIONS
from training.fer2013 import SPLITS, VOTES, Split
from training.provenance import recorded_temperatures
from training.robustness import CONDITIONS

EPOCHS = 2


@pytest.fixture(scope="module")
def data(splits: dict[str, Split], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaggle's csv and FER+'s, with a Training split that is cut by --limit below."""
    folder = tmp_path_factory.mktemp("kaggle")
    usages = [name for name in SPLITS for _ in range(len(splits[name]))]
    pixels = [" ".join(map(str, image.ravel())) for name in SPLITS for image in splits[name].images]
    labels = [label for name in SPLITS for label in splits[name].labels]
    votes = [row for name in SPLITS for row in splits[name].votes]
    pd.DataFrame({"emotion": labels, "pixels": pixels, "Usage": usages}).to_csv(folder / "fer2013.csv", index=False)
    pd.DataFrame(votes, columns=list(VOTES)).assign(Usage=usages).to_csv(folder / "fer2013new.csv", index=False)
    return folder


@pytest.fixture
def small_network(config: Config, monkeypatch: pytest.MonkeyPatch, few_renormalising_steps: None) -> None:
    monkeypatch.setattr("training.__main__.Config", lambda: config)


@pytest.mark.usefixtures("small_network")
def test_fit_then_evaluate(data: Path, tmp_path: Path) -> None:
    out, metrics = tmp_path / "run", tmp_path / "metrics.json"
    options = ["--out", str(out), "--epochs", str(EPOCHS), "--seed", "5", "--limit", "56"]

    fitted = CliRunner().invoke(app, ["fit", str(data), *options])
    assert fitted.exit_code == 0, fitted.output
    assert fitted.stdout.splitlines()[-1] == str(out / "fer2013.keras")
    provenance = read_metadata(out / "fer2013.keras")["provenance"]
    assert (provenance["config"]["epochs"], provenance["config"]["seed"]) == (EPOCHS, 5)
    assert provenance["data"]["rows"] == {"Training": 56, "PublicTest": 56}

    assert list(provenance["temperatures"]) == list(VIEWS)

    model, drawn = ["--model", str(out / "fer2013.keras")], tmp_path / "figures"
    evaluated = CliRunner().invoke(
        app, ["evaluate", str(data), *model, "--json", str(metrics), "--figures", str(drawn)]
    )
    assert evaluated.exit_code == 0, evaluated.output
    tables, paths = evaluated.stdout.split(str(drawn), maxsplit=1)
    results, scores = (table.splitlines() for table in tables.strip().split("\n\n"))
    assert [line.split()[0] for line in results] == ["rows"] + ["PublicTest"] * 8 + ["PrivateTest"] * 8 + [
        "PrivateTest,"
    ] * 8
    assert [line.split()[0] for line in scores] == ["rows"] + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    assert len(list(drawn.glob("*.svg"))) == len(paths.splitlines()) == 22
    figures = json.loads(metrics.read_text())
    assert figures["model"]["file"] == "fer2013.keras"
    assert figures["data"]["PrivateTest"]["rows"] == 70
    assert len(figures["results"]) == len(results) - 1
    assert len(figures["scores"]) == len(scores) - 1
    assert figures["temperatures"] == provenance["temperatures"]
    assert figures["emotions"] == list(EMOTIONS)
    assert list(figures["results"][0]["recall"]) == list(EMOTIONS)
    assert str(tmp_path) not in metrics.read_text()

    new = tmp_path / "new" / "calibrated.keras"
    found = []
    for source in (out / "fer2013.keras", new):
        calibrated = CliRunner().invoke(app, ["calibrate", str(data), "--model", str(source), "--out", str(new)])
        assert calibrated.exit_code == 0, calibrated.output
        assert calibrated.stdout.splitlines()[-1] == str(new)
        found.append(read_metadata(new)["provenance"])
    assert found[0] == found[1]
    assert export.read_temperatures(prediction.load(new)) == pytest.approx(recorded_temperatures(found[1]))
    assert {**found[0], "temperatures": None} == {**provenance, "temperatures": None}

    other = CliRunner().invoke(app, ["fit", str(data), *options, "--seed", "6"])
    assert_refused(other, "another config.json")


@pytest.fixture
def finished_run(run, tmp_path: Path) -> Path:
    """A run's folder with its model in it."""
    export.write_model(export.with_shares(run.network, run.config), tmp_path / "run" / SHIPPED.name, {"seed": 0})
    return tmp_path / "run"


def test_robustness_is_measured_and_kept(finished_run: Path, data: Path, tmp_path: Path) -> None:
    model, out = str(finished_run / SHIPPED.name), tmp_path / "robustness.json"
    done = CliRunner().invoke(app, ["robustness", str(data), "--model", model, "--json", str(out)])
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert figures["model"]["file"] == SHIPPED.name
    assert figures["data"]["PublicTest"]["rows"] == 70
    assert list(figures["robustness"]["conditions"]) == [condition.name for condition in CONDITIONS]
    results = figures["robustness"]["results"]
    assert len(results) == 2 * len(CONDITIONS) * len(QUESTIONS) == len(done.stdout.splitlines()) - 1
    assert {result["rows"] for result in results} == {"PublicTest", "PrivateTest"}
    assert str(tmp_path) not in out.read_text()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="OpenVINO's converter does not run there yet")
def test_release_writes_all_that_is_shipped(
    finished_run: Path, data: Path, splits: dict[str, Split], tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    pd.read_csv(data / "fer2013.csv").assign(Usage="PrivateTest").to_csv(others / "fer2013.csv", index=False)
    released = CliRunner().invoke(app, ["release", str(finished_run), str(data), "--others", str(others)])
    assert released.exit_code == 0, released.output
    names = "fer2013.xml fer2013.bin fer2013.int8.xml fer2013.int8.bin metrics.json fer2013.md".split()
    assert released.stdout.splitlines()[-6:] == [str(finished_run / name) for name in names]
    assert {path.name for path in finished_run.iterdir()} == {"fer2013.keras", *names}

    file = ModelFile(finished_run / SHIPPED.name)
    metrics = json.loads(file.metrics)
    parts = []
    for command, rows in (("evaluate", data), ("robustness", data), ("others", others)):
        parts.append(tmp_path / f"{command}.json")
        CliRunner().invoke(app, [command, str(rows), "--model", str(file.path), "--json", str(parts[-1])])
    int8 = metrics.pop("int8")
    assert metrics == read_metrics(parts, file)
    assert metrics["others"]["faces"]["neutral"] == 336 // 7
    faces = splits["PrivateTest"]
    answers = OpenVinoCnn(file.path, file.sha256, 64, F32).predict(faces.images)
    np.testing.assert_allclose(answers, file.load(64, TENSORFLOW).predict(faces.images), atol=1e-3)
    moved = np.abs(OpenVinoCnn(file.path, file.sha256, 64, INT8).predict(faces.images) - answers)
    assert int8["PrivateTest"]["moved"]["mean"] == pytest.approx(moved.mean(), abs=1e-4)
    assert int8["PrivateTest"]["moved"]["most"] == pytest.approx(moved.max(), abs=1e-3)
    for axis, truth in enumerate((faces.labels, faces.majority)):
        assert read_accuracy(metrics, VIEWS[axis]).accuracy == (answers[:, axis].argmax(axis=1) == truth).mean()
    card = tmp_path / "card.md"
    CliRunner().invoke(app, ["card", str(finished_run / "metrics.json"), "--model", str(file.path), "--out", str(card)])
    assert card.read_text() == file.card

    again = CliRunner().invoke(app, ["release", str(finished_run), str(data), "--calibrate"])
    assert again.exit_code == 0, again.output
    calibrated = ModelFile(file.path)
    assert calibrated.sha256 != file.sha256
    temperatures = calibrated.metadata["provenance"]["temperatures"]
    assert set(temperatures.values()) & {1.0} == set()
    assert json.loads(calibrated.metrics)["temperatures"] == temperatures
    assert calibrated.sha256 in calibrated.card
    assert calibrated.load(64, OPENVINO)


def test_a_folder_without_a_model_is_not_released(data: Path, tmp_path: Path) -> None:
    assert_refused(CliRunner().invoke(app, ["release", str(tmp_path), str(data)]), "There is no model at")


def test_data_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    commands = [["fit", "--out", str(tmp_path / "run")], ["evaluate"], ["robustness"], ["selection"], ["others"]]
    for command in ([name, str(tmp_path), *options] for name, *options in commands):
        assert_refused(CliRunner().invoke(app, command), "No FER2013 at")


def test_data_without_votes_cannot_be_learnt_from(data: Path, tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_bytes((data / "fer2013.csv").read_bytes())
    refused = CliRunner().invoke(app, ["fit", str(tmp_path), "--out", str(tmp_path / "run")])
    assert_refused(refused, "fer2013new.csv")
    command = ["calibrate", str(tmp_path), "--model", str(SHIPPED), "--out", str(tmp_path / "new.keras")]
    assert_refused(CliRunner().invoke(app, command), "fer2013new.csv")
    assert not (tmp_path / "new.keras").exists()


@pytest.mark.parametrize(
    ("command", "missing"), [(["fit", "--out", "run"], "PublicTest"), (["evaluate"], "PrivateTest")]
)
def test_a_missing_split_is_named(command: list[str], missing: str, data: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(data / "fer2013.csv")
    rows[rows["Usage"] != missing].to_csv(tmp_path / "fer2013.csv", index=False)
    name, *options = command
    assert_refused(CliRunner().invoke(app, [name, str(tmp_path), *options]), f"no rows of {missing}")


@pytest.mark.parametrize("command", ["evaluate", "robustness"])
def test_a_missing_model_is_one_line(command: str, data: Path, tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, [command, str(data), "--model", str(tmp_path / "none.keras")])
    assert_refused(refused, "There is no model at")


def test_a_calibrated_file_needs_its_suffix(data: Path, tmp_path: Path) -> None:
    command = ["calibrate", str(data), "--model", str(SHIPPED), "--out", str(tmp_path / "model.h5")]
    assert_refused(CliRunner().invoke(app, command), "must end in .keras")


def test_help_and_data_errors_need_no_keras() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from training.__main__ import app; "
        "assert CliRunner().invoke(app, ['fit', '--help']).exit_code == 0; "
        "assert CliRunner().invoke(app, ['fit', 'nowhere', '--out', 'run']).exit_code == 2; "
        "assert not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def assert_refused(result, reason: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
