"""The tables, the chunk files and the options of the command line are what was blessed; tests/gold/README.md tells how.

No real detector and no network: a fake one sees a face in the middle, and its grey decides the emotion. So every
machine gives the same bytes.
"""

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from fer_batch import cli, detection
from fer_batch.classifiers.model_file import METADATA_MEMBER, ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ExitCode
from tests.helpers import media

GOLD = Path(__file__).parent / "gold"
ACTUAL = Path(__file__).parent / "actual"

PEOPLE = """file,face_id,person,role,group
interview.mkv,0,Anna,guest,A
interview.mkv,1,Anna,guest,A
talk.avi,0,Bo,host,B
holiday/a.png,0,Bo,host,B
"""

EVENTS = """file,label,start,stop,offset
interview.mkv,question,0.2,0.9,
talk.avi,answer,0.5,3,
"""


class ByGrey:
    """A classifier that knows a face's emotion by how light it is."""

    runtime = "by grey"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares in eighths, so that sums and means are exact."""
        step = np.rint(faces.mean(axis=(1, 2)) / 4).astype(int)
        shares = np.zeros((len(faces), len(VIEWS), len(EMOTIONS)), np.float32)
        rows = np.arange(len(faces))
        for view in range(len(VIEWS)):
            first = (step // 4 + view) % len(EMOTIONS)
            shares[rows, view, first] = 0.5 + step % 4 / 8
            shares[rows, view, (first + 1) % len(EMOTIONS)] = 0.5 - step % 4 / 8
        return shares


def scene(grey: int, cell: int) -> np.ndarray:
    """(96, 128, 3) uint8: a board of squares, a little lighter and darker than this grey."""
    y, x = np.mgrid[:96, :128] // cell
    return np.repeat((grey + 16 * ((y + x) % 2) - 8).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


DARKNESS = np.zeros((96, 128, 3), np.uint8)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with media, lossless so that every decoder gives the same, and with what describes them."""
    desk = tmp_path_factory.mktemp("desk")
    folder = desk / "study"
    (folder / "holiday").mkdir(parents=True)
    lossless = {"codec": "ffv1", "pixel_format": "gray", "keyframe_every": 1}
    # A face that brightens, darkness, and after a cut another place; frames of unequal length.
    moods = [*(scene(90 + 3 * step, 8) for step in range(15)), *[DARKNESS] * 3]
    moods += [scene(170 - 4 * step, 24) for step in range(12)]
    media.write_video(folder / "interview.mkv", [40 * step + 15 * (step % 2) for step in range(30)], moods, **lossless)
    moods = [scene(120 + 10 * (step // 5), 8) for step in range(20)]
    media.write_video(folder / "talk.avi", range(20), moods, time_base=Fraction(1, 5), **lossless)
    media.write_photo(folder / "holiday" / "a.png", scene(150, 8))
    media.write_photo(folder / "holiday" / "night.png", DARKNESS)
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("Not a photo.")
    (desk / "people.csv").write_text(PEOPLE)
    (desk / "events.csv").write_text(EVENTS)
    with zipfile.ZipFile(desk / "grey.keras", "w") as archive:  # ZipInfo's date is always the same
        archive.writestr(zipfile.ZipInfo(METADATA_MEMBER), json.dumps({"emotions": EMOTIONS, "views": VIEWS}))
    return desk


ANNOTATED = "--people people.csv --events events.csv --baseline 0-0.4 --smooth 0.3".split()
MODES = {"plain": [], "annotated": ANNOTATED, "ferplus": ["--view", "ferplus"]}


@pytest.fixture(scope="module")
def written(desk: Path) -> Iterator[Path]:
    """The output folders of all MODES, by their names; the later ones reuse the chunk files of the first one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(desk)
        patch.setattr(detection, "DEFAULT", "tests.helpers.odd_detectors:SureByDay")
        patch.setattr(ModelFile, "load", lambda *_: ByGrey())
        for mode, options in MODES.items():
            if mode != "plain":
                shutil.copytree(desk / "plain", desk / mode)
            analyze(*options, "--out", mode)
        yield desk


def analyze(*options: str) -> None:
    fixed = ["--workers", "0", "--runtime", "openvino", "--model", "grey.keras"]
    result = CliRunner().invoke(cli.app, ["analyze", "study", *fixed, *options])
    assert result.exit_code == ExitCode.SOME_LEFT_OUT, result.output


def masked(text: str) -> str:
    """Without what changes from day to day and from machine to machine: versions, dates, seconds of work, digests."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:+.]+Z?", "DATE", text)
    text = re.sub(r'"(fer_batch|platform|version)": ".*"', r'"\1": "…"', text)
    return re.sub(r'"(versions|seconds)": \{.*?\}', r'"\1": {}', text, flags=re.DOTALL)


def tables(folder: Path) -> str:
    """Every CSV and JSON file of an output folder, one below the other.

    datapackage.json, which is long, only where there are people and events: it describes the most tables there.
    """
    left_out = set() if (folder / "events.csv").exists() else {"datapackage.json"}
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in {".csv", ".json"} and path.relative_to(folder).parts[0] not in {"sources", "work"}
    )
    return "".join(
        f"==> {path.relative_to(folder)} <==\n{masked(path.read_bytes().decode())}\n"
        for path in paths
        if path.name not in left_out
    )


def chunks(folder: Path) -> str:
    """The columns of the chunk files, and the rows of each; of a scene only how light it is.

    Their names, and those of photos in them, are digests of media that not every machine writes alike, and left out. So
    are the versions of the software.
    """
    schemas, texts = set(), []
    for path in (folder / "work").glob("chunk-*.parquet"):
        table = pq.read_table(path)
        rows = table.to_pandas()
        rows["scene"] = [round(float(np.frombuffer(pixels, np.uint8).mean())) for pixels in rows["scene"]]
        schemas.add("".join(f"{field.name}: {field.type}\n" for field in table.schema))
        metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        metadata["software"] = list(json.loads(metadata["software"]))
        texts.append(f"{json.dumps(metadata)}\n{rows.to_csv(index=False, float_format='%.5g')}")
    (schema,) = schemas
    return "\n".join([schema, *sorted(re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text) for text in texts)])


def helped() -> str:
    """Every command with its options and their help, without what typer and rich draw around them."""
    group = typer.main.get_command(cli.app)
    commands = {"fer-batch": group, **{f"fer-batch {name}": command for name, command in group.commands.items()}}
    lines = []
    for name, command in commands.items():
        lines += [f"==> {name} <==", command.help, *([command.epilog] if command.epilog else []), ""]
        for one in command.params:
            names = [*one.opts, *one.secondary_opts] if one.param_type_name == "option" else [one.name]
            default = "" if one.default is None or one.default is False else f" [{one.default}]"
            lines.append(" ".join(filter(None, [", ".join(names), one.metavar])) + f"{default}: {one.help}")
        lines.append("")
    return "\n".join(lines)


def compare(name: str, actual: str) -> None:
    """Hold a text against the gold file of that name, or bless it."""
    if os.environ.get("BLESS"):
        (GOLD / name).write_text(actual, encoding="utf-8", newline="")
    path = GOLD / name
    expected = path.read_bytes().decode() if path.exists() else ""
    if actual != expected:
        ACTUAL.mkdir(exist_ok=True)
        (ACTUAL / name).write_text(actual, encoding="utf-8", newline="")
    assert actual == expected, f"{ACTUAL / name} is not {path}; tests/gold/README.md says what to do."


@pytest.mark.parametrize("mode", MODES)
def test_tables_are_as_blessed(written: Path, mode: str) -> None:
    compare(f"tables-{mode}.txt", tables(written / mode))


def test_chunk_files_are_as_blessed(written: Path) -> None:
    compare("chunks.txt", chunks(written / "plain"))


def test_the_help_is_as_blessed() -> None:
    compare("help.txt", helped())
    for command in ([], ["analyze"], ["report"], ["people"], ["events"], ["info"], ["demo"]):
        printed = CliRunner().invoke(cli.app, [*command, "--help"], env={"COLUMNS": "100"})
        assert printed.exit_code == ExitCode.DONE
