"""What the report's first page shows: the run at a glance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fer_batch import charts, words
from fer_batch.card import Accuracy, read_accuracy
from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.grouping import Groups, groups_of
from fer_batch.methods import citation, paragraph
from fer_batch.multiples import Small, of_faces, of_people, of_sources
from fer_batch.pages import (
    INDEX,
    Distribution,
    Fact,
    Figures,
    Link,
    Page,
    SourceRow,
    Tile,
    facts,
    href,
    mean,
    view,
)
from fer_batch.results import MODEL_CARD, LeftOut, Results
from fer_batch.tables import OPTIONAL
from fer_batch.types import Kind

if TYPE_CHECKING:
    pass


MOST_PEOPLE = 60
"""People, or tracks, side by side: those visible longest."""


@dataclass(frozen=True)
class IndexPage(Page):
    """The report's first page."""

    started: str
    tiles: tuple[Tile, ...]
    distributions: tuple[Distribution, ...]
    untimed: int
    """Films with faces but without time stamps, which no mean over time can hold."""
    films: tuple[SourceRow, ...]
    folders: tuple[SourceRow, ...]
    ignored: tuple[str, ...]
    groups: tuple[Groups, ...]
    sources: tuple[Small, ...]
    """Films and folders side by side."""
    people: tuple[Small, ...]
    """People side by side, or tracks where nobody has named them."""
    named: bool
    more_people: int
    card: Link | None
    """The emotion model's card; None: it has none."""
    accuracy: Accuracy | None
    """What the card says was measured for the answer that fills the tables."""
    confused: tuple[str, ...]
    """Sentences about the emotions that are taken for others."""
    methods: str
    citation: str
    provenance: tuple[tuple[str, tuple[Fact, ...]], ...]
    """Groups of facts, each with its heading."""


def index_page(results: Results, rows: Iterable[tuple[Kind, SourceRow]]) -> IndexPage:
    """All that the first page shows; ``rows`` are the sources in their order."""
    listed = list(rows)
    films = tuple(row for kind, row in listed if kind is Kind.VIDEO)
    folders = tuple(row for kind, row in listed if kind is Kind.PHOTOS)
    left_out = results.left_out()
    summary = results.summary
    timed = summary[(summary["kind"] == Kind.VIDEO) & (summary["seconds_visible"] > 0)]
    photographs = summary[summary["kind"] == Kind.PHOTOS]
    drawing = Figures(INDEX, "charts", paper=results.asked.charts)
    distributions = []
    if len(timed):
        seconds = float(timed["seconds_visible"].sum())
        films_seen = words.plural(timed["file"].nunique(), "film")
        distributions.append(
            drawing.distribution(
                "films",
                "Films: mean over time",
                f"Mean over {charts.clock(seconds)} ({words.seconds(seconds)}) of visible faces in {films_seen}; "
                "two faces seen for one second together are two seconds.",
                mean(timed, "seconds_visible"),
            )
        )
    if len(photographs):
        faces = int(photographs["faces"].sum())
        distributions.append(
            drawing.distribution(
                "photographs",
                "Photographs: mean over faces",
                f"Mean over {words.plural(faces, 'face')} in {words.plural(len(photographs), 'folder')}; "
                "each counts the same.",
                mean(photographs, "faces"),
            )
        )
    groups = groups_of(results, drawing)
    people = of_people(results, films)
    named = bool(people)
    people = people or of_faces(results, films)
    accuracy = read_accuracy(results.card, view(results))
    return IndexPage(
        title="What the faces look like",
        index=Link("Overview", INDEX),
        tables=tuple(
            Link(name, href(INDEX, name))
            for name in ("summary.csv", *(one[2] for one in OPTIONAL), "errors.csv", "datapackage.json", "run.json")
            if (results.folder / name).is_file()
        ),
        left_out=left_out,
        view=view(results),
        version=str(results.run["fer_batch"]),
        attachments=tuple(drawing.attachments),
        started=str(results.run.get("started", "")),
        tiles=_tiles(films, folders, left_out),
        distributions=tuple(distributions),
        untimed=sum(bool(film.faces) and film.name not in set(timed["file"]) for film in films),
        films=films,
        folders=folders,
        ignored=tuple(results.run.get("ignored", ())),
        groups=tuple(groups),
        sources=tuple(of_sources([row for _, row in listed])),
        people=tuple(people[:MOST_PEOPLE]),
        named=named,
        more_people=len(people[MOST_PEOPLE:]),
        accuracy=accuracy,
        confused=_confused(accuracy) if accuracy else (),
        methods=paragraph(results.run, accuracy),
        citation=citation(results.run),
        card=Link("model card", href(INDEX, MODEL_CARD)) if (results.folder / MODEL_CARD).is_file() else None,
        provenance=_provenance(results.run),
    )


def _confused(accuracy: Accuracy) -> tuple[str, ...]:
    """For each emotion what it is most often taken for, the least reliable first."""
    sentences = []
    for at in sorted(range(len(TABLE)), key=lambda at: accuracy.recalls[at])[:4]:
        others = [(name, share) for name, share in accuracy.mistaken(EMOTIONS[at]) if share >= 0.05][:3]
        taken = ", ".join(f"for {name} in {100 * share:.0f} %" for name, share in others)
        sentences.append(
            f"{TABLE[at].label} was recognised in {100 * accuracy.recalls[at]:.0f} % of its faces"
            + (f" and taken {taken}." if taken else ".")
        )
    return tuple(sentences)


def _tiles(films: Sequence[SourceRow], folders: Sequence[SourceRow], left_out: Sequence[LeftOut]) -> tuple[Tile, ...]:
    tiles = [
        Tile(
            "Sources",
            words.count(len(films) + len(folders)),
            f"{words.plural(len(films), 'film')}, {words.plural(len(folders), 'folder')} of photographs",
        )
    ]
    if films:
        seconds = sum(film.seconds or 0.0 for film in films)
        untimed = sum(film.seconds is None for film in films)
        note = words.seconds(seconds) + (
            f"; {words.plural(untimed, 'film')} without time stamps not counted" if untimed else ""
        )
        frames, seen = sum(film.frames for film in films), sum(film.frames_with_face for film in films)
        faces = words.plural(sum(film.faces for film in films), "face")
        tiles += [
            Tile("Film time looked at", charts.clock(seconds), note),
            Tile("Film frames looked at", words.count(frames)),
            Tile("Film frames with a face", words.count(seen), words.part(seen, frames)),
            Tile(
                "Tracks in films", words.count(sum(film.tracks for film in films)), f"{faces}, summed over the frames"
            ),
        ]
    if folders:
        read, seen = sum(one.frames for one in folders), sum(one.frames_with_face for one in folders)
        tiles += [
            Tile("Photographs read", words.count(read)),
            Tile("Photographs with a face", words.count(seen), words.part(seen, read)),
            Tile("Faces in photographs", words.count(sum(one.faces for one in folders))),
        ]
    gone = len({line.file for line in left_out if not line.rows_kept})
    degraded = len({line.file for line in left_out if line.rows_kept})
    where = "#left-out" if left_out else ""
    return (
        *tiles,
        Tile("Left out", words.count(gone), "not in the tables", where if gone else ""),
        Tile("Not whole", words.count(degraded), "in the tables as far as it could be read", where if degraded else ""),
    )


def _provenance(run: Mapping[str, Any]) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    took = run.get("seconds", {})
    this = {
        "fer-batch": run["fer_batch"],
        "started": run.get("started"),
        "finished": run.get("finished"),
        **{f"seconds, {name}": value for name, value in took.items()},
        "platform": run.get("platform"),
    }
    groups = [("This run", this), ("Options", run.get("options", {})), ("Emotion model", run.get("model", {}))]
    groups += [("Face detector", run.get("detector", {})), ("Crop of a face", run.get("crop", {}))]
    groups += [("Counts", run.get("counts", {})), ("Versions", run.get("versions", {}))]
    return tuple((heading, facts(group)) for heading, group in groups if group)
