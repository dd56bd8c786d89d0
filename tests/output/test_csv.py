"""The tables: written so that anybody's CSV reader gets back exactly what was meant."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frictionless
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fer_batch.analysis.timeline import Timeline
from fer_batch.emotions import EMOTIONS
from fer_batch.errors import OutputError
from fer_batch.media.sources import walk
from fer_batch.output import csv as fer_csv
from fer_batch.output.csv import (
    owner,
    read_table,
    read_timeline,
    write_episodes,
    write_skipped,
    write_summary,
    write_table,
    write_timeline,
)
from fer_batch.output.datapackage import write_datapackage
from fer_batch.output.files import MadeInTurn, write_json
from fer_batch.output.schema import EPISODES, ERRORS, SUMMARY, TIMELINE, Column
from fer_batch.types import Box, Detection, Episode, Face, FrameTime, Kind, Severity, Skipped, Summary, TrackedFrame
from tests.helpers.studies import frames, make_study

COLUMNS = (
    "source file frame timestamp duration face_id person success damaged face_confidence quality spurious left_out "
    "x y width height "
    "anger disgust fear happiness sadness surprise neutral emotion"
).split()

NASTY = ["two\nlines", "a\r\nb", "a\rb", 'quo"te', '"', "'", "com,ma", "=cmd()|' /C calc'!A0", "+1", "-rf", "@x", "1"]
NASTY += ["", " ", "\t", " led and trailed ", "#x", "\\", "NA", "null", "nan", "None", "True"]
NASTY += ["línea", "日本語", "😀", "\ufeffbom", "\u2028"]
"""Names that a CSV reader, a spreadsheet or pandas might take for something else."""

names = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
seconds = st.none() | st.floats(0, 1e5)
shares = st.lists(st.floats(0, 1, width=32), min_size=7, max_size=7).map(lambda values: np.array(values, np.float32))
boxes = st.builds(Box, *[st.floats(-5000, 5000)] * 2, *[st.floats(0, 5000)] * 2)
faces = st.builds(
    Face,
    st.integers(0, 10**6),
    st.builds(Detection, boxes, st.floats(0, 1)),
    shares,
    st.floats(0, 1),
    st.booleans(),
)
frame_times = st.builds(FrameTime, names, st.integers(0, 10**9), seconds, seconds, damaged=st.booleans())
tracked_frames = st.lists(st.builds(TrackedFrame, frame_times, st.lists(faces, max_size=3).map(tuple)), max_size=6)


def face(shares: np.ndarray, face_id: int = 0) -> Face:
    return Face(face_id, Detection(Box(1.5, -2.4, 30.6, 40.2), 0.98765), shares)


def table_of(tracked_frames: list[TrackedFrame]) -> Timeline:
    """A timeline in which every face has the name of its file."""
    timeline = Timeline.of(tracked_frames)
    timeline.rows["person"] = np.where(timeline.success, timeline.rows["file"], timeline.rows["person"])
    return timeline


def expected_rows(tracked_frames: list[TrackedFrame]) -> list[dict[str, Any]]:
    """What a timeline says, as it is read back; None where it says nothing."""
    rows = []
    for tracked in tracked_frames:
        frame_time = tracked.time
        for one in tracked.faces or [None]:
            row: dict[str, Any] = dict.fromkeys(COLUMNS)
            row |= {
                "source": "the source",
                "file": frame_time.file,
                "frame": frame_time.number,
                "timestamp": frame_time.seconds,
            }
            row |= {
                "duration": frame_time.duration,
                "success": one is not None,
                "damaged": frame_time.damaged,
                "spurious": False,
                "emotion": None,
                "left_out": "",
                "person": None,
            }
            if one is not None:
                box = one.detection.box
                row |= {
                    "face_id": one.face_id,
                    "person": frame_time.file or None,
                    "face_confidence": one.detection.confidence,
                }
                row |= {"quality": one.quality, "spurious": one.spurious}
                row["left_out"] = "spurious" if one.spurious else ""
                row |= {name: round(getattr(box, name)) for name in ("x", "y", "width", "height")}
                row |= dict(zip(EMOTIONS, one.shares.tolist(), strict=True))
                row["emotion"] = EMOTIONS[one.shares.tolist().index(one.shares.max())]
            rows.append(row)
    return rows


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(deadline=None)
@given(written=tracked_frames)
@example(written=[TrackedFrame(FrameTime(name, number), ()) for number, name in enumerate(NASTY)])
def test_a_timeline_is_read_back_as_it_was_written_up_to_the_decimals(
    folder: Path, written: list[TrackedFrame]
) -> None:
    path = folder / "timeline.csv"
    write_timeline(path, table_of(written), source="the source")
    table = read_timeline(path)
    assert list(table.columns) == COLUMNS
    assert len(table) == sum(max(1, len(tracked.faces)) for tracked in written)
    decimals = {"timestamp": 6, "duration": 6, "face_confidence": 4, "quality": 4, **dict.fromkeys(EMOTIONS, 4)}
    for row, meant in zip(rows_of(table), expected_rows(written), strict=True):
        for name, places in decimals.items():
            value, exact = row.pop(name), meant.pop(name)
            assert (value is None) == (exact is None)
            assert value is None or abs(value - exact) <= 0.5000001 * 10**-places
        assert row == meant


@settings(deadline=None)
@given(written=tracked_frames)
def test_any_csv_reader_sees_the_same_fields_and_no_token_for_missing(
    folder: Path, written: list[TrackedFrame]
) -> None:
    path = folder / "plain.csv"
    write_timeline(path, table_of(written), source="the source")
    header, *rows = csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline=""), strict=True)
    assert header == COLUMNS
    for row, meant in zip(rows, expected_rows(written), strict=True):
        fields = dict(zip(COLUMNS, row, strict=True))
        assert fields.pop("source") == meant["source"]
        assert fields.pop("file") == meant["file"]
        assert fields.pop("emotion") == (meant["emotion"] or "")
        assert fields.pop("person") == (meant["person"] or "")
        assert fields.pop("success") == str(int(meant["success"]))
        assert fields.pop("left_out") == meant["left_out"]
        assert fields.pop("damaged") == str(int(meant["damaged"]))
        assert fields.pop("spurious") == (str(int(meant["spurious"])) if meant["success"] else "")
        for name, field in fields.items():
            assert field == "" if meant[name] is None else re.fullmatch(r"-?\d+(\.\d+)?", field)


def test_a_timelines_text_is_exactly_this(tmp_path: Path) -> None:
    mixed = np.array([0, 0, 0.1, 0.7, 0, 0.2, 0], np.float32)
    written = [
        TrackedFrame(FrameTime("a, b.mp4", 0, 0.0, 1 / 30), (face(mixed), face(mixed[::-1], 12))),
        TrackedFrame(FrameTime("a, b.mp4", 1, 1 / 30, None), ()),
        TrackedFrame(FrameTime("übung.png", 2, damaged=True), ()),
    ]
    timeline = Timeline(Timeline.of(written).rows, ("", "a, b.mp4", "übung.png", "Bo, Li"))
    timeline.rows["person"][1] = 3
    write_timeline(tmp_path / "t.csv", timeline, source="the source")
    assert (tmp_path / "t.csv").read_bytes().decode("utf-8") == (
        f"{','.join(COLUMNS)}\r\n"
        'the source,"a, b.mp4",0,0.000000,0.033333,0,,1,0,0.9877,1.0000,0,,2,-2,31,40,'
        "0.0000,0.0000,0.1000,0.7000,0.0000,0.2000,0.0000,happiness\r\n"
        'the source,"a, b.mp4",0,0.000000,0.033333,12,"Bo, Li",1,0,0.9877,1.0000,0,,2,-2,31,40,'
        "0.0000,0.2000,0.0000,0.7000,0.1000,0.0000,0.0000,happiness\r\n"
        'the source,"a, b.mp4",1,0.033333,,,,0,0,,,,,,,,,,,,,,,,\r\n'
        "the source,übung.png,2,,,,,0,1,,,,,,,,,,,,,,,,\r\n"
    )


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_table_is_the_same_however_many_rows_are_written_and_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    path = tmp_path / "timeline.csv"
    found = face(np.full(7, 1 / 7, np.float32))
    timeline = Timeline.of(TrackedFrame(FrameTime("f", at), (found,) * (at % 2)) for at in range(3))
    write_timeline(path, timeline, source="the source")
    whole, written = read_table(path, TIMELINE), path.read_bytes()
    monkeypatch.setattr(fer_csv, "ROWS_AT_ONCE", rows)
    write_timeline(path, timeline, source="the source")
    assert path.read_bytes() == written
    pd.testing.assert_frame_equal(read_table(path, TIMELINE), whole)
    only = ["face_id", "success", "emotion"]
    pd.testing.assert_frame_equal(read_table(path, TIMELINE, frozenset(only)), whole[only])


@settings(deadline=None)
@given(written=tracked_frames)
def test_smoothed_shares_stand_beside_the_raw_ones_which_stay_to_the_byte(
    folder: Path, written: list[TrackedFrame]
) -> None:
    path = folder / "wide.csv"
    write_timeline(path, table_of(written), source="the source")
    raw = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline=""), strict=True))
    seen = read_timeline(path)["success"].to_numpy()
    shares = np.where(seen[:, np.newaxis], np.linspace(0, 1, 7), np.nan)
    write_timeline(path, table_of(written), shares, source="the source")
    wide = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline=""), strict=True))
    assert [row[: len(COLUMNS)] for row in wide] == raw
    assert wide[0][len(COLUMNS) :] == [*(f"smooth_{name}" for name in EMOTIONS), "smooth_emotion"]
    table = read_timeline(path)
    assert table.loc[seen, "smooth_neutral"].tolist() == [1.0] * seen.sum()
    assert table["smooth_emotion"].fillna("").tolist() == ["neutral" if one else "" for one in seen]
    assert table.loc[~seen, "smooth_anger"].isna().all()


def test_changes_stand_on_the_right_and_are_empty_where_there_is_none(tmp_path: Path) -> None:
    frames = [TrackedFrame(FrameTime("f", at), (face(np.full(7, 1 / 7, np.float32)),)) for at in range(2)]
    changes = np.array([np.linspace(-1, 1, 7), [np.nan] * 7])
    write_timeline(tmp_path / "t.csv", Timeline.of(frames), None, changes, source="the source")
    write_timeline(tmp_path / "both.csv", Timeline.of(frames), changes, changes, source="the source")
    table, both = read_timeline(tmp_path / "t.csv"), read_timeline(tmp_path / "both.csv")
    names = [f"change_{name}" for name in EMOTIONS]
    assert list(table.columns) == [*COLUMNS, *names]
    assert list(both.columns) == [*COLUMNS, *(f"smooth_{name}" for name in [*EMOTIONS, "emotion"]), *names]
    assert table[names].to_numpy()[0] == pytest.approx(changes[0], abs=1e-4)
    assert table[names].to_numpy()[1] == pytest.approx(changes[1], nan_ok=True)
    assert both["smooth_emotion"].fillna("").tolist() == ["neutral", ""]


def test_a_small_loss_is_no_minus_nothing(tmp_path: Path) -> None:
    columns = (Column("change", "number", "", "", 4),)
    write_table(tmp_path / "t.csv", columns, [{"change": -0.00001}, {"change": -0.0}, {"change": -0.00006}])
    assert (tmp_path / "t.csv").read_text().split() == ["change", "0.0000", "0.0000", "-0.0001"]


@settings(deadline=None)
@given(skipped=st.lists(st.builds(Skipped, names, names, st.sampled_from(Severity)), max_size=6))
def test_what_was_left_out_is_read_back_as_it_was_written(folder: Path, skipped: list[Skipped]) -> None:
    path = folder / "errors.csv"
    sources = {one.file for one in skipped[::2]}
    write_skipped(path, skipped, sources)
    table = read_table(path, ERRORS)
    assert rows_of(table) == [
        {"source": owner(one.file, sources), "file": one.file, "severity": one.severity}
        | {"rows_kept": one.severity != "lost", "reason": one.reason}
        for one in skipped
    ]


def test_a_file_belongs_to_the_innermost_source() -> None:
    sources = {"a", "a/b", "film.mp4"}
    files = {"a/b/1.jpg": "a/b", "a/1.jpg": "a", "film.mp4": "film.mp4", "people.csv": "", "b/1.jpg": ""}
    assert {file: owner(file, sources) for file in files} == files


LEFT_OUT = {"faces_left_out": 2, "seconds_left_out": 0.5}


def summary(**values: Any) -> Summary:
    video = {"file": "=film", "kind": Kind.VIDEO, "face_id": 3, "person": "@x", "faces": 9, "episodes": 5}
    video |= {"first_seen": 0.5, "last_seen": 2.0, "seconds_visible": 1.25, "gaps": 1, "seconds_missing": 0.25}
    parts = np.array([0.25, 0, 0, 0.25, 0, 0, 0.5])
    return Summary(
        **video | {"means": np.eye(7)[4], "strongest": parts, "valence": -0.5, "role": "a,b"} | LEFT_OUT | values
    )


def test_a_summary_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    unknown = dict.fromkeys(("face_id", "first_seen", "last_seen", "seconds_visible", "gaps", "seconds_missing"))
    unknown |= {"episodes": None}
    neutral = {"strongest": np.eye(7)[6]}
    write_summary(tmp_path / "s.csv", [summary(), summary(kind=Kind.PHOTOS, person="", **unknown, **neutral)])
    video, photos = rows_of(read_table(tmp_path / "s.csv", SUMMARY))
    fixed = {"source": "=film", "file": "=film", "faces": 9, "emotion": "sadness", "derived_valence": -0.5}
    fixed |= {"derived_valence_of_means": -1.0}
    fixed |= {"role": "a,b", "group": "", "faces_left_out": 2, "seconds_left_out": 0.5}
    fixed |= {f"mean_{name}": float(name == "sadness") for name in EMOTIONS}
    times = {"first_seen": 0.5, "last_seen": 2.0, "seconds_visible": 1.25, "gaps": 1, "seconds_missing": 0.25}
    strongest = dict(zip((f"strongest_{name}" for name in EMOTIONS), summary().strongest.tolist(), strict=True))
    without = {f"strongest_{name}_without_neutral": 0.5 * (name in ("anger", "happiness")) for name in EMOTIONS[:6]}
    rest = {"kind": "video", "face_id": 3, "person": "@x", "episodes_per_minute": 240.0}
    assert video == fixed | times | strongest | without | rest
    unknown |= {f"strongest_{name}": float(name == "neutral") for name in EMOTIONS}
    unknown |= dict.fromkeys(without) | {"episodes_per_minute": None, "kind": "photos", "person": ""}
    unknown.pop("episodes")
    assert photos == fixed | unknown


def test_episodes_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    written = [
        Episode("=film", 3, "", "sadness", 1.5, 2.25, 0.5, 0.75, 2.0),
        Episode("a,b", 0, "Bo", "fear", 0, 9, 1, 1, 0),
    ]
    write_episodes(tmp_path / "e.csv", written)
    table = read_table(tmp_path / "e.csv", EPISODES)
    assert list(table.columns) == "source file face_id person emotion start stop duration mean peak peak_time".split()
    assert rows_of(table) == [vars(one) | {"source": one.file, "duration": one.stop - one.start} for one in written]


@pytest.mark.parametrize("before", [None, "what was there\n"])
def test_rows_that_break_off_leave_the_path_as_it_was(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "t.csv"
    if before is not None:
        path.write_text(before)

    def breaking_off() -> Iterator[dict[str, object]]:
        for number in range(10_000):
            yield {"file": "film", "frame": number}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_table(path, TIMELINE, breaking_off())
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == ({} if before is None else {"t.csv": before})


@pytest.mark.parametrize("place", ["folder.csv", "file/t.csv", "file/deep/t.csv", "x" * 300 + ".csv"])
def test_a_place_that_cannot_be_written_is_an_output_error_that_names_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Cannot write .*\.csv: .*write to another place"):
        write_timeline(tmp_path / place, Timeline.of([]), source="the source")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder.csv"]


def test_json_is_written_as_utf_8_and_never_with_nan(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"list": MadeInTurn({"n": number} for number in range(3)), "empty": MadeInTurn(())})
    turn = path.read_bytes()
    write_json(path, {"list": [{"n": 0}, {"n": 1}, {"n": 2}], "empty": []})
    assert path.read_bytes() == turn
    write_json(path, {"name": "línea\n😀", "none": None})
    assert "línea" in path.read_bytes().decode("utf-8")
    assert json.loads(path.read_bytes()) == {"name": "línea\n😀", "none": None}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"share": float("nan")})
    assert json.loads(path.read_bytes()) == {"name": "línea\n😀", "none": None}


VIDEOS = [
    "<script>alert(1)<.mp4",
    "=cmd()|'x'.mp4",
    "-rf.mp4",
    "two words [1080p].mp4",
    'quo"te.mp4',
    "CON.mp4",
    "~x.mp4",
]
VIDEOS += [
    "línea\nnueva.mp4",
    "日本語 😀.mp4",
    "a%2Fb%.mp4",
    "100% of 50%.mp4",
    "a..mp4",
    "x" * 251 + ".mp4",
    "sub../;,.mp4",
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """datapackage.json of a small output folder, whose videos have the names of VIDEOS; one is smoothed."""
    media, out = tmp_path / "media", tmp_path / "out"
    for name in VIDEOS:
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(b"")
    timelines = {source.name: f"timelines/{source.output}.csv" for source in walk([media]).sources}
    assert set(timelines) == set(VIDEOS)
    for name, path in timelines.items():
        seen, unseen = FrameTime(name, 0, 0.0, 0.04), FrameTime(name, 1)
        frames = [TrackedFrame(seen, (face(np.full(7, 1 / 7, np.float32)),)), TrackedFrame(unseen, ())]
        smoothed = np.array([[1 / 7] * 7, [np.nan] * 7]) if name == VIDEOS[3] else None
        write_timeline(out / path, Timeline.of(frames), smoothed, source="the source")
    write_summary(out / "summary.csv", [summary(file=name) for name in VIDEOS])
    write_skipped(out / "errors.csv", [], ())
    write_episodes(out / "episodes.csv", [])
    write_datapackage(out / "datapackage.json", timelines, "2025-01-01T00:00:00+00:00")
    return out / "datapackage.json"


def test_the_data_package_is_valid_whatever_videos_are_called(package: Path) -> None:
    report = frictionless.validate(str(package))
    assert report.flatten(["title", "message"]) == []
    assert report.valid
    assert len(report.tasks) == len(VIDEOS) + 3


def test_the_data_package_describes_every_table_as_it_is(package: Path) -> None:
    described = json.loads(package.read_text(encoding="utf-8"))
    resources = described["resources"]
    titles = {resource["title"] for resource in resources}
    assert titles >= set(VIDEOS)
    assert all(re.fullmatch("[a-z0-9._-]+", resource["name"]) for resource in resources)
    assert len({resource["name"] for resource in resources}) == len(resources)
    for resource in resources:
        path = package.parent / resource["path"]
        assert path.resolve().is_relative_to(package.parent.resolve())
        fields = resource["schema"]["fields"]
        header = path.read_bytes().decode("utf-8").split("\r\n")[0]
        assert header == ",".join(field["name"] for field in fields)
        assert all(field["description"] for field in fields)
        booleans = [field for field in fields if field["type"] == "boolean"]
        assert all((field["trueValues"], field["falseValues"]) == (["1"], ["0"]) for field in booleans)


def test_the_data_package_reads_a_timeline_with_types(package: Path) -> None:
    timeline = frictionless.Package(str(package)).get_resource("timeline-1")
    seen, unseen = timeline.read_rows()
    assert (seen["success"], unseen["success"]) == (True, False)
    assert (seen["frame"], seen["face_id"], float(seen["duration"])) == (0, 0, 0.04)
    assert [unseen[name] for name in ("timestamp", "face_id", "x", "anger", "emotion")] == [None] * 5


def test_a_whole_study_holds_what_its_data_package_says_of_values_and_keys(tmp_path: Path) -> None:
    people = {"a.mp4": frames([0, 0.5, 1, 1.5], ["anger", "anger", "sadness", "fear"], person="Anna")}
    people["b.mp4"] = frames([0, 0.5, 1], ["happiness", "neutral", "neutral"], person="Bo")
    study = make_study(tmp_path / "out", people, {"photos": ["anger", "neutral"]}, [("a.mp4", "talk", 0.2, 1)])
    package = study / "datapackage.json"
    report = frictionless.validate(str(package))
    assert report.flatten(["title", "message"]) == []
    schemas = {one["name"]: one["schema"] for one in json.loads(package.read_text(encoding="utf-8"))["resources"]}
    assert schemas["timeline-1"]["primaryKey"] == ["frame", "face_id"]
    assert {tie["reference"]["resource"] for tie in schemas["episodes"]["foreignKeys"]} == {"summary"}
    summary = study / "summary.csv"
    whole = summary.read_text(encoding="utf-8")
    for wrong, right, kind in (
        ("1.5000", "1.0000", "constraint-error"),
        ("film", "video", "constraint-error"),
        ("c.mp4", "a.mp4", "foreign-key"),
        (whole.splitlines()[1], whole.splitlines()[2], "primary-key"),
    ):
        summary.write_text(whole.replace(right, wrong), encoding="utf-8", newline="\r\n")
        assert kind in {found for (found,) in frictionless.validate(str(package)).flatten(["type"])}
