"""Results by URL: what a run gives on disk, where others cannot be overwritten, and a run that ended goes on."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.errors import ExitCode, OutputError, OutputRefused, UsageError
from fer_batch.output import mirror
from fer_batch.pipeline.merge import merge
from fer_batch.pipeline.progress import NullProgress
from tests.helpers.buckets import SECRET, bucket_with_study, deny, folder_of_copies, small_study, tables  # noqa: F401
from tests.helpers.quick import quick  # noqa: F401
from tests.helpers.runs import make_inputs

pytestmark = [pytest.mark.filterwarnings("ignore")]  # of the libraries' own

HERE = Options(workers=0)

OUT = "s3://lab/results"


@pytest.fixture(autouse=True)
def mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mirror, "root", lambda: tmp_path / "mirrors")
    return tmp_path / "mirrors"


def keys(bucket: Any, prefix: str = "results/") -> set[str]:
    found = bucket.get_paginator("list_objects_v2").paginate(Bucket="lab", Prefix=prefix)
    return {one["Key"].removeprefix(prefix) for page in found for one in page.get("Contents", ())}


def download(bucket: Any, to: Path, prefix: str = "results/") -> Path:
    for key in keys(bucket, prefix):
        (to / key).parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file("lab", prefix + key, str(to / key))
    return to


def left(mirrors: Path) -> list[Path]:
    return [path for path in mirrors.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.mark.usefixtures("quick")
def test_a_folder_that_was_made_empty_in_a_bucket_is_empty(bucket: Any) -> None:
    for key in ("results/", "results/timelines/"):
        bucket.put_object(Bucket="lab", Key=key, Body=b"")
    for _ in range(2):
        fer_batch.analyze(["s3://lab/study/p0"], HERE, out=OUT)
    assert keys(bucket) >= {"", "timelines/", "timelines/a film.mp4.csv"}


@pytest.mark.usefixtures("quick")
def test_a_bucket_holds_what_a_folder_would(study: Path, bucket: Any, tmp_path: Path, mirrors: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "results", exports=["audacity"])
    run = fer_batch.analyze(["s3://lab/study"], HERE, out=OUT, exports=["audacity"])
    assert (str(run.folder), str(run.report)) == (OUT, f"{OUT}/index.html")
    assert str(run.timelines["holiday"]) == f"{OUT}/timelines/holiday.csv"
    assert list(map(str, run.exported)) == [f"{OUT}/exports/audacity"]
    there = download(bucket, tmp_path / "there")
    assert tables(there) == tables(tmp_path / "results")
    names = {path.relative_to(tmp_path / "results").as_posix() for path in (tmp_path / "results").rglob("*.*")}
    own = {name for name in names | keys(bucket) if name in {".lock", "media.json"} or "/files-" in name}
    assert keys(bucket) - own == names - own
    assert not left(mirrors)
    # Another machine goes on from there, and nothing is scanned again.
    again = fer_batch.analyze(["s3://lab/study"], replace(HERE, parquet=True), out=f"{OUT}/")
    assert len(again.unchanged) == len(again.outcomes) == 3
    assert not again.moved
    assert tables(download(bucket, tmp_path / "again")) == tables(there)
    # What a run removes is removed there.
    fer_batch.analyze(["s3://lab/study/p0"], replace(HERE, replace=True), out=OUT)
    assert {name for name in keys(bucket) if name.startswith("timelines")} == {"timelines/a film.mp4.csv"}


class Interrupting(NullProgress):
    """Interrupts a run after its first source."""

    def end(self, *_: Any) -> None:
        raise KeyboardInterrupt


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_interrupted_goes_on_from_the_bucket(study: Path, bucket: Any, mirrors: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fer_batch.analyze([study], HERE, out=OUT, progress=Interrupting())
    assert ".fer-batch" in keys(bucket)
    assert ".lock" not in keys(bucket)
    assert not left(mirrors)
    run = fer_batch.analyze([study], HERE, out=OUT)
    assert len(run.unchanged) == 1
    assert "run.json" in keys(bucket)


@pytest.mark.usefixtures("quick")
def test_results_are_no_media_of_the_folder_that_they_are_in(bucket: Any) -> None:
    for _ in range(2):
        run = fer_batch.analyze(["s3://lab/study"], HERE, out="s3://lab/study/results")
        assert {outcome.source.name for outcome in run.outcomes} == {"holiday", "p0/a film.mp4", "p1/a film.mp4"}


@pytest.mark.usefixtures("quick")
def test_what_is_refused_in_a_folder_is_refused_in_a_bucket(study: Path, bucket: Any, mirrors: Path) -> None:
    with pytest.raises(OutputRefused, match="s3://lab/study holds files that fer-batch did not make"):
        fer_batch.analyze([study], HERE, out="s3://lab/study")
    with pytest.raises(OutputError, match=r"Cannot write to s3://nowhere/results: there is no such object\. Choose"):
        fer_batch.analyze([study], HERE, out="s3://nowhere/results")
    with pytest.raises(OutputRefused, match=r"https:// cannot be written to\. Choose a folder"):
        fer_batch.analyze([study], HERE, out="https://lab.org/results")
    assert not left(mirrors)
    fer_batch.analyze([study / "p0"], HERE, out=OUT)
    before = keys(bucket)
    with pytest.raises(OutputRefused, match=re.escape(f"{OUT} holds a film.mp4, not among the inputs and analysed")):
        fer_batch.analyze([study / "holiday"], replace(HERE, fps=5.0), out=OUT)
    assert keys(bucket) == before


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("seconds", "refused"), [(0, True), (10 * mirror.LEASE_SECONDS, False)])
def test_a_run_of_another_machine_is_not_disturbed(
    study: Path,
    bucket: Any,
    seconds: float,
    refused: bool,
) -> None:
    lease = {"holder": "another", "time": time.time() - seconds}
    bucket.put_object(Bucket="lab", Key="results/.lock", Body=json.dumps(lease))
    if refused:
        with pytest.raises(OutputRefused, match="Another run is writing to s3://lab/results"):
            fer_batch.analyze([study], HERE, out=OUT)
        assert keys(bucket) == {".lock"}
    else:
        fer_batch.analyze([study], HERE, out=OUT)
        assert ".lock" not in keys(bucket)


@pytest.mark.usefixtures("quick")
def test_two_runs_of_one_machine_do_not_write_to_one_place(bucket: Any) -> None:
    from fer_batch.media.remote import parse

    with (
        mirror.mirrored(parse(OUT)),
        pytest.raises(OutputRefused, match="Another run is writing to"),
        mirror.mirrored(parse(OUT)),
    ):
        pass


@pytest.mark.usefixtures("quick")
def test_results_that_cannot_be_copied_stay_on_this_machine(
    study: Path,
    bucket: Any,
    mirrors: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError(SECRET)

    with monkeypatch.context() as patched:
        patched.setattr(mirror._Mirror, "_put", denied)
        with pytest.raises(OutputError, match=r"access is denied\. The results are in") as error:
            fer_batch.analyze([study], HERE, out=OUT)
    assert SECRET not in str(error.value)
    (place,) = re.findall(r"results are in (\S+);", str(error.value))
    assert (Path(place) / "index.html").is_file()
    assert keys(bucket) == {".lock"}
    run = fer_batch.analyze([study], HERE, out=OUT)  # its chunks are known
    record = json.loads(bucket.get_object(Bucket="lab", Key="results/run.json")["Body"].read())
    assert record["counts"]["chunks_scanned"] == 0
    assert len(run.outcomes) == 3
    assert not left(mirrors)


@pytest.mark.usefixtures("quick")
def test_shards_are_merged_into_a_bucket(study: Path, bucket: Any, tmp_path: Path) -> None:
    outs = [tmp_path / f"shard{number}" for number in (1, 2)]
    for number, out in enumerate(outs, start=1):
        fer_batch.analyze(["s3://lab/study"], replace(HERE, shard=(number, 2)), out=out)
    assert str(merge(outs, OUT).report) == f"{OUT}/index.html"
    merge(outs, tmp_path / "merged")
    assert tables(download(bucket, tmp_path / "there")) == tables(tmp_path / "merged")


@pytest.mark.usefixtures("quick")
def test_the_command_line_writes_by_url_too(study: Path, bucket: Any, tmp_path: Path) -> None:
    told = CliRunner().invoke(cli.app, ["analyze", str(study), "-o", OUT, "--workers", "0"])
    assert told.exit_code == ExitCode.DONE, told.output
    assert told.output.splitlines()[-1] == f"{OUT}/index.html"
    told = CliRunner().invoke(cli.app, ["analyze", str(study), "-o", (tmp_path / "results").as_uri(), "--workers", "0"])
    assert (tmp_path / "results" / "index.html").is_file()
    again = ["analyze", str(study), "-o", OUT, "--repeat", str(tmp_path / "results" / "run.json")]
    told = CliRunner().invoke(cli.app, again)
    assert "choose a folder for --out" in told.output
    for wrong, words in (("s3://", "is no URL"), (str(study / "notes.txt"), "is a file")):
        told = CliRunner().invoke(cli.app, ["analyze", str(study), "-o", wrong])
        assert told.exit_code == ExitCode.USAGE
        assert words in " ".join(told.output.replace("│", " ").split())
    with pytest.raises(UsageError):
        fer_batch.analyze([study], HERE, out="nothing://host/results")


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_from_the_bucket_and_does_nothing_twice(
    bucket: Any,
    tmp_path: Path,
    astronaut: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs = make_inputs(tmp_path / "inputs", astronaut)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    quickly = "from fer_batch.output import mirror; mirror.COPY_SECONDS = 0.2; from fer_batch import cli; cli.app()"
    command = [sys.executable, "-c", quickly, "analyze", str(inputs), "--workers", "1", "--out"]

    def chunks() -> dict[str, Any]:
        found = bucket.list_objects_v2(Bucket="lab", Prefix="results/work/chunk-").get("Contents", ())
        return {one["Key"]: one["LastModified"] for one in found}

    with subprocess.Popen([*command, OUT], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        while run.poll() is None and len(chunks()) < 3:
            time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
    done = chunks()
    assert "results/run.json" not in {f"results/{name}" for name in keys(bucket)}
    subprocess.run([*command, OUT], check=True, capture_output=True)
    assert done == {key: when for key, when in chunks().items() if key in done}
    subprocess.run([*command, str(tmp_path / "local")], check=True, capture_output=True)
    assert tables(download(bucket, tmp_path / "there")) == tables(tmp_path / "local")
