"""report: pages say what the tables say, link to what is there, and load nothing."""

import base64
import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from fer_batch.analysis import groups, persons
from fer_batch.analysis.event_time import event_time_means
from fer_batch.analysis.naming import name_faces
from fer_batch.analysis.series import left_out_of
from fer_batch.analysis.summary import summarize
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.events import Event, Events
from fer_batch.annotations.load import Annotations
from fer_batch.annotations.people import Naming, People
from fer_batch.annotations.user_csv import Line
from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.errors import OutputError, UsageError
from fer_batch.options import Options, ReportOptions
from fer_batch.output import manifest, results
from fer_batch.output.csv import (
    read_table,
    read_timeline,
    write_by_event,
    write_differences,
    write_episodes,
    write_event_time,
    write_events,
    write_groups,
    write_people,
    write_skipped,
    write_summary,
    write_timeline,
)
from fer_batch.output.datapackage import write_datapackage
from fer_batch.output.files import write_json
from fer_batch.output.schema import BY_EVENT_TIME, BY_GROUP, BY_PERSON, DIFFERENCES, ERRORS, MEANS, SUMMARY
from fer_batch.report import formatting, layout, render, single_file, texts
from fer_batch.report.pages import photos as photospage
from fer_batch.report.pages import video
from fer_batch.types import Box, Detection, Face, FrameTime, Kind, Outcome, Severity, Skipped, Source, TrackedFrame
from tests.helpers.media import write_video
from tests.helpers.studies import frames, make_study

GOLD = Path(__file__).parents[1] / "gold"
ACTUAL = Path(__file__).parents[1] / "actual"
CITATIONS = {
    "https://doi.org/10.1177/1529100619832930",
    "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
    *(f"https://arxiv.org/abs/{number}" for number in ("1307.0414", "1608.01041", "1911.03599")),
}
FACTS = {
    "codec": "h264",
    "width": 640,
    "height": 480,
    "time_base": "1/90000",
    "container_start": 0.0,
    "stream_start": 0.5,
}
NASTY = [
    "a <script>alert(1)</script> \"b\" 'c' & d",
    "=cmd()|' /C calc'!A0",
    "line\nbreak",
    "100 % #1?x=y;z",
    "sub/deep er/%41 ünï 顔 😀",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "-\u202eright to left",
]


def a_face(face_id=0, shares=None, *, rng=None):
    if shares is None:
        shares = (rng or np.random.default_rng(face_id)).dirichlet(np.ones(7))
    return Face(face_id, Detection(Box(10.4 + face_id, 20, 30, 40), 0.875), np.asarray(shares, np.float32))


def a_video(name, seen, frames, *, fps=25.0, output=None, seed=0):
    """A video and its readings; ``seen`` maps face_ids to the frames in which they are; ``fps`` None: no timestamps."""
    rng = np.random.default_rng(seed)
    source = Source(Kind.VIDEO, name, (Path(f"/home/jane/{name}"),), output or safe(name))
    tracked_frames = []
    for number in range(frames):
        frame_time = FrameTime(name, number, number / fps if fps else None, 1 / fps if fps else None)
        faces = tuple(a_face(face_id, rng=rng) for face_id, where in seen.items() if number in where)
        tracked_frames.append(TrackedFrame(frame_time, faces))
    return source, tracked_frames


def a_folder(name, faces, *, output=None):
    """A folder and its readings; ``faces`` maps each photo to how many faces it has."""
    rng = np.random.default_rng(len(faces))
    source = Source(Kind.PHOTOS, name, tuple(Path(f"/home/jane/{file}") for file in faces), output or safe(name))
    tracked_frames = [
        TrackedFrame(FrameTime(file, number), tuple(a_face(one, rng=rng) for one in range(count)))
        for number, (file, count) in enumerate(faces.items())
    ]
    return source, tracked_frames


def safe(name):
    """Like the real names of outputs: fit for file systems, but by no means for URLs as they are."""
    return re.sub(r'[<>:"|?*\n]', lambda match: f"%{ord(match[0]):02X}", name)


def a_study(events=None, people=None):
    """``events`` maps videos to (label, start, stop), ``people`` sources to (photo, face_id, person, group)."""
    line = Line("study.csv", 2, {})
    return Annotations(
        People(
            {
                source: tuple(Naming(line, file, face, person, "", group) for file, face, person, group in named)
                for source, named in (people or {}).items()
            }
        ),
        Events(
            {
                video_name: [Event(line, video_name, *one) for one in happened]
                for video_name, happened in (events or {}).items()
            }
        ),
    )


def write_output(folder, videos_and_folders, skipped=(), ignored=(), study=None, **options):
    """An output folder as a run leaves it, but for the report."""
    outcomes, summaries, episodes, people, events, around = [], [], [], [], [], []
    study = study or Annotations()
    for source, tracked_frames in videos_and_folders:
        durations = [tracked.time.duration for tracked in tracked_frames if tracked.time.duration is not None]
        timeline = Timeline.of(tracked_frames, options.get("min_quality", 0.0))
        timeline = name_faces(timeline, source.name, source.kind, study.people.of(source.name)).timeline
        outcome = Outcome(
            source,
            frames=len(tracked_frames),
            frames_with_face=len(np.unique(timeline.rows["frame"][timeline.counts])),
            faces=int(timeline.counts.sum()),
            seconds=sum(durations) if durations else None,
            facts=FACTS if source.kind is Kind.VIDEO else {"photos": len(source.files)},
            skipped=tuple(one for one in skipped if one.file.startswith(source.name)),
            left_out=tuple(left_out_of(timeline, source.kind)),
        )
        outcomes.append(outcome)
        measured, added = summarize(timeline, source, Options(**options), study)
        write_timeline(folder / outcome.timeline, timeline, added.smoothed, added.changes, source=source.name)
        people += measured.people
        events += measured.events
        around += measured.around_events
        summaries += measured.summaries
        episodes += measured.episodes
    when = datetime(2026, 11, 23, 5, 40, tzinfo=UTC)
    run_facts = manifest.Manifest(
        started=when,
        finished=when,
        options=Options(**options),
        model={"file": "fer2013.keras", "sha256": "ab12" * 16, "provenance": {"made_in": "/home/jane/runs/seven"}},
        detector={"name": "centerface", "sha256": "09189dea", "precision": "f32"},
        runtime=None,
        seconds={"scanning": 1.5},
        chunks={"chunks_scanned": 2, "chunks_reused": 0},
        outcomes=outcomes,
        skipped=skipped,
        ignored=ignored,
    )
    write_summary(folder / "summary.csv", summaries)
    write_episodes(folder / "episodes.csv", episodes)
    if people:
        means, differences = groups.compare(people, study.people.groups)
        write_people(folder / "summary_by_person.csv", persons.summarize_persons(people))
        write_groups(folder / "summary_by_group.csv", means)
        write_differences(folder / "group_differences.csv", differences)
    if events:
        write_events(folder / "events.csv", dict.fromkeys(one.event for one in events))
        write_by_event(folder / "summary_by_event.csv", events)
        means = event_time_means(around, study.people.groups)
        write_event_time(folder / "summary_by_event_time.csv", means)
    write_skipped(folder / "errors.csv", skipped, {outcome.source.name for outcome in outcomes})
    named = {outcome.source.name: outcome.timeline for outcome in outcomes}
    write_datapackage(folder / "datapackage.json", named, when.isoformat())
    # The versions and the machine of whoever runs this test are no part of it.
    run = manifest.as_json(run_facts) | {"versions": {"python": "3.11.7"}, "platform": "Linux x86_64"}
    write_json(folder / "run.json", run)
    (folder / results.MODEL_CARD).write_text("# Model card: fer2013.keras\n")
    return folder


class Document(HTMLParser):
    """A page taken apart; an unbalanced tag is an error."""

    EMPTY = frozenset("meta link br hr img input path use rect defs".split())

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self.tags = []
        self.open = []
        self.texts = []
        self.scripts = []
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts.append(data)
        elif "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def values(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def pages_of(folder):
    return [Document(path) for path in [folder / "index.html", *sorted((folder / "pages").rglob("*.html"))]]


def rendered(folder):
    """The folder, with its report."""
    assert render.render(folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def small_report(tmp_path_factory):
    """Two videos and two folders, with everything that can be wrong with them, and their report: not to be changed."""
    folder = write_output(
        tmp_path_factory.mktemp("small") / "out",
        [
            a_video("sub/interview.mp4", {0: range(10, 40), 1: [*range(20, 30), *range(50, 60)]}, 75),
            a_video("raw.h264", {0: range(5)}, 20, fps=None, seed=5),
            a_folder("holiday", {"a.jpg": 2, "b & c.jpg": 1, "empty.jpg": 0}),
            a_folder("holiday/more", {"d.jpg": 0}),
        ],
        skipped=[
            Skipped("broken.mp4", "It is a video by its name, but holds no frame."),
            Skipped("holiday/torn.jpg", "image file is truncated: '/home/jane/pictures of me/torn.jpg'"),
            Skipped("holiday/more/worse.jpg", "Not a photo."),
            Skipped("sub/interview.mp4", "3 of 75 packets are marked as corrupt.", Severity.PARTIAL),
            Skipped("sub/interview.mp4", "It holds 2 video streams; only the default one is analysed.", Severity.NOTE),
        ],
        ignored=["notes.txt", "sub/<b>.xml"],
    )
    shutil.copytree(folder, folder.parent / "before")
    return rendered(folder)


@pytest.fixture
def small(small_report, tmp_path):
    """A copy of the same, without the report."""
    return shutil.copytree(small_report.parent / "before", tmp_path / "out")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """The report on a video and a folder under each name that one should not choose."""
    media = []
    for name in NASTY:
        media.append(a_video(f"{name}.mp4", {0: range(8)}, 10))
        media.append(a_folder(name, {f"{name.replace('/', '_')}.jpg": 1, f"no {name.replace('/', '_')}": 0}))
    skipped = [Skipped(f"{name}/{name}", f"Why? {name}") for name in NASTY]
    return rendered(write_output(tmp_path_factory.mktemp("nasty") / "out", media, skipped, ignored=NASTY))


def test_every_link_leads_to_a_file_that_is_there(nasty):
    index = nasty / "index.html"
    reached = {index}
    for page in pages_of(nasty):
        ids = page.values("id")
        for href in page.values("href"):
            if href in CITATIONS:
                continue
            parts = urlsplit(href)
            assert not parts.scheme
            assert not parts.netloc
            assert not parts.query
            target = Path(os.path.normpath(page.path.parent / unquote(parts.path))) if parts.path else page.path
            assert target.is_file(), href
            assert target.is_relative_to(nasty)
            if parts.fragment and target == page.path:
                assert parts.fragment in ids
            reached.add(target)
    assert set(nasty.rglob("*.html")) <= reached
    assert set(nasty.rglob("*.csv")) <= reached


def test_links_into_another_page_find_their_place(small_report):
    pages = {page.path: page for page in pages_of(small_report)}
    found = 0
    for page in pages.values():
        for href in page.values("href"):
            parts = urlsplit(href)
            if href not in CITATIONS and parts.path and parts.fragment and not parts.fragment.startswith("t="):
                target = Path(os.path.normpath(page.path.parent / unquote(parts.path)))
                assert parts.fragment in pages[target].values("id")
                found += 1
    assert found


def test_names_are_text_and_never_markup(nasty):
    pages = pages_of(nasty)
    index = pages[0]
    for name in NASTY:
        assert " ".join(name.split()) in index.text
    for page in pages:
        assert "49" not in page.texts
        # A script is ours, word for word, or holds data.
        ours = {layout.script(name) for name in layout.SCRIPTS}
        kinds = [one.get("type", "") for tag, one in page.tags if tag == "script"]
        for kind, script in zip(kinds, page.scripts, strict=True):
            assert script in ours if not kind else json.loads(script)
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert not any(value.startswith("javascript:") for value in page.values("href"))
    titles = [page.text for page in pages]
    assert any(title.startswith(" ".join(f"{NASTY[0]}.mp4".split())) for title in titles)


def test_pages_load_nothing_and_forbid_it_too(small_report):
    for page in pages_of(small_report):
        assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
        assert not page.values("src")
        assert "@import" not in page.source
        assert not re.search(r"url\((?!#)", page.source)
        outside = {value for value in page.values("href") if "://" in value}
        assert outside <= CITATIONS
        policy = next(one["content"] for tag, one in page.tags if one.get("http-equiv") == "Content-Security-Policy")
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert "unsafe" not in rules["script-src"]
        assert not re.search(r"https?:|\*", policy)
        allowed = re.findall(r"'sha256-([^']*)'", rules["script-src"])
        for kind, script in zip([one for tag, one in page.tags if tag == "script"], page.scripts, strict=True):
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert kind.get("type") == "application/json" or digest in allowed


def test_no_page_names_a_folder_of_the_machine_or_its_user(small_report):
    for page in pages_of(small_report):
        assert "jane" not in page.source
        assert str(small_report) not in page.source
    index = Document(small_report / "index.html")
    assert "image file is truncated: 'torn.jpg'" in index.text
    assert "seven" in index.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such file: '/home/jane doe/film.mp4'", "No such file: 'film.mp4'"),
        (r"C:\Users\jane\film.mp4: bad", "film.mp4: bad"),
        (r"\\server\jane\film.mp4", "film.mp4"),
        ("file:///home/jane/x.mp4", "x.mp4"),
        ("~/films/x.mp4", "x.mp4"),
        ("time base 1/90000, 3 / 4 / 5 and/or sub/film.mp4", "time base 1/90000, 3 / 4 / 5 and/or sub/film.mp4"),
        ("https://doi.org/10.1/2", "https://doi.org/10.1/2"),
    ],
)
def test_absolute_paths_lose_their_folders(tmp_path, text, shown):
    folder = write_output(tmp_path, [], skipped=[Skipped("x.mp4", text)])
    render.render(folder)
    assert shown in Document(folder / "index.html").text
    assert "jane" not in Document(folder / "index.html").text


def test_ids_are_unique_and_labels_lead_somewhere(small_report):
    for page in pages_of(small_report):
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        wanted = {one for value in page.values("aria-labelledby") for one in value.split()}
        assert wanted <= set(ids)


def test_pages_are_made_for_screen_readers(small_report):
    for page in pages_of(small_report):
        tags = [tag for tag, _ in page.tags]
        assert ("html", {"lang": "en"}) in page.tags
        assert [tags.count(tag) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert tags.count("table") == tags.count("caption")
        assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
        assert all(one.get("role") == "img" or "aria-hidden" in one for tag, one in page.tags if tag == "svg")


def cells(folder, page, heading):
    """The texts of the cells in the row that ``heading`` begins."""
    text = (folder / page).read_text(encoding="utf-8")
    row = next(one for one in re.findall(r"<tr[^>]*>.*?</tr>", text, re.DOTALL) if re.search(heading, one))
    found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", "", one).split()) for one in found]


def tiles(page):
    pairs = re.findall(r"<dt>([^<]*)</dt>\s*<dd class=\"value\"[^>]*>(?:<a[^>]*>)?([^<]*)<", page.source)
    return dict(pairs)


def percents(shares):
    return [f"{100 * share:.1f}" for share in shares]


def test_the_index_counts_what_the_tables_hold(small_report):
    video_name = read_timeline(small_report / "timelines/sub/interview.mp4.csv")
    raw = read_timeline(small_report / "timelines/raw.h264.csv")
    folder = read_timeline(small_report / "timelines/holiday.csv")
    both = video_name["frame"].nunique() + raw["frame"].nunique()
    with_face = sum(one.loc[one["success"], "frame"].nunique() for one in (video_name, raw))
    assert (both, with_face, len(folder)) == (95, 45, 4)
    assert tiles(Document(small_report / "index.html")) == {
        "Sources": "4",
        "Video time analysed": "0:00:03.0",
        "Video frames analysed": "95",
        "Video frames with a face": "45",
        "Tracks in videos": "3",
        "Photos read": "4",
        "Photos with a face": "2",
        "Faces in photos": "3",
        "Left out": "3",
        "Incomplete": "1",
    }
    text = Document(small_report / "index.html").text
    assert "1 video without timestamps not counted" in text
    assert "55 faces, summed over the frames" in text


def test_a_row_of_the_index_is_the_mean_of_its_summary(small_report):
    summary = read_table(small_report / "summary.csv", SUMMARY)
    rows = summary[summary["file"] == "sub/interview.mp4"]
    assert len(rows) == 2
    shares = np.average(rows[list(MEANS)], axis=0, weights=rows["seconds_visible"])
    row = cells(small_report, "index.html", "(?s)interview.mp4</bdi>.*as CSV")
    labels = [texts.label(emotion.name) for emotion in TABLE]
    assert row[1:6] == ["0:00:03.000", "75", "40", "50", "2"]
    assert row[6:] == [labels[int(shares.argmax())], *percents(shares)]
    assert cells(small_report, "index.html", ">holiday/more</bdi>")[1:] == ["1", "0", "0", "none", "no face"]


def test_videos_and_photos_are_weighted_apart(small_report):
    summary = read_table(small_report / "summary.csv", SUMMARY)
    timed = summary[summary["seconds_visible"].notna()]
    videos = np.average(timed[list(MEANS)], axis=0, weights=timed["seconds_visible"])
    photos = summary.loc[summary["kind"] == "photos", list(MEANS)].to_numpy()[0]
    index = Document(small_report / "index.html")
    charts = re.findall(r'<svg [^>]*role="img".*?</svg>', index.source, re.DOTALL)
    assert len(charts) == 2
    for chart, shares in zip(charts, (videos, photos), strict=True):
        assert re.findall(r">([\d.]+) %</text>", chart) == percents(shares)
    assert "Mean over 0:00:02.0 of visible faces in 1 video" in index.text
    assert "Mean over 3 faces in 1 folder" in index.text
    assert "1 video that has faces but no timestamps" in index.text


def test_a_video_page_shows_each_face_as_the_summary_has_it(small_report):
    summary = read_table(small_report / "summary.csv", SUMMARY)
    page = "pages/sub/interview.mp4.html"
    for row in summary[summary["file"] == "sub/interview.mp4"].to_dict("records"):
        found = cells(small_report, page, f">Face {row['face_id']}<")
        label = next(texts.label(emotion.name) for emotion in TABLE if emotion.name == row["emotion"])
        assert found[1] == str(row["faces"])
        assert found[2:5] == [formatting.clock(row[name]) for name in ("first_seen", "last_seen", "seconds_visible")]
        assert found[5:] == [label, *percents(row[name] for name in MEANS)]
    assert cells(small_report, page, ">Face 1<")[2] == "0:00:00.800"
    text = Document(small_report / page).text
    assert "3 of 75 packets are marked as corrupt." in text
    assert text.count("3 of 75 packets") == 1
    assert "Hatched: 3 stretches" in text
    assert "1/90000" in text


def test_the_table_beside_a_timeline_chart_is_the_timeline_in_stretches(small_report):
    video_name = read_timeline(small_report / "timelines/sub/interview.mp4.csv")
    face = video_name[video_name["face_id"] == 1]
    source = (small_report / "pages/sub/interview.mp4.html").read_text(encoding="utf-8")
    section = source[source.index('id="face-1"') :]
    stretches = re.search(r"<details>.*?</details>", section, re.DOTALL)[0]
    assert len(face) == 20
    assert stretches.count('<td class="share"') == 7 * len(face)
    first = re.findall(r"%\">([\d.]+)</td>", stretches)[:7]
    assert first == percents(face.iloc[0][list(EMOTIONS)])


def test_a_video_without_time_stamps_counts_frames(small_report):
    page = Document(small_report / "pages/raw.h264.html")
    assert "Frame number" in page.text
    assert "From frame" in page.text
    assert "the video has no timestamps" in page.text
    assert cells(small_report, "pages/raw.h264.html", ">Face 0<")[1:5] == ["5", "unknown", "unknown", "unknown"]


def test_the_page_of_photos_lists_faces_and_the_photos_without(small_report):
    table = read_timeline(small_report / "timelines/holiday.csv")
    page = Document(small_report / "pages/holiday.html")
    row = table.iloc[0]
    label = next(texts.label(emotion.name) for emotion in TABLE if emotion.name == row["emotion"])
    found = cells(small_report, "pages/holiday.html", ">a.jpg<")
    assert found == ["a.jpg", "0", "0.88", "10, 20", "30 x 40", label, *percents(row[list(EMOTIONS)])]
    assert "Photos without a face empty.jpg" in page.text
    assert "torn.jpg" in page.text
    leads = table["emotion"].value_counts()
    for emotion in TABLE:
        expected = [
            texts.label(emotion.name),
            f"{100 * table[emotion.name].mean():.1f}",
            str(leads.get(emotion.name, 0)),
        ]
        assert (
            cells(small_report, "pages/holiday.html", f'scope="row".*>{texts.label(emotion.name)}</span>') == expected
        )


def test_events_are_named_on_the_charts_of_every_face_and_in_a_table(tmp_path):
    video_name = a_video("a.mp4", {0: range(50), 1: range(30, 50)}, 75)
    happened = {"a.mp4": [("a <question> & more", 0.4, 1.2), ("answer", 1.0, 2.0), ("after the end", 7.0, 8.0)]}
    folder = write_output(tmp_path, [video_name], study=a_study(happened))
    render.render(folder)
    page = Document(folder / "pages/a.mp4.html")
    named = re.findall(r'<g class="event-\d+">.*?<text[^>]*>([^<]*)</text>', page.source)
    assert named == ["a &lt;question&gt; &amp; more", "answer"] * 2
    assert "Grey bands are events" in page.text
    assert page.source.count("</bdi></a></th>", page.source.index('id="events"')) == 4
    data = json.loads(next(one for one in page.scripts if one.startswith("{")))
    assert data["events"] == [["a <question> & more", 0.4, 1.2], ["answer", 1.0, 2.0]]


@pytest.fixture(scope="module")
def peopled(tmp_path_factory):
    """The report on two people in each of two groups, one of them in two videos, and one in photos too."""
    people = {
        "a.mp4": [(None, 0, "Anna <b>", "x"), (None, 1, "Ben", "y")],
        "b.mp4": [(None, 0, "Anna <b>", "x"), (None, 1, "Cleo", "x"), (None, 2, "Dan", "y")],
        "raw.h264": [(None, 0, "Emma", "")],
        "holiday": [("a.jpg", 0, "Anna <b>", "x")],
    }
    sources = [
        a_video("a.mp4", {0: range(20), 1: range(5, 15)}, 25),
        a_video("b.mp4", {0: range(50), 1: range(30, 50), 2: range(9)}, 50, seed=2),
        a_video("raw.h264", {0: range(5)}, 20, fps=None, seed=5),
        a_folder("holiday", {"a.jpg": 2}),
    ]
    return rendered(write_output(tmp_path_factory.mktemp("peopled") / "out", sources, study=a_study(people=people)))


def test_a_person_of_several_videos_is_one_of_the_people(peopled):
    page = Document(peopled / "index.html")
    overview = re.search(r'<table class="wide long overview".*?</table>', page.source, re.DOTALL)[0]
    rows = re.findall(r"<tr data-emotion.*?</tr>", overview, re.DOTALL)
    names = [re.findall(r"<bdi>([^<]*)", row) for row in rows]
    assert names == [
        ["Anna &lt;b&gt;", "x · 2 videos"],
        ["Cleo", "x · b.mp4"],
        ["Ben", "y · a.mp4"],
        ["Dan", "y · b.mp4"],
        ["Emma", "raw.h264"],
        ["holiday"],
    ]
    assert re.findall(r'data-page="([^"]*)" data-track="([^"]*)"', rows[0]) == [
        ("pages/a.mp4.html", "0"),
        ("pages/b.mp4.html", "0"),
    ]
    assert "data-page" not in rows[4] + rows[5]  # there is no time to go to
    table = read_table(peopled / "summary_by_person.csv", BY_PERSON)
    anna = table[(table["person"] == "Anna <b>") & (table["kind"] == "video")].iloc[0]
    assert f'data-shares="{" ".join(percents(anna[list(MEANS)]))}"' in rows[0]
    assert f'data-visible="{anna["seconds_visible"]:.1f}' in rows[0]
    people = re.search(r'<table class="wide sortable" id="people-table">.*?</table>', page.source, re.DOTALL)[0]
    amounts = re.findall(r'<td class="text">([^<]+)</td>', people)
    assert amounts[0] == "0:00:02.800 in 2 videos"
    assert amounts[-2:] == ["5 faces in 1 video", "1 face in 1 folder"]


HEIGHTS = re.compile(r"V(\d+)h(\d+)")


def test_a_stripe_is_the_timeline(small_report):
    table = read_timeline(small_report / "timelines/sub/interview.mp4.csv")
    source = (small_report / "index.html").read_text(encoding="utf-8")
    svg = re.search(r'<svg [^>]*data-page="pages/sub/interview.mp4.html".*?</svg>', source, re.DOTALL)[0]
    paths = re.findall(r' d="([^"]*)"', svg)
    columns = [np.repeat(*np.array(HEIGHTS.findall(path), int).T) for path in paths]
    assert {len(one) for one in columns} == {100}
    ground, *layers = (1 - one / 1000 for one in columns)
    seen = table[table["success"]].groupby("frame")[list(EMOTIONS)].mean()
    # The video has 75 frames: a column is three quarters of one.
    frames = [[*range(3 * at // 4, -(-3 * (at + 1) // 4))] for at in range(100)]
    shown = [[frame for frame in some if frame in seen.index] for some in frames]
    assert ground.astype(bool).tolist() == [bool(some) for some in shown]
    six = [name for name in EMOTIONS if name != "neutral"]
    for number, layer in enumerate(reversed(layers)):
        sums = seen[six[: number + 1]].sum(axis=1)
        for height, some in zip(layer, shown, strict=True):
            own = sums[some].tolist() or [0.0]
            assert min(own) - 0.002 <= height <= max(own) + 0.002


def test_a_stripe_of_photos_has_gaps_for_those_that_could_not_be_read_at_its_ends_too(tmp_path):
    source, photos = a_folder("album", {f"{number}.jpg": 1 for number in range(10)})
    page = rendered(write_output(tmp_path, [(source, [*photos[1:4], *photos[5:8]])])) / "index.html"
    svg = re.search(r'<svg [^>]*data-extent="([^"]*)".*?d="([^"]*)"', page.read_text(encoding="utf-8"), re.DOTALL)
    assert svg[1] == "0.0 10.0"
    ground = np.repeat(*np.array(HEIGHTS.findall(svg[2]), int).T) == 0
    assert ground.reshape(10, 10).all(axis=1).tolist() == [number in (1, 2, 3, 5, 6, 7) for number in range(10)]
    assert ground.sum() == 60


def test_short_tracks_of_one_video_are_folded_into_one_line(tmp_path):
    video_name = a_video("a.mp4", {0: range(60), 1: range(30, 60), 2: range(10), 3: range(5)}, 75)
    page = Document(rendered(write_output(tmp_path, [video_name])) / "index.html")
    overview = re.search(r'<table class="wide long overview".*?</table>', page.source, re.DOTALL)[0]
    rows = re.findall(r"<tr data-emotion.*?</tr>", overview, re.DOTALL)
    assert [re.search(r"<bdi>([^<]*)", row)[1] for row in rows] == ["Face 0", "Face 1"]
    assert "2 tracks of less than a second (0.6 s in all) have no row." in page.text


def test_moments_are_the_strongest_episodes_and_lead_to_them(tmp_path):
    times = (np.arange(100) * 0.04).tolist()
    shown = ["happiness"] * 25 + ["sadness"] * 25 + ["happiness"] * 50
    faces = [*frames(times, shown), *frames(times, ["neutral"] * 75 + ["fear"] * 25, face_id=1, person="Ben")]
    folder = rendered(make_study(tmp_path / "out", {"a.mp4": faces}))
    source = (folder / "index.html").read_text(encoding="utf-8")
    moments = re.search(r'<ol class="moments">.*?</ol>', source, re.DOTALL)[0]
    places = re.findall(r'<a href="pages/a.mp4.html#t=([\d.]+)&amp;face=(\d)"><strong[^>]*>(\w+) 100.0 %', moments)
    assert sorted(places) == [("0.000", "0", "Happiness"), ("1.000", "0", "Sadness"), ("3.000", "1", "Fear")]
    assert '<time title="0:00:03.000">0:00:03.0</time>, 1.0 s long' in moments
    assert "<bdi>Ben</bdi>" in moments


def test_moments_have_pictures_where_asked_for(tmp_path):
    write_video(tmp_path / "a.mp4", range(0, 4000, 40))
    times = (np.arange(100) * 0.04).tolist()
    folder = make_study(tmp_path / "out", {"a.mp4": frames(times, ["happiness"] * 25 + ["neutral"] * 75)})
    render.render(folder, ReportOptions(thumbnails=True, anonymize=True), {"a.mp4": tmp_path / "a.mp4"})
    assert Document(folder / "index.html").values("src") == ["assets/moments/0.jpg"]
    assert (folder / "assets/moments/0.jpg").read_bytes()[:2] == b"\xff\xd8"
    render.render(folder)
    assert not list((folder / "assets").rglob("*.jpg"))


def test_what_is_shown_around_events_is_charted_by_group(tmp_path):
    """Ten persons, of whom those of one group smile when the joke comes."""
    people = {f"{at}.mp4": [(None, 0, f"P{at}", "after" if at % 2 else "before")] for at in range(10)}
    events = {name: [("joke", 2.0, 3.0)] for name in people}
    smiling = np.eye(7, dtype=np.float32)[EMOTIONS.index("happiness")]
    media = []
    for at, name in enumerate(people):
        source, tracked_frames = a_video(name, {0: range(150)}, 150, seed=at)
        for number in range(50, 75) if at % 2 else ():
            faces = tuple(replace(face, shares=smiling) for face in tracked_frames[number].faces)
            tracked_frames[number] = replace(tracked_frames[number], faces=faces)
        media.append((source, tracked_frames))
    folder = rendered(write_output(tmp_path, media, study=a_study(events, people)))
    index = Document(folder / "index.html")
    figure = r'<figure class="card"[^>]*>\s*(<svg.*?</svg>)\s*<figcaption><bdi>joke</bdi> \(10 persons\)'
    chart = re.search(figure, index.source, re.DOTALL)[1]
    assert chart.count('class="group-0"') == chart.count('class="group-1"') == 6 + 1  # panels, and the legend
    assert re.findall(r">(before|after)</text>", chart) == ["before", "after"]  # as in people.csv
    table = read_table(folder / "summary_by_event_time.csv", BY_EVENT_TIME)
    during = table[(table["seconds"] == 0.5) & (table["emotion"] == "happiness")].set_index("group")
    assert during.loc["after", ["mean", "cases"]].tolist() == [1.0, 5]
    assert during.loc["before", "low"] < during.loc["before", "mean"] < 0.5


def test_the_title_is_that_of_the_folder_or_the_one_given(small):
    assert "<h1><bdi>out</bdi></h1>" in (rendered(small) / "index.html").read_text()
    render.render(small, ReportOptions(title="Smiles & <frowns>"))
    page = Document(small / "index.html")
    assert page.text.startswith("Smiles & <frowns> \N{EN DASH} fer-batch")
    assert "<h1><bdi>Smiles &amp; &lt;frowns&gt;</bdi></h1>" in page.source
    run = json.loads((small / "run.json").read_text())
    write_json(small / "run.json", run | {"title": "Of the run"})
    assert "<h1><bdi>Of the run</bdi></h1>" in (rendered(small) / "index.html").read_text()


def test_groups_are_compared_beside_their_chart(peopled):
    table = read_table(peopled / "group_differences.csv", DIFFERENCES)
    found = cells(peopled, "index.html", "x</bdi> minus <bdi>y")
    assert found[:2] == ["x minus y", "2 and 2"]  # too few for an interval
    rows = table[table["kind"] == "video"].set_index("measure").loc[list(MEANS)]

    def points(value):
        return re.sub(r"^[+-]0\.0$", "0.0", f"{100 * value:+.1f}").replace("-", "\N{MINUS SIGN}")

    assert found[2:] == [points(one) for one in rows["difference"]]
    values = read_table(peopled / "summary_by_group.csv", BY_GROUP).set_index(["kind", "group", "measure"])["values"]
    happy = [f"{100 * float(one):.1f}" for one in values["video", "x", "mean_happiness"].split(";")]
    assert f"({', '.join(happy)})" in Document(peopled / "index.html").text


def test_a_difference_of_enough_persons_has_its_interval_and_size(tmp_path):
    people = {"a.mp4": [(None, face, f"P{face}", "xy"[face % 2]) for face in range(10)]}
    video_of_ten = a_video("a.mp4", {face: range(10) for face in range(10)}, 10)
    folder = rendered(write_output(tmp_path, [video_of_ten], study=a_study(people=people)))
    found = cells(folder, "index.html", "x</bdi> minus <bdi>y")
    one = read_table(folder / "group_differences.csv", DIFFERENCES).set_index("measure").loc[MEANS[0]]
    ends = [formatting.points(one[name]) for name in ("difference", "low", "high")]
    assert found[:2] == ["x minus y", "5 and 5"]
    assert found[2] == f"{ends[0]}{ends[1]} to {ends[2]}g {formatting.signed(one['hedges_g'])}"


def test_every_page_and_table_leaves_out_the_same_faces_and_says_how_many(tmp_path):
    source, tracked_frames = a_video("a.mp4", {0: range(40), 1: range(5)}, 40)
    poor = [
        replace(
            tracked,
            faces=tuple(replace(one, quality=0.3 if one.face_id or 10 <= at < 20 else 0.9) for one in tracked.faces),
        )
        for at, tracked in enumerate(tracked_frames)
    ]
    folder = rendered(write_output(tmp_path, [(source, poor), a_folder("b", {"a.jpg": 2})], min_quality=0.5))
    (face,) = read_table(folder / "summary.csv", SUMMARY).query("kind == 'video'").to_dict("records")
    assert (face["faces"], face["faces_left_out"], face["gaps"]) == (30, 10, 1)
    assert (face["seconds_visible"], face["seconds_left_out"]) == (1.2, 0.4)
    why = "15 below --min-quality (0.6 s, 1 whole track)"
    for page in ("index.html", "pages/a.mp4.html"):
        document = Document(folder / page)
        assert tiles(document)["Faces left out of all numbers"] == "15"
        assert why in document.text
    assert "Faces left out" not in Document(folder / "pages/b.html").text
    assert "Hatched: 1 stretch in which this face was not found, or is left out" in document.text
    shown = tiles(Document(folder / "index.html"))
    counts = json.loads((folder / "run.json").read_text())["counts"]
    assert (counts["faces"], counts["faces_left_out"]["quality"]) == (32, 15)
    assert shown["Tracks in videos"] == "1"
    assert "30 faces" in Document(folder / "index.html").text
    assert "Faces of a quality below 0.5 were not summed up (15 of 47)." in Document(folder / "index.html").text


def test_a_line_of_errors_is_about_the_innermost_folder(small_report):
    assert "worse.jpg" not in Document(small_report / "pages/holiday.html").text
    assert "worse.jpg" in Document(small_report / "pages/holiday/more.html").text


def test_the_index_tells_everything_that_was_left_out(small_report):
    text = Document(small_report / "index.html").text
    errors = read_table(small_report / "errors.csv", ERRORS)
    assert len(errors) == 5
    for file in errors["file"]:
        assert file in text
    assert cells(small_report, "index.html", "broken.mp4")[1:] == [
        "no",
        "It is a video by its name, but holds no frame.",
    ]
    assert cells(small_report, "index.html", "corrupt")[1] == "in part"
    assert cells(small_report, "index.html", "2 video streams")[1:] == [
        "It holds 2 video streams; only the default one is analysed."
    ]
    shown = tiles(Document(small_report / "index.html"))
    assert (shown["Left out"], shown["Incomplete"]) == ("3", "1")
    assert "2 files that are neither a photo nor a video notes.txt sub/<b>.xml" in text


@pytest.mark.parametrize(
    ("view", "words"),
    [("combined", "mean of two answers"), ("fer2013", "FER2013 would label"), ("ferplus", "human raters")],
)
def test_how_to_read_it_fits_the_view(tmp_path, view, words):
    folder = write_output(tmp_path, [a_video("a.mp4", {0: range(5)}, 5)], view=view)
    render.render(folder)
    text = Document(folder / "index.html").text
    assert words in text
    assert "Article 5(1)(f)" in text
    assert "ab12" * 16 in text
    assert "min confidence 0.5" in text


def test_the_report_links_to_the_model_card_where_there_is_one(small):
    render.render(small)
    assert Document(small / "index.html").values("href").count("model-card.md") == 1
    (small / "model-card.md").unlink()
    render.render(small)
    assert "model-card" not in Document(small / "index.html").source
    assert "model card" not in Document(small / "index.html").text


def test_a_run_without_a_face(tmp_path):
    folder = write_output(tmp_path, [a_video("a.mp4", {}, 5), a_folder("p", {"x.jpg": 0})])
    render.render(folder)
    index, *pages = pages_of(folder)
    assert "no face was found" in index.text
    assert len(pages) == 2
    assert all("No face was found" in page.text for page in pages)
    assert tiles(index)["Video frames with a face"] == "0"


def test_a_run_in_which_nothing_could_be_read(tmp_path):
    folder = write_output(tmp_path, [], skipped=[Skipped("a.mp4", "Cannot be read.")])
    render.render(folder)
    text = Document(folder / "index.html").text
    assert "Nothing could be read." in text
    assert "Cannot be read." in text
    assert not (folder / "pages").exists()


def test_only_the_faces_visible_longest_are_charted_and_the_page_says_so(tmp_path):
    seen = {face_id: range(face_id + 1) for face_id in range(video.MOST_CHARTS + 3)}
    folder = write_output(tmp_path, [a_video("crowd.mp4", seen, 20)])
    render.render(folder)
    page = Document(folder / "pages/crowd.mp4.html")
    charted = [one for one in page.values("id") if re.fullmatch(r"face-\d+", one)]
    assert charted == [f"face-{face_id}" for face_id in range(14, 2, -1)]
    assert "The other 3 are in the tables only." in page.text
    assert cells(folder, "pages/crowd.mp4.html", ">Face 0<")[1] == "1"


def test_long_tables_are_cut_and_the_page_says_so(tmp_path, monkeypatch):
    for module in (video, photospage):
        monkeypatch.setattr(module, "MOST_ROWS", 3)
    monkeypatch.setattr(photospage, "MOST_FACES", 3)
    faces = {f"{number}.jpg": number % 2 for number in range(20)}
    video_name = a_video("crowd.mp4", {face_id: range(5) for face_id in range(7)}, 5)
    folder = write_output(tmp_path, [a_folder("many", faces), video_name])
    render.render(folder)
    page = Document(folder / "pages/many.html")
    assert "Faces 1 to 3 of 10; all are in timelines/many.csv" in page.text
    last = Document(folder / "assets/many/page-4.html")
    assert "Faces 10 to 10 of 10" in last.text
    assert cells(folder, "assets/many/page-4.html", ">19.jpg<")[1] == "0"
    assert "7 more are in timelines/many.csv : the rows with success 0" in page.text
    assert "4 more are in summary.csv" in Document(folder / "pages/crowd.mp4.html").text


def test_thumbnails_are_there_only_where_asked_for(tmp_path, astronaut):
    folder = write_output(tmp_path / "out", [a_folder("holiday", {"a.png": 1, "gone.png": 1})])
    (tmp_path / "holiday").mkdir()
    shutil.copyfile(astronaut, tmp_path / "holiday/a.png")
    places = {"holiday": tmp_path / "holiday"}
    render.render(folder, None, places)
    assert not list(folder.rglob("*.jpg"))
    assert not any(page.values("src") for page in pages_of(folder))
    render.render(folder, ReportOptions(thumbnails=True, anonymize=True), places)
    (source,) = Document(folder / "pages/holiday.html").values("src")
    assert (folder / "pages" / source).resolve() == (folder / "assets/holiday/0.jpg").resolve()
    text = render.render_single_file(folder, ReportOptions(thumbnails=True), places).read_text()
    assert text.count('src="data:image/jpeg;base64,') == 1
    render.render(folder, None, places)
    assert not list(folder.rglob("*.jpg"))
    with pytest.raises(UsageError, match="--thumbnails too"):
        ReportOptions(anonymize=True)


def test_thumbnails_that_cannot_be_cut_are_counted_and_found_where_the_user_says(tmp_path, astronaut):
    folder = write_output(
        tmp_path / "out",
        [a_folder("holiday", {"a.png": 2}), a_video("sub/gone.mp4", {0: range(5), 1: range(5)}, 5)],
    )
    warnings = []
    render.render(folder, ReportOptions(thumbnails=True), warn=warnings.append)
    assert [one.partition(":")[0] for one in warnings] == ["4 thumbnails could not be made"]
    texts = [Document(folder / path).text for path in ("index.html", "pages/holiday.html", "pages/sub/gone.mp4.html")]
    assert "4 thumbnails could not be made" in texts[0]
    assert all("2 thumbnails could not be made" in text and "--media FOLDER" in text for text in texts[1:])
    render.render_single_file(folder, ReportOptions(thumbnails=True), warn=warnings.append)
    assert warnings[0] == warnings[1]
    (tmp_path / "elsewhere/holiday").mkdir(parents=True)
    shutil.copyfile(astronaut, tmp_path / "elsewhere/holiday/a.png")
    for place in ("elsewhere", "elsewhere/holiday"):
        warnings.clear()
        render.render(folder, ReportOptions(thumbnails=True, media=tmp_path / place), warn=warnings.append)
        assert [one.partition(":")[0] for one in warnings] == ["2 thumbnails could not be made"]
        assert len(Document(folder / "pages/holiday.html").values("src")) == 2
    render.render(folder, warn=warnings.append)
    assert len(warnings) == 1
    assert "could not be made" not in Document(folder / "index.html").text
    with pytest.raises(UsageError, match="--thumbnails too"):
        ReportOptions(media=tmp_path)


def test_charts_are_saved_where_asked_and_pages_link_to_them(small):
    render.render(small, ReportOptions(charts=True))
    page = Document(small / "pages/sub/interview.mp4.html")
    links = [href for href in page.values("href") if href.endswith((".svg", ".png"))]
    assert len(links) == 2 * 2
    assert all((small / "pages/sub" / link).resolve().is_file() for link in links)
    render.render(small)
    assert not list((small / "charts").rglob("*"))


def test_a_single_file_holds_everything_and_links_to_nothing(small):
    path = render.render_single_file(small)
    page = Document(path)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    moments = [href for href in page.values("href") if re.fullmatch(r"#p\d+-t=[\d.]+&face=\d+", href)]
    assert {href.partition("t=")[0].removeprefix("#") + "chart" for href in moments} <= set(ids)
    for href in set(page.values("href")) - set(moments):
        assert href in CITATIONS or href.removeprefix("#") in ids
    assert not page.values("src")
    for other in ("holiday", "holiday/more", "raw.h264", "sub/interview.mp4"):
        assert page.text.count(other)
    assert page.source.count("<h1") == 1
    wanted = {one for value in page.values("aria-labelledby") for one in value.split()}
    assert wanted <= set(ids)
    drawn = re.sub(r"<script.*?</script>", "", page.source, flags=re.DOTALL)
    assert {one.split(")")[0] for one in drawn.split("url(#")[1:]} <= set(ids)
    # Of three pages that have faces, and of three scripts.
    assert page.values("type").count("application/json") == 3 + 3
    assert path.stat().st_size < single_file.MOST_BYTES


def test_a_single_file_that_would_be_too_large_leaves_curves_out_and_says_so(small, monkeypatch):
    whole = render.render_single_file(small).stat().st_size
    monkeypatch.setattr(single_file, "MOST_BYTES", whole + single_file.ROOM_FOR_LISTS - 10_000)
    page = Document(render.render_single_file(small))
    assert "is here without curves" in page.text or "are here without curves" in page.text
    assert all(href in CITATIONS or href.removeprefix("#") in page.values("id") for href in page.values("href"))
    monkeypatch.setattr(single_file, "MOST_BYTES", 1)
    text = Document(render.render_single_file(small)).text
    assert "4 pages had no room; in the folder they are: pages/sub/interview.mp4.html pages/raw.h264.html" in text
    assert "3 faces in photos had no room" in text


def test_a_single_file_holds_all_photos_or_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(photospage, "MOST_FACES", 20)
    monkeypatch.setattr(single_file, "MOST_FACES", 20)
    folder = write_output(tmp_path / "out", [a_folder("many", {f"{number:03}.jpg": 1 for number in range(90)})])

    def listed():
        path = render.render_single_file(folder)
        page = Document(path)
        (data,) = [json.loads(one) for one in page.scripts if one.startswith('{"most"')] or [None]
        return path.stat().st_size, page, page.source.count('<th scope="row"><bdi>'), data

    size, page, rows, data = listed()
    assert rows == 90
    assert data["faces"]["file"] == [f"{number:03}.jpg" for number in range(90)]
    assert "had no room" not in page.text
    monkeypatch.setattr(single_file, "MOST_BYTES", size + single_file.ROOM_FOR_LISTS - 10_000)
    _, page, rows, data = listed()
    assert rows == 20
    assert len(data["faces"]["file"]) == 90
    assert "Faces 1 to 20 of 90; all are in timelines/many.csv . The filters and buttons above show all" in page.text
    monkeypatch.setattr(single_file, "BRIEF_FACES", 7)
    large = photospage.script_data(0, faces=["x" * 100_000])
    monkeypatch.setattr(single_file, "_script_data", lambda faces, listed: large)
    _, page, rows, data = listed()
    assert (rows, data) == (7, None)
    assert "83 faces in photos had no room: the folder's timelines have all, and its pages show them" in page.text


def test_the_same_tables_give_the_same_bytes(small):
    render.render(small)
    first = {page.path: page.source for page in pages_of(small)}
    render.render(small)
    assert {page.path: page.source for page in pages_of(small)} == first


def test_pages_of_earlier_runs_go(small):
    render.render(small)
    shutil.rmtree(small / "timelines")
    write_output(small, [a_folder("holiday", {"a.jpg": 1})])
    render.render(small)
    assert sorted((small / "pages").rglob("*")) == [small / "pages/holiday.html"]


def test_the_report_survives_a_move(small, tmp_path):
    render.render(small)
    first = {page.path.relative_to(small): page.source for page in pages_of(small)}
    (tmp_path / "elsewhere %20").mkdir()
    moved = small.rename(tmp_path / "elsewhere %20" / small.name)
    render.render(moved)
    assert {page.path.relative_to(moved): page.source for page in pages_of(moved)} == first


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"holds no run\.json, .* the folder that `fer-batch analyze` wrote"):
        render.render(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["summary.csv", "errors.csv", "timelines/holiday.csv"])
def test_a_missing_or_damaged_table_is_named(small, name):
    (small / name).write_text("not,a\ntable,of\n")
    with pytest.raises(UsageError, match=name):
        render.render(small)
    (small / name).unlink()
    with pytest.raises(UsageError, match=f"{name} is missing"):
        render.render(small)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_run_file_is_named(small, text):
    (small / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json is damaged"):
        render.render(small)


@pytest.mark.parametrize("output", ["../../evil", "/tmp/evil", "a/../../../b", r"..\evil"])
def test_no_page_is_written_outside_the_folder(small, output):
    run = json.loads((small / "run.json").read_text())
    run["sources"][0]["output"] = output
    write_json(small / "run.json", run)
    with pytest.raises(UsageError, match="outside its folder"):
        render.render(small)


def test_a_page_that_cannot_be_written_is_an_output_error(small):
    (small / "index.html").mkdir()
    with pytest.raises(OutputError, match=r"index\.html"):
        render.render(small)


@pytest.mark.slow
def test_a_video_of_100_000_rows_takes_seconds(tmp_path):
    rng = np.random.default_rng(0)
    frames = 50_000
    shares = rng.dirichlet(np.ones(7), (frames, 2)).astype(np.float32)
    detection = Detection(Box(1, 2, 3, 4), 0.9)
    tracked_frames = [
        TrackedFrame(
            FrameTime("long.mp4", number, number / 25, 0.04),
            tuple(Face(one, detection, shares[number, one]) for one in range(2)),
        )
        for number in range(frames)
    ]
    source = replace(a_video("long.mp4", {}, 0)[0])
    folder = write_output(tmp_path, [(source, tracked_frames)])
    began = time.process_time()
    render.render(folder)
    assert time.process_time() - began < 20  # about 2 s on a laptop
    assert "50,000 frames are averaged into 600 points" in Document(folder / "pages/long.mp4.html").text


@pytest.mark.parametrize(
    "page", ["index.html", "pages/sub/interview.mp4.html", "pages/raw.h264.html", "pages/holiday.html"]
)
def test_pages_look_as_blessed(small_report, page):
    actual = scrubbed((small_report / page).read_text(encoding="utf-8"))
    name = page.replace("/", "-")
    if os.environ.get("BLESS"):
        (GOLD / name).write_text(actual, encoding="utf-8")
    expected = (GOLD / name).read_text(encoding="utf-8")
    if actual != expected:
        ACTUAL.mkdir(exist_ok=True)
        (ACTUAL / name).write_text(actual, encoding="utf-8")
    assert actual == expected, f"{ACTUAL / name} is not {GOLD / name}; tests/gold/README.md says what to do."


def scrubbed(text):
    """The page without what changes from day to day: versions, dates, and how matplotlib draws."""
    text = re.sub(r"<svg.*?</svg>", "<svg>…</svg>", text, flags=re.DOTALL)
    text = re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", text, flags=re.DOTALL)
    text = re.sub(r"sha256-[\w+/=]{44}", "sha256-…", text)
    text = re.sub(r"(fer-batch(?:</dt><dd><bdi>| ))\d+\.\d+[\w.]*", r"\1VERSION", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:+.]+", "DATE", text)
