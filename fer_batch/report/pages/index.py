"""The first page of the report: the whole run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from fer_batch.emotions import COMBINED, EMOTIONS
from fer_batch.output.exported import FOLDER, present_exports
from fer_batch.output.manifest import files_with
from fer_batch.output.results import MODEL_CARD, Results
from fer_batch.output.schema import ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY_TABLE
from fer_batch.report import formatting
from fer_batch.report.findings import Finding, findings
from fer_batch.report.formatting import clock, tenths
from fer_batch.report.given import given
from fer_batch.report.methods import citation, paragraph
from fer_batch.report.model_card import Accuracy, read_accuracy
from fer_batch.report.pages import base
from fer_batch.report.pages.base import (
    GIVEN,
    INDEX,
    ChartMaker,
    Distribution,
    Facts,
    Page,
    Shares,
    SourceRow,
    Tile,
    counted,
    shares_of,
)
from fer_batch.report.pages.groups import EventTime, Groups, around_events, groups_of
from fer_batch.report.pages.overview import Moment, OverviewRow, joined, other_tracks, with_room
from fer_batch.report.texts import label, say, word
from fer_batch.types import Kind, Reason, Severity, Skipped


@dataclass(frozen=True)
class PersonRow:
    """A row of summary_by_person.csv."""

    name: str
    role: str
    group: str
    amount: str
    """For how long, or in how many faces, the person is visible, and in how many files."""
    shares: Shares


@dataclass(frozen=True)
class IndexPage(Page):
    """The report's first page."""

    template = "index.html"
    view: str
    """The model's view that the tables show."""
    started: str
    distributions: tuple[Distribution, ...]
    untimed: int
    """Number of videos with faces but without timestamps, which cannot be part of a mean over time."""
    videos: tuple[SourceRow, ...]
    folders: tuple[SourceRow, ...]
    ignored: tuple[str, ...]
    groups: tuple[Groups, ...]
    around: tuple[EventTime, ...]
    findings: tuple[Finding, ...]
    overview: tuple[OverviewRow, ...]
    more_rows: int
    """Number of rows that the overview has no room for."""
    of_persons: bool
    """Whether rows of the overview are named persons."""
    of_tracks: bool
    """Whether they are tracks of a video in which nobody is named."""
    others: tuple[str, ...]
    """Sentences about tracks that have no row of their own."""
    row_groups: tuple[str, ...]
    """Groups of the rows of the overview."""
    events: tuple[str, ...]
    """Labels of the events in the overview."""
    moments: tuple[Moment, ...]
    people: tuple[PersonRow, ...]
    card: str
    """Path of the emotion model's card; empty: it has none."""
    accuracy: Accuracy | None
    """What was measured for the view that the tables show; None: not known for this model."""
    by_raters: Accuracy | None
    """Of the view ``combined``, whose ``accuracy`` is about labels: compared with what most raters chose."""
    confused: tuple[str, ...]
    """Sentences about the emotions that are mistaken for others."""
    exports: Mapping[str, str]
    """Paths of the exports' folders by what they are for."""
    methods: str
    citation: str
    provenance: tuple[tuple[str, Facts], ...]
    """Groups of facts, each with its heading."""
    given: Markup
    """The lines of people.csv and events.csv as JSON; empty: the run had neither."""


def index_page(
    results: Results,
    rows: Sequence[SourceRow],
    overview: Sequence[OverviewRow],
    moments: Sequence[Moment],
    pictures: Mapping[Moment, bytes],
) -> IndexPage:
    """The data of the first page; ``rows`` and ``overview`` are those of the sources in their order.

    ``pictures`` are JPEGs of those ``moments`` that have one.
    """
    videos = tuple(row for row in rows if row.kind is Kind.VIDEO)
    folders = tuple(row for row in rows if row.kind is Kind.PHOTOS)
    timed = results.timed
    photos = results.summary[results.summary["kind"] == Kind.PHOTOS]
    charts = ChartMaker("charts", "", results.report_options.charts)
    distributions = []
    if len(timed):
        seconds = float(timed["seconds_visible"].sum())
        basis = say(
            "index.videos_basis",
            time=tenths(seconds),
            videos=say("counts.videos", n=timed["file"].nunique()),
        )
        shares = base.mean(timed, "seconds_visible")
        distributions.append(charts.distribution("videos", say("index.videos_mean"), basis, shares))
    if len(photos):
        basis = say(
            "index.photos_basis",
            faces=say("counts.faces", n=int(photos["faces"].sum())),
            folders=say("counts.folders", n=len(photos)),
        )
        shares = base.mean(photos, "faces")
        distributions.append(charts.distribution("photos", say("index.photos_mean"), basis, shares))
    groups = groups_of(results, charts)
    around = around_events(results, charts)
    shown, more = _chosen(results, overview)
    paths = {moment: f"assets/moments/{number}.jpg" for number, moment in enumerate(moments) if moment in pictures}
    accuracy = read_accuracy(results.metrics, results.view)
    by_raters = read_accuracy(results.metrics, COMBINED, "majority") if results.view == COMBINED else None
    lines = given(results)
    tables = [table.path for table in (SUMMARY_TABLE, *OPTIONAL, ERRORS_TABLE, FILES_TABLE)]
    tables += ["datapackage.json", "run.json"]
    return IndexPage(
        path=INDEX,
        title=results.report_options.title or results.run.get("title") or results.folder.resolve().name,
        version=str(results.run["fer_batch"]),
        tables={name: name for name in tables if (results.folder / name).is_file()},
        tiles=_tiles(videos, folders, results.lines),
        left_out=tuple(line for line in results.lines if not line.is_note),
        notes=tuple(line for line in results.lines if line.is_note),
        attachments={
            **charts.attachments,
            **{path: pictures[moment] for moment, path in paths.items()},
            **({GIVEN: f"ferBatchGiven({lines});\n".encode()} if lines else {}),
        },
        view=results.view,
        started=str(results.run.get("started", "")),
        distributions=tuple(distributions),
        untimed=sum(bool(video.faces) and video.name not in set(timed["file"]) for video in videos),
        videos=videos,
        folders=folders,
        ignored=tuple(results.run.get("ignored", ())),
        groups=tuple(groups),
        around=tuple(around),
        findings=findings(results, shown, moments, accuracy),
        overview=shown,
        more_rows=more,
        of_persons=any(row.person for row in shown),
        of_tracks=any(row.segments[0].face_id is not None for row in shown) and not any(row.person for row in shown),
        others=_others(results, overview),
        row_groups=tuple(dict.fromkeys(row.group for row in shown if row.group)),
        events=tuple(dict.fromkeys(label for row in shown for segment in row.segments for label in segment.events)),
        moments=tuple(replace(moment, thumbnail=paths.get(moment, "")) for moment in moments),
        people=tuple(_people(results)),
        accuracy=accuracy,
        by_raters=by_raters,
        confused=_confused(accuracy) if accuracy else (),
        exports={made.purpose: f"{FOLDER}/{name}" for name, made in present_exports(results.folder).items()},
        methods=paragraph(results.run, accuracy, by_raters),
        citation=citation(results.run),
        card=MODEL_CARD if (results.folder / MODEL_CARD).is_file() else "",
        provenance=_provenance(results.run),
        given=Markup(lines),  # noqa: S704  holds no "<"
    )


def _chosen(results: Results, overview: Sequence[OverviewRow]) -> tuple[tuple[OverviewRow, ...], int]:
    """The rows that there is room for, and how many more there are."""
    groups = results.optional["summary_by_group.csv"]["group"].drop_duplicates().tolist()
    rows = joined(overview, groups)
    chosen = tuple(with_room(rows))
    return chosen, len(rows) - len(chosen)


def _others(results: Results, overview: Sequence[OverviewRow]) -> tuple[str, ...]:
    """Which tracks have no row of their own."""
    short, short_seconds, others, other_seconds = other_tracks(results, overview)
    sentences = []
    if others:
        sentences.append(say("index.other_tracks", n=others, time=tenths(other_seconds)))
    if short:
        sentences.append(say("index.short_tracks", n=short, time=f"{short_seconds:.1f}"))
    spurious = results.run.get("counts", {}).get("faces_left_out", {}).get(Reason.SPURIOUS, 0)
    if spurious:
        sentences.append(say("index.spurious", n=spurious))
    return tuple(sentences)


def _people(results: Results) -> Iterator[PersonRow]:
    """Every row of summary_by_person.csv: in videos, longest visible first, then in photos, most faces first."""
    table = results.optional["summary_by_person.csv"]
    for kind in Kind:
        rows = table[table["kind"] == kind]
        for row in rows.sort_values(["seconds_visible", "faces"], ascending=False, na_position="last").to_dict(
            "records"
        ):
            seconds, files = float(row["seconds_visible"]), int(row["files"])
            amount = clock(seconds) if seconds > 0 else say("counts.faces", n=int(row["faces"]))
            where = say("counts.videos", n=files) if kind is Kind.VIDEO else say("counts.folders", n=files)
            text = say("index.amount_in", amount=amount, where=where)
            yield PersonRow(row["person"], row["role"], row["group"], text, shares_of(row))


def _confused(accuracy: Accuracy) -> tuple[str, ...]:
    """For the four emotions recognised least often, what they are mistaken for."""
    sentences = []
    for index in sorted(range(len(EMOTIONS)), key=lambda index: accuracy.recalls[index])[:4]:
        emotion, recall = label(EMOTIONS[index]), f"{100 * accuracy.recalls[index]:.0f}"
        others = [
            say("how.mistaken_for", emotion=word(name), percent=f"{100 * share:.0f}")
            for name, share in accuracy.mistaken(EMOTIONS[index])[:3]
            if share >= 0.05
        ]
        sentences.append(
            say("how.confused", emotion=emotion, percent=recall, others=", ".join(others))
            if others
            else say("how.recognised", emotion=emotion, percent=recall)
        )
    return tuple(sentences)


def _tiles(videos: Sequence[SourceRow], folders: Sequence[SourceRow], lines: Sequence[Skipped]) -> tuple[Tile, ...]:
    both = say(
        "index.sources_note", videos=say("counts.videos", n=len(videos)), folders=say("counts.folders", n=len(folders))
    )
    tiles = [counted(say("index.sources"), len(videos) + len(folders), both)]
    if videos:
        seconds = sum(video.seconds or 0.0 for video in videos)
        untimed = sum(video.seconds is None for video in videos)
        note = say("index.video_time_note", n=untimed) if untimed else ""
        frames, seen = sum(video.frames for video in videos), sum(video.frames_with_face for video in videos)
        tracks_note = say("index.tracks_note", faces=say("counts.faces", n=sum(video.faces for video in videos)))
        tiles += [
            Tile(say("index.video_time"), tenths(seconds), note, hint=clock(seconds)),
            counted(say("index.video_frames"), frames),
            counted(say("index.video_frames_with_face"), seen, formatting.part(seen, frames)),
            counted(say("index.tracks_in_videos"), sum(video.tracks for video in videos), tracks_note),
        ]
    if folders:
        read, seen = sum(folder.frames for folder in folders), sum(folder.frames_with_face for folder in folders)
        tiles += [
            counted(say("index.photos_read"), read),
            counted(say("index.photos_with_face"), seen, formatting.part(seen, read)),
            counted(say("index.faces_in_photos"), sum(folder.faces for folder in folders)),
        ]
    gone, degraded = files_with(Severity.LOST, lines), files_with(Severity.PARTIAL, lines)
    return (
        *tiles,
        *base.left_out_tile([*videos, *folders]),
        counted(say("index.left_out"), gone, say("index.left_out_note"), "left-out" if gone else ""),
        counted(say("index.incomplete"), degraded, say("index.incomplete_note"), "left-out" if degraded else ""),
    )


def _provenance(run: Mapping[str, Any]) -> tuple[tuple[str, Facts], ...]:
    took = run.get("seconds", {})
    this = {
        "fer-batch": run["fer_batch"],
        "started": run.get("started"),
        "finished": run.get("finished"),
        **{say("index.seconds", name=name): value for name, value in took.items()},
        "platform": run.get("platform"),
    }
    groups = {
        say("index.this_run"): this,
        say("index.options"): run.get("options"),
        say("index.view"): run.get("view"),
        say("index.model"): run.get("model"),
        say("index.detector"): run.get("detector"),
        say("index.crop"): run.get("crop"),
        say("index.counts"): run.get("counts"),
        say("index.versions"): run.get("versions"),
    }
    return tuple((heading, base.facts(group)) for heading, group in groups.items() if group)
