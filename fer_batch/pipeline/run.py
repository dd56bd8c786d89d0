"""The whole run: find the sources, have each seen, write tables and report. One bad file never ends it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from fer_batch.analysis import groups, persons
from fer_batch.analysis import summary as measuring
from fer_batch.analysis.summary import SourceSummary
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import VIEWS
from fer_batch.errors import FerBatchError, MediaError, NothingUsable, TaskFailed
from fer_batch.media import sources
from fer_batch.options import Options, ReportOptions
from fer_batch.output import folder as outfolder
from fer_batch.output import manifest, media_links
from fer_batch.output.csv import (
    add_changes,
    add_smoothed,
    read_table,
    write_by_event,
    write_differences,
    write_episodes,
    write_events,
    write_groups,
    write_people,
    write_skipped,
    write_summary,
    write_timeline,
)
from fer_batch.output.datapackage import write_datapackage
from fer_batch.output.files import replacing, write_json
from fer_batch.output.schema import CHANGES, OPTIONAL, TIMELINE
from fer_batch.pipeline.checkpoints import Checkpoints, Record
from fer_batch.pipeline.progress import NullProgress, Progress
from fer_batch.pipeline.scheduler import Scheduler
from fer_batch.report import render as report
from fer_batch.report import results
from fer_batch.tracking import tracker
from fer_batch.types import FrameFaces, Kind, Outcome, Skipped, Source, TrackedFrame


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path
    """The output folder."""
    outcomes: tuple[Outcome, ...]
    skipped: tuple[Skipped, ...]
    """What was left out, and what is not whole."""
    ignored: tuple[str, ...]
    """Files that are neither photographs nor films."""
    report: Path
    """The report's first page."""

    @property
    def timelines(self) -> dict[str, Path]:
        """Each source's name and its timeline."""
        return {outcome.source.name: self.folder / outcome.timeline for outcome in self.outcomes}


def analyze(
    paths: Iterable[str | Path],
    options: Options | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    asked: ReportOptions | None = None,
) -> Run:
    """Find the faces in photographs and films and write down what their expressions look like.

    ``paths`` are files and folders. ``out`` is made if need be, by default ``NAME-emotions`` in the working directory,
    NAME being the first path's. Run again on the same folder, it does only what is missing. ``asked`` is what the
    report shall hold beyond numbers and charts.

    Raises:
        UsageError: a path does not exist, what the options name says something that cannot be, the output folder holds
            files of somebody else, or another run is writing into it.
        NothingUsable: there is no photograph and no film, or none can be read; in the second case the tables that say
            why are there.
        ModelError, DetectorError: they cannot be used.
        OutputError: a result cannot be written.
    """
    inputs = [Path(path) for path in paths]
    options = options or Options()
    progress = progress or NullProgress()
    folder = Path(out) if out is not None else default_folder(inputs)
    started = datetime.now(UTC)
    found = sources.walk(inputs, out=folder, recursive=options.recursive, follow_links=options.follow_links)
    if not found.sources and not found.skipped:
        raise NothingUsable(_nothing(inputs, found.ignored))
    study = Annotations.read(options, found)
    scheduler = Scheduler(options, Checkpoints(folder / "work"), progress)
    outfolder.claim(folder)
    with outfolder.locked(folder):
        run = _analyze(found, study, scheduler, options, asked, folder, progress, started)
    if not run.outcomes:
        raise NothingUsable(f"Nothing could be read; {run.report} says why.")
    return run


def default_folder(inputs: Sequence[Path]) -> Path:
    """Where results go when nobody says: beside where one stands, named after the first input."""
    return Path(f"{inputs[0].resolve().name or 'fer-batch'}-emotions")


def _analyze(
    found: sources.FoundMedia,
    study: Annotations,
    scheduler: Scheduler,
    options: Options,
    asked: ReportOptions | None,
    folder: Path,
    progress: Progress,
    started: datetime,
) -> Run:
    """Have every source seen, and write everything."""
    _write_card(folder / results.MODEL_CARD, scheduler.model.card)
    told: dict[str, _SourceResult] = {}
    with closing(scheduler.records(found.sources)) as records:
        for source, record in records:
            told[source.name] = _tell(source, record, scheduler.work, options, study, folder)
            progress.end(source, told[source.name].outcome)
    in_order = [told[source.name] for source in found.sources]
    outcomes = [one.outcome for one in in_order if one.outcome is not None]
    skipped = [*found.skipped, *(line for one in in_order for line in one.skipped)]
    facts = manifest.Manifest(
        started=started,
        finished=datetime.now(UTC),
        options=options,
        model=scheduler.model.facts,
        detector=scheduler.detector.facts,
        runtime=scheduler.runtime,
        seconds=scheduler.seconds,
        chunks=scheduler.counts,
        outcomes=outcomes,
        skipped=skipped,
        ignored=found.ignored,
        persons=len(study.people.persons) if options.people else None,
        groups=len(study.people.groups),
    )
    media_links.write_media(folder, (one.source for one in outcomes))
    _write(folder, facts, in_order)
    if not options.keep:
        outfolder.sweep(scheduler.work.folder, keep=())
    places = media_links.places([one.source for one in outcomes])
    return Run(folder, tuple(outcomes), tuple(skipped), found.ignored, report.render(folder, asked, places))


@dataclass(frozen=True)
class _SourceResult:
    """What came of a source: its timeline, if it gave a row, and what is wrong with it."""

    outcome: Outcome | None
    skipped: Sequence[Skipped]
    measured: SourceSummary | None = None


def _tell(
    source: Source, record: Record | Skipped, work: Checkpoints, options: Options, study: Annotations, folder: Path
) -> _SourceResult:
    """Write the timeline of a source that has been seen."""
    if isinstance(record, Skipped):
        return _SourceResult(None, [record])
    try:
        tally = _TimelineCounts(source, record)
        scanned_frames = _chosen(tally.scanned_frames(work), options)
        link = tracker.track if source.kind is Kind.VIDEO else tracker.arrange
        names = study.people.of(source.name)
        tracked_frames = names.give(link(scanned_frames, VIEWS.index(options.view)), source.kind)
        path = folder / tally.outcome().timeline
        write_timeline(path, tally.count(tracked_frames))
        if not tally.frames:
            path.unlink()
            return _SourceResult(
                None, tally.skipped or [Skipped(source.name, "No frame lies between --start and --end.")]
            )
        found = measuring.measure(read_table(path, TIMELINE, measuring.COLUMNS), source, options, study)
        tally.skipped.extend((*names.complaints(), *found.complaints))
        if found.smoothed is not None:
            add_smoothed(path, found.smoothed)
        if found.changes is not None:
            add_changes(path, found.changes)
    except MediaError as error:
        return _SourceResult(None, [Skipped(source.name, str(error))])
    except FerBatchError:
        raise
    except Exception as error:  # whatever goes wrong with one source, the others must not suffer
        return _SourceResult(None, [Skipped(source.name, str(TaskFailed.unexpected(error)))])
    return _SourceResult(tally.outcome(), tally.skipped, found)


@dataclass
class _TimelineCounts:
    """Counts what flows into a source's timeline."""

    source: Source
    record: Record
    skipped: list[Skipped] = field(default_factory=list)
    frames: int = 0
    frames_with_face: int = 0
    faces: int = 0
    seconds: float | None = None
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Of a film's picture, one after the other."""

    def scanned_frames(self, work: Checkpoints) -> Iterator[FrameFaces]:
        """Every frame of the source, chunk after chunk."""
        self.skipped.extend(self.record.skipped)
        for key in self.record.chunks:
            scanned_frames, skipped = work.read_chunk(key)
            self.skipped.extend(one for one in skipped if one not in self.skipped)  # a film's chunks may all say it
            for frame in scanned_frames:
                if self.source.kind is Kind.VIDEO and frame.size not in self.sizes[-1:]:
                    self.sizes.append(frame.size)
                yield frame
        if len(self.sizes) > 1:
            self.skipped.append(Skipped(self.source.name, self._resized(), rows_kept=True))

    def count(self, tracked_frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
        """The same readings, counted."""
        for tracked in tracked_frames:
            self.frames += 1
            self.frames_with_face += bool(tracked.faces)
            self.faces += len(tracked.faces)
            if tracked.time.duration is not None:
                self.seconds = (self.seconds or 0.0) + tracked.time.duration
            yield tracked

    def _resized(self) -> str:
        first, second = (f"{width}x{height}" for width, height in self.sizes[:2])
        count = len(self.sizes) - 1
        return (
            f"Its picture changes size {count} time{'s' * (count > 1)}, first from {first} to {second}: boxes are in "
            "pixels of their own frame, and faces may get new numbers."
        )

    def outcome(self) -> Outcome:
        """What has been counted so far."""
        return Outcome(
            self.source,
            self.frames,
            self.frames_with_face,
            self.faces,
            self.seconds,
            self.record.facts,
            tuple(self.skipped),
        )


def _chosen(scanned_frames: Iterable[FrameFaces], options: Options) -> Iterator[FrameFaces]:
    """Glimpses with only the faces that the options let into the tables, surest first."""
    for frame in scanned_frames:
        kept = [
            at
            for at, one in enumerate(frame.detections)
            if one.confidence >= options.min_confidence and one.box.height >= options.min_face
        ]
        kept.sort(key=lambda at: -frame.detections[at].confidence)
        kept = kept[: options.max_faces]
        yield replace(frame, detections=tuple(frame.detections[at] for at in kept), shares=frame.shares[kept])


def _write(folder: Path, facts: manifest.Manifest, told: Sequence[_SourceResult]) -> None:
    """Write every table but the timelines, and remove the timelines of earlier runs."""
    timelines = {outcome.source.name: outcome.timeline for outcome in facts.outcomes}
    outfolder.sweep(folder / "timelines", keep=(folder / path for path in timelines.values()))
    _write_measured(folder, facts.options, [one.measured for one in told if one.measured is not None])
    write_skipped(folder / "errors.csv", facts.skipped)
    write_datapackage(folder / "datapackage.json", timelines, facts.finished.isoformat(timespec="seconds"))
    write_json(folder / "run.json", manifest.as_json(facts))


def _write_measured(folder: Path, options: Options, measured: Sequence[SourceSummary]) -> None:
    """Write what was made of the timelines, and remove what an earlier run was asked for and this one is not."""
    more = CHANGES if options.baseline else ()
    write_summary(folder / "summary.csv", (summary for one in measured for summary in one.summaries), more)
    write_episodes(folder / "episodes.csv", (episode for one in measured for episode in one.episodes))
    for _, _, table, _ in OPTIONAL:
        if table != "episodes.csv":
            outfolder.remove(folder / table)
    if options.people is not None:
        people = [part for one in measured for part in one.people]
        write_people(folder / "summary_by_person.csv", persons.together(people), more)
        means, differences = groups.compare(people)
        write_groups(folder / "summary_by_group.csv", means)
        write_differences(folder / "group_differences.csv", differences)
    if options.events is not None:
        found = [part for one in measured for part in one.events]
        write_events(folder / "events.csv", dict.fromkeys(event for event, _ in found))
        write_by_event(folder / "summary_by_event.csv", found, more)


def _write_card(path: Path, card: str | None) -> None:
    """Write the model's card for the report to link to; without one, remove that of another model's run.

    Raises:
        OutputError: it cannot be written, or removed.
    """
    if card is not None:
        with replacing(path) as file:
            file.write(card)
        return
    outfolder.remove(path)


def _nothing(inputs: Sequence[Path], ignored: Sequence[str]) -> str:
    where = ", ".join(str(path) for path in inputs)
    if ignored:
        return f"There is no photograph and no film in {where}, only {len(ignored)} other files."
    return f"There is no photograph and no film in {where}: nothing to analyse."
