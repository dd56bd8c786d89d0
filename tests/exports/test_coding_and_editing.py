"""BORIS's projects, and timelines of video editors, read by the libraries and loaders of their fields."""

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import opentimelineio as otio
import pytest

from fer_batch.emotions import EMOTIONS, NEUTRAL
from fer_batch.exports import boris
from fer_batch.exports.export import export
from fer_batch.exports.tiers import EVENTS, name_of, one_line
from fer_batch.exports.video import RATES, frame_rate
from fer_batch.media.sources import _output
from fer_batch.output.csv import read_table
from fer_batch.output.results import Results
from fer_batch.output.schema import EPISODES
from tests.exports.conftest import ANNA, LONG, ODD, RTL
from tests.helpers.studies import Row, frames, make_study

Exported = Callable[[str], Path]

SIX = [name for index, name in enumerate(EMOTIONS) if index != NEUTRAL]


def project(exported: Exported) -> dict:
    return json.loads((exported("boris") / boris.PROJECT).read_text(encoding="ascii"))


def test_the_boris_project_holds_each_interval_as_two_events(study: Path, exported: Exported) -> None:
    found = project(exported)
    assert list(found["observations"]) == [one_line(ODD), RTL, LONG]
    observation = found["observations"][one_line(ODD)]
    assert [event[0] for event in observation["events"]] == sorted(event[0] for event in observation["events"])
    rows = read_table(study / "episodes.csv", EPISODES).query("file == @ODD and face_id == 0")
    own = [event for event in observation["events"] if event[1] == one_line(ANNA)]
    times = [round(time, 3) for row in zip(rows["start"], rows["stop"], strict=True) for time in row]
    assert [event[0] for event in own] == times
    codes = {behaviour["code"] for behaviour in found["behaviors_conf"].values()}
    assert codes == {*SIX, 'question "1" and <2>', "over"}
    assert {event[2] for event in observation["events"]} <= codes
    assert {event[1] for event in observation["events"]} <= {one["name"] for one in found["subjects_conf"].values()}
    assert observation["file"]["1"] == [Path(ODD).name]


def test_the_table_of_aggregated_events_says_the_same_as_the_project(exported: Exported) -> None:
    with (exported("boris") / boris.AGGREGATED).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert list(rows[0]) == list(boris.COLUMNS)
    for name, observation in project(exported)["observations"].items():
        coded = sorted(
            (float(row[column]), row["Subject"], row["Behavior"])
            for row in rows
            if row["Observation id"] == name
            for column in ("Start (s)", "Stop (s)")
        )
        assert coded == sorted((time, subject, code) for time, subject, code, *_ in observation["events"])
    assert {row["Behavioral category"] for row in rows} == {"expression", "event"}


def test_boris_itself_opens_the_project(exported: Exported) -> None:
    loader = pytest.importorskip("boris.project_functions", exc_type=ImportError)
    path = str(exported("boris") / boris.PROJECT)
    _, changed, found, message = loader.open_project_json(path)
    assert (changed, message, "error" in found) == (False, "", False)
    assert loader.check_project_integrity(found, "hh:mm:ss", path, media_file_available=False).replace("<br>", "") == ""


def test_an_event_called_like_an_emotion_is_another_subject(tmp_path: Path) -> None:
    study = make_study(tmp_path / "out", {"a.mp4": frames([0, 1], ["fear"] * 2)}, events=[("a.mp4", "fear", 0, 0.5)])
    (made,) = export(study, ["boris"], out=tmp_path)
    found = json.loads((made / boris.PROJECT).read_text())
    assert [event[:3] for event in found["observations"]["a.mp4"]["events"]] == [
        [0, "face 0", "fear"],
        [0, EVENTS, "fear"],
        [0.5, EVENTS, "fear"],
        [1.04, "face 0", "fear"],
    ]


ADAPTERS = {"otio": (".otio", "otio_json"), "premiere": (".xml", "fcp_xml"), "edl": (".edl", "cmx_3600")}


def markers(exported: Exported, name: str, video: str) -> list[otio.schema.Marker]:
    suffix, adapter = ADAPTERS[name]
    timeline = otio.adapters.read_from_file(str(exported(name) / f"{_output(video)}{suffix}"), adapter)
    timelines = [timeline] if isinstance(timeline, otio.schema.Timeline) else list(timeline)
    (clip,) = timelines[0].find_clips()
    return list(clip.markers)


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("video", [ODD, RTL, LONG])
def test_markers_are_the_episodes_to_the_frame(study: Path, exported: Exported, name: str, video: str) -> None:
    rows = read_table(study / "episodes.csv", EPISODES).query("file == @video").sort_values(["start", "stop"])
    found = markers(exported, name, video)
    assert len(found) == len(rows)
    for marker, row in zip(found, rows.to_dict("records"), strict=True):
        rate = marker.marked_range.start_time.rate
        assert any(rate == pytest.approx(usual) for usual in RATES)
        assert marker.marked_range.start_time.value == round(row["start"] * rate)
        text = f"{name_of(row['person'], row['face_id'])}: {row['emotion']}"
        if name == "edl":  # CMX 3600 has capital letters, and no ends
            assert marker.name == text.upper()
        else:
            assert marker.name == text
            assert marker.marked_range.end_time_exclusive().value == round(row["stop"] * rate)


@pytest.mark.parametrize("video", [ODD, RTL, LONG])
def test_final_cut_gets_the_episodes_in_whole_frames_of_a_rate_it_knows(
    study: Path, exported: Exported, video: str
) -> None:
    text = (exported("fcpxml") / f"{_output(video)}.fcpxml").read_text(encoding="utf-8")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.8">')
    root = ElementTree.fromstring(text)
    frame = Fraction(root.find("resources/format").get("frameDuration").removesuffix("s"))
    assert 1 / frame in RATES
    clip = root.find("library/event/project/sequence/spine/asset-clip")
    asset = root.find("resources/asset")
    assert (clip.get("ref"), clip.get("name")) == (asset.get("id"), one_line(video))
    assert unquote(asset.get("src")) == Path(video).name
    rows = read_table(study / "episodes.csv", EPISODES).query("file == @video").sort_values(["start", "stop"])
    found = clip.findall("marker")
    assert len(found) == len(rows)
    for marker, row in zip(found, rows.to_dict("records"), strict=True):
        start, duration = (Fraction(marker.get(name).removesuffix("s")) / frame for name in ("start", "duration"))
        assert (start.denominator, duration.denominator) == (1, 1)
        assert abs(float(start * frame) - row["start"]) <= frame / 2
        assert abs(float((start + duration) * frame) - row["stop"]) <= frame / 2
        assert marker.get("value") == f"{name_of(row['person'], row['face_id'])}: {row['emotion']}"


def rate_of(tmp_path: Path, rows: list[Row]) -> float | None:
    results = Results.read(make_study(tmp_path / "out", {"a.mp4": rows}))
    return frame_rate(results, results.sources[0])


def test_the_frame_rate_is_that_of_most_frames(tmp_path: Path) -> None:
    times = [1.2 + step / 30 + (0.5 if step > 20 else 0) for step in range(40)]  # comes late, and pauses once
    assert rate_of(tmp_path, frames(times, ["fear"] * 40)) == pytest.approx(30, rel=1e-4)


def test_a_single_frame_has_no_rate(tmp_path: Path) -> None:
    assert rate_of(tmp_path, frames([1.2], ["fear"])) is None
