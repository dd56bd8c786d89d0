"""The command line: what it prints, how it ends, and what it says when something is wrong."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image
from typer.testing import CliRunner, Result

from fer_batch import __version__
from fer_batch.classifiers.model_file import SHIPPED
from fer_batch.cli import app
from fer_batch.errors import ExitCode
from fer_batch.media import photos
from tests.helpers import media
from tests.helpers.limits import no_file_above

HERE = ("--workers", "0")
"""For tests that processes have nothing to do with."""


def invoke(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with one photo, without a face."""
    (tmp_path / "album").mkdir()
    media.write_photo(tmp_path / "album" / "a.png")
    return tmp_path / "album"


@pytest.fixture(scope="module")
def analysed_album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds an album and its results, "out", in their first state: not to be changed."""
    folder = tmp_path_factory.mktemp("analysed")
    (folder / "album").mkdir()
    media.write_photo(folder / "album" / "a.png")
    assert invoke("analyze", folder / "album", "--out", folder / "out", *HERE).exit_code == ExitCode.DONE
    return folder


def test_a_clean_run_prints_a_line_a_source_and_the_report(album: Path, tmp_path: Path) -> None:
    result = invoke("analyze", album, "--out", tmp_path / "out")
    assert result.exit_code == ExitCode.DONE
    *sources, report = result.stdout.splitlines()
    assert sources == ["album: 1 photo, 0 with a face, 0 faces"]
    assert Path(report) == tmp_path / "out" / "index.html"
    assert Path(report).is_file()


def test_the_output_folder_is_named_after_the_input(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album.parent)
    result = invoke("analyze", "album", "--quiet", *HERE)
    assert result.stdout == f"{Path('album-emotions/index.html')}\n"


def test_a_note_about_several_files_is_told_once_and_ends_with_zero(tmp_path: Path) -> None:
    image = skimage.data.astronaut()[:256, 96:352]
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        media.write_video(tmp_path / "in" / f"{name}.mp4", images=[image] * 25)
    result = invoke("analyze", tmp_path / "in", "--fps", "2", "--out", tmp_path / "out", *HERE)
    assert result.exit_code == ExitCode.DONE
    assert [line for line in result.stderr.splitlines() if "too far for episodes" in line] == [
        next(line for line in result.stderr.splitlines() if line.startswith("fer-batch: note: a.mp4, b.mp4: "))
    ]


def test_something_left_out_is_told_and_ends_with_one(album: Path, tmp_path: Path) -> None:
    (album / "b.mp4").touch()
    (album / "notes.txt").write_text("hello")
    result = invoke("analyze", album, "--out", tmp_path / "out", *HERE)
    assert result.exit_code == ExitCode.SOME_LEFT_OUT
    assert "left out: b.mp4: The file is empty." in result.stderr
    assert "1 other files" in result.stderr


def test_a_note_is_told_and_is_no_error(album: Path, tmp_path: Path) -> None:
    pages = [Image.new("L", (64, 48), level) for level in (50, 200)]
    pages[0].save(album / "pages.tif", save_all=True, append_images=pages[1:])
    result = invoke("analyze", album, "--out", tmp_path / "out", *HERE)
    assert result.exit_code == ExitCode.DONE
    assert "note: album/pages.tif: It holds several images; only the first is analysed." in result.stderr


def test_json_is_one_object(album: Path, tmp_path: Path) -> None:
    (album / "b.mp4").touch()
    result = invoke("analyze", album, "--out", tmp_path / "out", "--json", *HERE)
    said = json.loads(result.stdout)
    assert set(said["timelines"]) == {"album"}
    assert said["skipped"] == [{"file": "b.mp4", "reason": "The file is empty.", "severity": "lost"}]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["analyze", "{album}", "--fps", "0"], ExitCode.USAGE, "--fps must be greater than 0"),
        (["analyze", "{album}", "--view", "mood"], ExitCode.USAGE, "--view must be one of combined, fer2013, ferplus"),
        (["analyze", "{album}", "--fsp", "5"], ExitCode.USAGE, "--fsp"),
        (["analyze", "{album}/nowhere"], ExitCode.USAGE, "does not exist"),
        (["analyze", "{album}", "--out", "{album}"], ExitCode.USAGE, "did not make"),
        (["analyze", "{album}", "--region", "5"], ExitCode.USAGE, "--region must be x,y,width,height"),
        (["analyze", "{album}", "--baseline", "5"], ExitCode.USAGE, "--baseline must be two times in seconds"),
        (["analyze", "{album}", "--people", "{empty}/../who.csv"], ExitCode.USAGE, "who.csv line 2: face_id must be"),
        (["analyze", "{album}", "--people", "{empty}/../who.csv", "--dry-run"], ExitCode.USAGE, "who.csv line 2"),
        (["analyze", "{album}", "--events", "{empty}/../who.csv"], ExitCode.USAGE, "there is a column 'face_id'"),
        (["analyze", "{album}", "--people", "{album}/nowhere.csv"], ExitCode.USAGE, "does not exist"),
        (["analyze", "{album}/..", *HERE], ExitCode.DONE, ""),
        (["report", "{album}"], ExitCode.USAGE, "fer-batch analyze"),
        (["analyze", "{empty}"], ExitCode.NOTHING_USABLE, "nothing to analyse"),
        (["analyze", "{album}", "--model", "{album}/a.png"], ExitCode.MODEL, "not a .keras model file"),
        (["info", "--model", "{album}/a.png"], ExitCode.MODEL, "not a .keras model file"),
        (["analyze", "{album}", "--out", "/dev/null/out"], ExitCode.OUTPUT, "Cannot write into"),
    ],
)
def test_every_mistake_has_its_message_and_exit_code(
    arguments: list[str], code: ExitCode, message: str, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "empty").mkdir()
    (tmp_path / "who.csv").write_text("file,face_id,person\na.png,left,Anna\n")
    result = invoke(*(argument.format(album=album, empty=tmp_path / "empty") for argument in arguments))
    assert result.exit_code == code
    assert message in result.stderr


def test_a_dry_run_says_what_it_would_take_and_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    media.write_video(tmp_path / "a.mp4", range(0, 4000, 40))
    media.write_photo(tmp_path / "a.png")
    (tmp_path / "b.mp4").touch()
    result = invoke("analyze", tmp_path, "--dry-run")
    assert "1 video of 4 s in all, 1 photo" in result.stdout
    assert "as asked:      101 frames" in result.stdout
    assert "with --fps 5:  21 frames" in result.stdout
    assert "left out: b.mp4" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.png", "b.mp4"]
    said = json.loads(invoke("analyze", tmp_path, "--dry-run", "--json").stdout)
    assert said["asked"]["frames"] == 101
    assert said["asked"]["seconds"] >= said["sparse"]["seconds"] > 0
    # Nothing is tried twice, and nothing is advised that is asked for already.
    assert "with --fps" not in invoke("analyze", tmp_path, "--dry-run", "--fps", "3").stdout


def test_the_report_is_rendered_again_from_the_tables(analysed_album: Path, tmp_path: Path) -> None:
    out = shutil.copytree(analysed_album, tmp_path / "study") / "out"
    page = out / "index.html"
    before = page.read_text()
    page.unlink()
    assert invoke("report", out).stdout == f"{page}\n"
    assert page.read_text() == before


def test_info_says_what_a_run_would_use() -> None:
    said = json.loads(invoke("info", "--json").stdout)
    assert said["fer-batch"] == __version__
    assert said["detector"]["name"] == "centerface"
    assert len(said["model"]["sha256"]) == 64
    assert said["model"]["runtime"].startswith(("tensorflow", "openvino"))
    assert said["model"]["why"]
    assert "centerface" in invoke("info").stdout


def test_info_ends_with_the_model_card() -> None:
    card = SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    said = invoke("info").stdout
    assert said.endswith(f"\n\n{card}")
    assert str(SHIPPED.parent) not in said
    in_full = invoke("info", "--json").stdout
    assert "# Model card" not in in_full
    assert json.loads(in_full)["model"]["provenance"]["members"]
    facts = said.partition("# Model card")[0]
    assert "  provenance: told by --json\n" in facts
    assert len(facts.splitlines()) < 40
    assert "{" not in facts


def own_model(folder: Path) -> Path:
    """The shipped model under another name, without its card and figures."""
    for suffix in (".keras", ".xml", ".bin"):
        shutil.copyfile(SHIPPED.with_suffix(suffix), folder / f"mine{suffix}")
    return folder / "mine.keras"


def test_a_model_without_a_card_is_told_so_in_one_line(tmp_path: Path) -> None:
    model = own_model(tmp_path)
    assert invoke("info", "--model", model).stdout.endswith("model card: there is none beside mine.keras\n")
    model.with_suffix(".md").write_bytes(b"\xff")
    unreadable = invoke("info", "--model", model)
    assert unreadable.exit_code == ExitCode.MODEL
    assert "model card" in unreadable.stderr


def test_a_run_lays_the_models_card_and_metrics_beside_its_report(analysed_album: Path, tmp_path: Path) -> None:
    study = shutil.copytree(analysed_album, tmp_path / "study")
    album, out = study / "album", study / "out"
    card, metrics = out / "model-card.md", out / "model-metrics.json"
    assert card.read_text(encoding="utf-8") == SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    assert metrics.read_bytes() == SHIPPED.with_name("metrics.json").read_bytes()
    page = (out / "index.html").read_text(encoding="utf-8")
    assert 'href="model-card.md"' in page
    assert "3,589 faces" in page
    metrics.write_text("{")
    assert "model-metrics.json is damaged" in invoke("report", out).stderr
    other = own_model(tmp_path)
    assert invoke("analyze", album, "--out", out, "--model", other, *HERE).exit_code == ExitCode.DONE
    assert not card.exists()
    assert not metrics.exists()
    page = (out / "index.html").read_text(encoding="utf-8")
    assert 'href="model-card.md"' not in page
    assert "3,589 faces" not in page


@pytest.mark.parametrize(
    "given",
    "--region=1,2,0,5 --region=-1,2,3,5 --baseline=10-5 --shard=5/3 --fps=0 --min-quality=5 --smooth=inf --end=0 "
    "--start=-1.5 --max-faces=0 --workers=-1 --episode-enter=1.5 --episode-leave=0.9".split(),
)
def test_a_value_is_refused_as_it_was_written(given: str, album: Path) -> None:
    result = invoke("analyze", album, given)
    assert result.exit_code == ExitCode.USAGE
    option, _, value = given.partition("=")
    assert result.stderr.startswith(f"fer-batch: error: {option} must be ")
    assert result.stderr.endswith(f"; got {value}.\n")


@pytest.mark.parametrize("option", ["--config", "--repeat"])
def test_a_file_of_another_kind_is_told_without_words_of_python(option: str, album: Path, tmp_path: Path) -> None:
    result = invoke("analyze", album, option, album / "a.png", "--out", tmp_path / "out")
    assert result.exit_code == ExitCode.USAGE
    assert re.fullmatch(r"fer-batch: error: \S+a\.png is no (text in UTF-8|run\.json of).*\.\n", result.stderr)


def test_the_version_is_told() -> None:
    assert invoke("--version").stdout == f"fer-batch {__version__}\n"


def test_the_demo_finds_the_astronaut_in_the_photo_and_in_every_frame(tmp_path: Path) -> None:
    result = invoke("demo", tmp_path / "demo")
    assert result.exit_code == ExitCode.DONE
    assert "astronaut.mp4: 6.0 s in 150 frames, a face in 100 % of them, 1 face track" in result.stdout
    assert "sample: 1 photo, 1 with a face, 1 face" in result.stdout
    assert Path(result.stdout.splitlines()[-1]).is_file()
    assert invoke("demo", tmp_path / "demo").exit_code == ExitCode.DONE


def test_a_demo_without_space_is_told_and_leaves_no_half_sample(tmp_path: Path, astronaut: Path) -> None:
    for most in (100, astronaut.stat().st_size // 2):
        with no_file_above(most):
            result = invoke("demo", tmp_path / "demo")
        assert result.exit_code == ExitCode.OUTPUT
        assert result.stderr.startswith(f"fer-batch: error: Cannot write {tmp_path / 'demo' / 'sample'}")
        assert not any(path.is_file() for path in (tmp_path / "demo" / "sample").iterdir())


def test_a_demo_does_not_touch_a_folder_of_somebody_else(album: Path) -> None:
    assert invoke("demo", album).exit_code == ExitCode.USAGE
    assert [path.name for path in album.iterdir()] == ["a.png"]


def interrupt(process: "subprocess.Popen[str]", everybody: bool) -> None:
    """End a run: interrupt the main process alone, or its workers too, as a terminal does."""
    if everybody:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "interrupted" in said
    assert "Traceback" not in said


def started(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "fer_batch", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, start_new_session=True)


IMPATIENT = """
import os, signal, sys
name, number, ignored = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
del sys.argv[1:4]
class Impatient:
    def find_spec(self, imported, *_):
        if imported == name:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Impatient())
if ignored:
    signal.signal(number, signal.SIG_IGN)
from fer_batch.__main__ import main
main()
"""
"""The program, to which a signal is sent when it imports a module."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("when", ["at the start", "in a command", "with the signal ignored"])
def test_a_signal_while_imports_run_ends_the_program_without_a_traceback(
    when: str, signal_name: str, analysed_album: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(analysed_album, tmp_path / "study")
    number = signal.Signals[signal_name]
    name = "typer" if when == "at the start" else "pandas"
    ignored = when == "with the signal ignored"
    command = [sys.executable, "-c", IMPATIENT, name, str(int(number)), str(int(ignored)), "report", str(study / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    expected = {
        "at the start": (-number, ""),
        "in a command": (ExitCode.INTERRUPTED, "fer-batch: interrupted; run the same command again to continue.\n"),
        "with the signal ignored": (ExitCode.DONE, ""),
    }
    assert (done.returncode, done.stderr) == expected[when]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("everybody", [pytest.param(False, marks=pytest.mark.slow), True])
def test_an_interrupted_run_says_so_and_goes_on_when_run_again(tmp_path: Path, everybody: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    chunks = 6
    (tmp_path / "in").mkdir()
    for number in range(chunks * photos.PER_CHUNK):
        media.write_photo(tmp_path / "in" / f"{number:03}.bmp", np.roll(noise, number))
    work = tmp_path / "out" / "work"
    deadline = time.monotonic() + 60
    with started("analyze", tmp_path / "in", "--out", tmp_path / "out") as process:
        while not list(work.glob("chunk-*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.05)
        interrupt(process, everybody)
    assert not list(work.glob("*.part"))
    finished = len(list(work.glob("chunk-*.parquet")))
    assert 0 < finished < chunks
    assert invoke("analyze", tmp_path / "in", "--out", tmp_path / "out").exit_code == ExitCode.DONE
    counts = json.loads((tmp_path / "out" / "run.json").read_text())["counts"]
    assert (counts["chunks_reused"], counts["chunks_scanned"]) == (finished, chunks - finished)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells of a process's children there")
def test_a_run_can_be_interrupted_while_its_workers_start(album: Path, tmp_path: Path) -> None:
    with started("analyze", album, "--out", tmp_path / "out", "--workers", "1") as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while "spawn_main" not in " ".join(map(command_line, children.read_text().split())):
            time.sleep(0.01)
        time.sleep(0.05)  # by now the worker imports
        interrupt(process, everybody=True)


def command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended
        return ""


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "--version", "export --list", "analyze {album} --out {album}-out -q"])
def test_standard_output_that_is_full_is_told_in_one_line(arguments: str, album: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "fer_batch", *arguments.format(album=album).split()]
        process = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert process.returncode == ExitCode.OUTPUT
    assert process.stderr == "fer-batch: error: Cannot print on standard output: No space left on device.\n"
