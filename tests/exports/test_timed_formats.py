"""Formats of episodes and events in time, read by the programs or libraries of their fields."""

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from praatio import textgrid
from pympi import Elan

from fer_batch.emotions import EMOTIONS
from fer_batch.exports.export import export
from fer_batch.exports.tiers import EVENTS, Interval, _lanes, one_line
from fer_batch.media.sources import _output
from fer_batch.output.csv import read_table, read_timeline
from fer_batch.output.schema import EPISODES
from tests.exports.conftest import ANNA, LATE, LONG, ODD, RTL
from tests.helpers.studies import frames, make_study

Exported = Callable[[str], Path]

TIERS_OF_ODD = [one_line(ANNA), "face 1", EVENTS, f"{EVENTS} (2)"]


def episodes(study: Path, video: str) -> pd.DataFrame:
    table = read_table(study / "episodes.csv", EPISODES)
    return table[table["file"] == video].sort_values(["start", "stop", "face_id"])


def labels(study: Path, video: str) -> list[str]:
    rows = episodes(study, video)
    names = [one_line(person) or f"face {face}" for person, face in zip(rows["person"], rows["face_id"], strict=True)]
    return [f"{name}: {emotion}" for name, emotion in zip(names, rows["emotion"], strict=True)]


def file_of(exported: Exported, name: str, video: str, suffix: str) -> Path:
    return exported(name) / f"{_output(video)}{suffix}"


def test_the_study_has_episodes_at_odd_times(study: Path) -> None:
    rows = episodes(study, ODD)
    assert len(rows) == 4
    assert set(rows["start"].round(6)) <= {round(start, 6) for start in LATE}
    assert (rows["start"] * 1000 % 1).gt(1e-6).any()


@pytest.mark.filterwarnings("ignore:Parsing unknown version")
def test_pympi_reads_the_elan_file(study: Path, exported: Exported) -> None:
    document = Elan.Eaf(str(file_of(exported, "elan", ODD, ".eaf")))
    assert list(document.get_tier_names()) == TIERS_OF_ODD
    rows = episodes(study, ODD)
    for tier, face_id in zip(TIERS_OF_ODD[:2], (0, 1), strict=True):
        own = rows[rows["face_id"] == face_id]
        times = zip((own["start"] * 1000).round(), (own["stop"] * 1000).round(), own["emotion"], strict=True)
        assert [part[:3] for part in document.get_annotation_data_for_tier(tier)] == list(times)
    assert [part[:3] for part in document.get_annotation_data_for_tier(EVENTS)] == [(0, 2000, 'question "1" and <2>')]
    (media,) = document.get_linked_files()
    assert (media["RELATIVE_MEDIA_URL"], media["TIME_ORIGIN"]) == (Path(ODD).name, "0")


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The schema EAFv3.0 of the Max Planck Institute for Psycholinguistics, of which pympi's source has a copy."""
    xmlschema = pytest.importorskip("xmlschema")
    folder = tmp_path_factory.mktemp("pympi")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "pympi-ling", "--dest", folder]
    if subprocess.run([*command, f"pympi-ling=={version('pympi-ling')}"], capture_output=True, check=False).returncode:
        pytest.skip("the source of pympi cannot be downloaded")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        (member,) = (one for one in files.getmembers() if one.name.endswith("/EAFv3.0.xsd"))
        content = files.extractfile(member)
        assert content is not None
        return xmlschema.XMLSchema(content.read().decode())


@pytest.mark.slow
@pytest.mark.parametrize("video", [ODD, RTL, LONG])
def test_the_elan_file_is_valid_by_its_schema(schema: Any, exported: Exported, video: str, tmp_path: Path) -> None:
    text = file_of(exported, "elan", video, ".eaf").read_text(encoding="utf-8")
    schema.validate(text)
    assert not schema.is_valid(text.replace("LINGUISTIC_TYPE_ID", "NAME"))


def curves_of(eaf: Path) -> pd.DataFrame:
    """The curves of an .eaf file as ELAN finds them: by what links to them, by bare names, and by their columns."""
    linked = [one.get("LINK_URL") for one in ElementTree.parse(eaf).getroot().iter("LINKED_FILE_DESCRIPTOR")]
    (meaning,) = (name for name in linked if name.endswith("_tsconf.xml"))
    (source,) = ElementTree.parse(eaf.parent / meaning).getroot()
    assert source.get("source-url") in linked
    lines = (eaf.parent / source.get("source-url")).read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    times = [int(row[int(source.get("time-column"))]) for row in rows]
    columns = {track.get("name"): int(track.find("sample-position/pos").get("col")) for track in source.iter("track")}
    return pd.DataFrame({name: [float(row[at]) for row in rows] for name, at in columns.items()}, index=times)


def test_elan_curves_are_the_shares_of_the_timeline(study: Path, exported: Exported) -> None:
    curves = curves_of(file_of(exported, "elan", ODD, ".eaf"))
    assert list(curves.columns) == [f"{who} {name}" for who in TIERS_OF_ODD[:2] for name in EMOTIONS]
    assert curves.index.tolist() == [round(1000 * start) for start in LATE]
    timeline = read_timeline(study / "timelines" / f"{_output(ODD)}.csv")
    for face_id, who in enumerate(TIERS_OF_ODD[:2]):
        expected = timeline[timeline["face_id"] == face_id]["happiness"].tolist()
        assert curves[f"{who} happiness"].tolist() == expected


def test_elan_curves_have_gaps_and_a_person_who_is_two_faces_has_two(tmp_path: Path) -> None:
    rows = [*frames([0, 0.1], ["fear"] * 2, 0, "Anna"), *frames([0.1, 0.2], ["anger"] * 2, 1, "Anna")]
    rows += [(0.3, 0.1, None, "", ""), *frames([0.4], ["fear"], 2, "Anna")]
    (made,) = export(make_study(tmp_path / "out", {"a.mp4": rows}), ["elan"], out=tmp_path)
    curves = curves_of(made / "a.mp4.eaf")
    assert curves.index.tolist() == [0, 100, 200, 300, 400]
    assert curves["Anna fear"].fillna(-1).tolist() == [1, 1, 0, -1, 1]
    assert curves["Anna (2) anger"].fillna(-1).tolist() == [-1, 1, -1, -1, -1]


def test_a_video_without_a_face_has_no_curves(tmp_path: Path) -> None:
    study = make_study(tmp_path / "out", {"a.mp4": [(0.0, 0.04, None, "", "")]})
    (made,) = export(study, ["elan"], out=tmp_path)
    assert [path.name for path in made.iterdir()] == ["a.mp4.eaf"]


@pytest.mark.filterwarnings("ignore:Parsing unknown version")
def test_the_elan_file_links_a_video_that_is_near_by_its_relative_path(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "out")
    (tmp_path / Path(ODD).parent).mkdir()
    (tmp_path / ODD).touch()
    (tmp_path / "out" / "media.json").write_text(json.dumps({ODD: f"../{ODD}"}))
    (made,) = export(tmp_path / "out", ["elan"], out=tmp_path / "out" / "exports")
    path = made / f"{_output(ODD)}.eaf"
    (media,) = Elan.Eaf(str(path)).get_linked_files()
    assert (path.parent / media["RELATIVE_MEDIA_URL"]).resolve() == (tmp_path / ODD).resolve()
    assert str(tmp_path) not in path.read_text()


def test_praatio_reads_the_textgrid(study: Path, exported: Exported) -> None:
    grid = textgrid.openTextgrid(str(file_of(exported, "textgrid", ODD, ".TextGrid")), includeEmptyIntervals=False)
    assert [name.replace('""', '"') for name in grid.tierNames] == TIERS_OF_ODD  # praatio leaves doubled marks in names
    own = episodes(study, ODD).query("face_id == 0")
    expected = list(zip(own["start"], own["stop"], own["emotion"], strict=True))
    assert [tuple(entry) for entry in grid.tiers[0].entries] == expected
    nothing = textgrid.openTextgrid(str(file_of(exported, "textgrid", LONG, ".TextGrid")), includeEmptyIntervals=True)
    assert [(entry.start, entry.end, entry.label) for entry in nothing.tiers[0].entries] == [(0, 1.2, "")]


def test_praat_itself_reads_the_textgrid(study: Path, exported: Exported, tmp_path: Path) -> None:
    praat = shutil.which("praat") or pytest.skip("no praat")
    grid = shutil.copy(file_of(exported, "textgrid", ODD, ".TextGrid"), tmp_path / "a.TextGrid")
    script = tmp_path / "list.praat"
    script.write_text(
        f'Read from file: "{grid}"\n'
        'for tier to do ("Get number of tiers")\n'
        "  name$ = Get tier name: tier\n"
        "  appendInfoLine: name$\n"
        "endfor\n"
        "intervals = Get number of intervals: 1\n"
        "for interval to intervals\n"
        "  label$ = Get label of interval: 1, interval\n"
        "  start = Get start time of interval: 1, interval\n"
        "  stop = Get end time of interval: 1, interval\n"
        '  appendInfoLine: fixed$ (start, 6), " ", fixed$ (stop, 6), " ", label$\n'
        "endfor\n"
    )
    run = subprocess.run([praat, "--utf8", "--run", script], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert lines[:4] == TIERS_OF_ODD
    own = episodes(study, ODD).query("face_id == 0")
    for row in own.itertuples():
        assert f"{row.start:.6f} {row.stop:.6f} {row.emotion}" in lines
    assert len(lines) == 4 + 2 * len(own) + (1 if own["stop"].max() < LATE[-1] else 0)


def test_audacity_labels_have_three_fields_a_line(study: Path, exported: Exported) -> None:
    lines = file_of(exported, "audacity", ODD, ".txt").read_text(encoding="utf-8").splitlines()
    rows = episodes(study, ODD)
    assert [line.split("\t") for line in lines] == [
        [f"{start:.6f}", f"{stop:.6f}", label]
        for start, stop, label in zip(rows["start"], rows["stop"], labels(study, ODD), strict=True)
    ]


@pytest.mark.parametrize("video", [ODD, RTL, LONG])
def test_pysubs2_reads_srt_at_whole_milliseconds(study: Path, exported: Exported, video: str) -> None:
    rows = episodes(study, video)
    path = file_of(exported, "srt", video, ".srt")
    found = pysubs2.load(str(path)) if len(rows) else []
    assert [(line.start, line.end) for line in found] == list(
        zip((rows["start"] * 1000).round(), (rows["stop"] * 1000).round(), strict=True)
    )
    assert [block.split("\n")[2] for block in path.read_text().split("\n\n") if block] == labels(study, video)


CUES = """async () => {
  const track = document.querySelector("track");
  track.track.mode = "showing";
  while (track.readyState < 2) await new Promise(done => setTimeout(done, 20));
  return [...track.track.cues].map(cue => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]);
}"""


@pytest.mark.browser
def test_chromium_shows_webvtt_as_a_track(study: Path, exported: Exported, browser: Any) -> None:
    text = file_of(exported, "webvtt", ODD, ".vtt").read_text(encoding="utf-8")
    page_text = '<!doctype html><video><track default src="a.vtt"></video>'
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body=page_text, content_type="text/html; charset=utf-8"))
    page.route("**/a.vtt", lambda route: route.fulfill(body=text, content_type="text/vtt"))
    page.goto("http://localhost/")
    found = page.evaluate(CUES)
    page.close()
    rows = episodes(study, ODD)
    times = zip((rows["start"] * 1000).round() / 1000, (rows["stop"] * 1000).round() / 1000, strict=True)
    assert [(start, stop) for start, stop, _ in found] == list(times)
    assert [text for _, _, text in found] == labels(study, ODD)


def test_ffmpeg_shows_ass_and_srt(exported: Exported, study: Path, tmp_path: Path) -> None:
    """libass draws every episode, and its reader's times are the table's to a hundredth of a second."""
    ffmpeg = shutil.which("ffmpeg") or pytest.skip("no FFmpeg")
    rows = episodes(study, ODD)
    for name, ticks in (("ass", 100), ("srt", 1000)):
        path = shutil.copy(file_of(exported, name, ODD, f".{name}"), tmp_path / f"a.{name}")
        made = tmp_path / f"{name}.srt"
        subprocess.run([ffmpeg, "-v", "error", "-i", path, made], check=True, capture_output=True)
        found = pysubs2.load(str(made))
        expected = zip((rows["start"] * ticks).round() / ticks, (rows["stop"] * ticks).round() / ticks, strict=True)
        assert [(line.start / 1000, line.end / 1000) for line in found] == list(expected)
    drawing = ["-f", "lavfi", "-i", "color=size=640x360:rate=1:duration=1", "-vf"]
    video = subprocess.run(
        [ffmpeg, "-v", "verbose", *drawing, "setpts=PTS+2/TB,subtitles=a.ass", "-f", "rawvideo", "-"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert max(video.stdout[: 640 * 360]) > 100  # white letters on black


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@settings(max_examples=10)
@given(TEXTS, TEXTS, st.lists(st.integers(40, 900_000), min_size=12, max_size=12))
@pytest.mark.filterwarnings("ignore:Parsing unknown version")
def test_any_name_at_any_time_is_read_back_by_pympi(
    tmp_path_factory: pytest.TempPathFactory, person: str, label: str, steps: list[int]
) -> None:
    starts = [round(start / 1e6, 6) for start in accumulate(steps)]
    folder = tmp_path_factory.mktemp("drawn")
    rows = frames(starts, ["neutral", *["fear"] * 5, *["anger"] * 6], 0, person, last=0.5)
    study = make_study(folder / "out", {"a.mp4": rows}, events=[("a.mp4", label, starts[0], starts[0] + 0.5)])
    (made,) = export(study, ["elan"], out=folder)
    document = Elan.Eaf(str(made / "a.mp4.eaf"))
    who, events_tier = document.get_tier_names()
    assert who == one_line(person) or who == "face 0"
    ((_, _, told),) = document.get_annotation_data_for_tier(events_tier)
    assert told == one_line(label)
    found = list(document.get_annotation_data_for_tier(who))
    expected = episodes(study, "a.mp4")
    assert [part[:2] for part in found] == [
        (round(start * 1000), round(stop * 1000))
        for start, stop in zip(expected["start"], expected["stop"], strict=True)
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 2)), max_size=30), st.sampled_from([24, 100, 1000]))
def test_intervals_of_a_tier_never_overlap_and_none_vanishes(spans: list[tuple[float, float]], ticks: int) -> None:
    intervals = [Interval("a", str(at), start, start + length) for at, (start, length) in enumerate(sorted(spans))]
    lanes = _lanes("a", intervals, ticks)
    assert sorted(int(label) for lane in lanes for _, _, label in lane.intervals) == list(range(len(spans)))
    for lane in lanes:
        edges = [edge for start, stop, _ in lane.intervals for edge in (start, stop)]
        assert edges == sorted(edges)
        assert all(start < stop for start, stop, _ in lane.intervals)


def test_what_overlaps_goes_to_another_tier() -> None:
    spans = [(0, 2), (1, 3), (2, 4), (2.5, 2.6)]
    lanes = _lanes("Anna", [Interval("Anna", "x", *span) for span in spans], 10)
    assert [[part[:2] for part in lane.intervals] for lane in lanes] == [[(0, 20), (20, 40)], [(10, 30)], [(25, 26)]]


def test_what_is_shorter_than_a_tick_stays_and_overlaps_nothing() -> None:
    spans = [(0.0101, 0.0102), (0.0102, 0.0104), (0.0104, 0.05)]
    (lane,) = _lanes("a", [Interval("a", "x", *span) for span in spans], 100)
    assert [part[:2] for part in lane.intervals] == [(1, 2), (2, 3), (3, 5)]


def test_openface_rows_are_the_timeline(study: Path, exported: Exported) -> None:
    found = pd.read_csv(file_of(exported, "openface", ODD, ".csv"))
    assert list(found.columns[:5]) == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert found["frame"].min() == 1
    assert found["timestamp"].min() == LATE[0]
    assert found["success"].isin([0, 1]).all()
    assert len(found) == 2 * len(LATE)


def test_the_observer_log_starts_and_stops_every_interval(study: Path, exported: Exported) -> None:
    log = pd.read_csv(file_of(exported, "observer", ODD, ".txt"), sep=";", encoding="utf-8-sig")
    assert list(log.columns) == ["Time", "Subject", "Behavior", "Event type"]
    assert log["Time"].is_monotonic_increasing
    assert set(log["Subject"]) == set(TIERS_OF_ODD)
    rows = episodes(study, ODD).query("face_id == 1")
    own = log[log["Subject"] == "face 1"]
    assert own["Event type"].tolist() == ["State start", "State stop"] * len(rows)
    assert own["Behavior"].tolist() == [name for name in rows["emotion"] for _ in range(2)]
    edges = [edge for row in rows.itertuples() for edge in (row.start, row.stop)]
    assert own["Time"].tolist() == [round(edge, 3) for edge in edges]
