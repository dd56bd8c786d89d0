"""The whole run: find the sources, have each scanned, write tables and report. A bad file never ends it."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.analysis.naming import name_faces
from fer_batch.analysis.series import left_out_of
from fer_batch.analysis.summary import summarize
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.load import Annotations
from fer_batch.annotations.people import MADE_WITH, People
from fer_batch.errors import FerBatchError, MediaError, NothingUsable, TaskFailed, UsageError
from fer_batch.exports import check_formats
from fer_batch.exports.export import export
from fer_batch.media import remote, sources
from fer_batch.media.shards import divide
from fer_batch.natural_order import natural
from fer_batch.options import DEFAULT_MIN_FACE, Options, ReportOptions, numbering
from fer_batch.output import folder as outfolder
from fer_batch.output import manifest, media_links, results, study
from fer_batch.output.csv import write_timeline
from fer_batch.output.datapackage import name_exports
from fer_batch.output.exported import FOLDER, present_exports, read_exported
from fer_batch.output.files import replacing, replacing_path
from fer_batch.output.mirror import mirrored
from fer_batch.pipeline import smallest_face
from fer_batch.pipeline.checkpoints import Checkpoints, Record
from fer_batch.pipeline.contents import KnownContents
from fer_batch.pipeline.progress import NullProgress, Progress
from fer_batch.pipeline.scheduler import Scheduler
from fer_batch.pipeline.tables import write_tables
from fer_batch.pipeline.unknown_files import kinds_of
from fer_batch.report import render as report
from fer_batch.tracking import forerunners, shots, tracker
from fer_batch.types import FrameFaces, Kind, LeftOut, Outcome, Reason, Severity, Skipped, Source, TrackedFrame

LOGGER = logging.getLogger(__name__)

INPUTS = "inputs"
"""The folder of the output that holds copies of what users wrote."""


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path
    """The output folder; or, where results are at a URL, that."""
    outcomes: tuple[Outcome, ...]
    skipped: tuple[Skipped, ...]
    """The lines of errors.csv: what was left out, what is not whole, and notes."""
    ignored: tuple[str, ...]
    """Files that are neither photos nor videos."""
    report: Path
    """The report's first page."""
    kept: tuple[Outcome, ...] = ()
    """Of earlier runs, of what is not among the inputs."""
    moved: Mapping[str, Path] = field(default_factory=dict)
    """Where sources are now that were elsewhere in an earlier run."""
    unchanged: tuple[str, ...] = ()
    """Sources among the inputs of which nothing had to be scanned."""
    exported: tuple[Path, ...] = ()
    """Folders of the exports that were asked for, and have files."""
    export_notes: tuple[str, ...] = ()
    """Sentences about what exports leave out, and about those of earlier runs."""
    removed: tuple[str, ...] = ()
    """Sources of earlier runs that were not among the inputs, and were removed as asked."""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing from the tables; there may be notes."""
        return all(line.severity is Severity.NOTE for line in self.skipped)

    @property
    def timelines(self) -> dict[str, Path]:
        """Each source's name and its timeline."""
        return {outcome.source.name: self.folder / outcome.timeline for outcome in self.outcomes}

    def at(self, folder: Path, out: Path) -> "Run":
        """The run whose folder has become another one, with the same content."""
        paths = {path: out / path.relative_to(folder).as_posix() for path in (self.report, *self.exported)}
        notes = tuple(note.replace(str(folder), str(out)) for note in self.export_notes)
        exported = tuple(paths[path] for path in self.exported)
        return replace(self, folder=out, report=paths[self.report], exported=exported, export_notes=notes)


def analyze(
    paths: Iterable[str | Path],
    options: Options | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    report_options: ReportOptions | None = None,
    exports: Sequence[str] = (),
    origins: Mapping[str, str] | None = None,
) -> Run:
    """Find the faces in photos and videos and write down what their expressions look like.

    ``paths`` are files and folders, or URLs of such. ``out`` is a folder, or the URL of one, and is made if need be;
    by default it is :func:`default_folder`. Run again on the same folder, it does only what is missing. What the folder
    holds of other inputs is kept, unless ``options.replace``: tables and report cover it too. ``report_options`` say
    what the report holds beyond numbers and charts. ``exports`` are formats of :data:`fer_batch.exports.REGISTRY` that
    are written to the folder exports. ``origins`` says, for run.json, where options come from that do not have their
    defaults.

    Raises:
        UsageError: a path does not exist, a file that the options name is wrong, the output folder holds files of
            somebody else or results of other inputs with other options, or another run is writing into it.
        NothingUsable: there is no photo and no video, or none can be read; in the second case tables and report are
            there and say why.
        ModelError, DetectorError: the model, or the detector, cannot be used.
        OutputError: a result cannot be written.
    """
    check_formats(exports)
    inputs = [remote.parse(path) for path in paths]
    options = options or Options()
    progress = progress or NullProgress()
    destination = default_folder(inputs) if out is None else remote.parse(out)
    with mirrored(destination) as folder:
        run = _analyze(inputs, _Request(options, report_options, exports, origins or {}, folder, progress))
    return run if folder == destination else run.at(folder, destination)


@dataclass(frozen=True)
class _Request:
    """How a run is to be done, and into which folder."""

    options: Options
    report_options: ReportOptions | None
    exports: Sequence[str]
    origins: Mapping[str, str]
    folder: Path
    """The output folder, on this machine."""
    progress: Progress
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


def _analyze(inputs: Sequence[Path], request: _Request) -> Run:
    """Analyse into a folder on this machine."""
    options, folder = request.options, request.folder
    found = sources.walk(
        inputs,
        out=folder,
        recursive=options.recursive,
        follow_links=options.follow_links,
        as_video=options.as_video,
        probe=lambda unknown: kinds_of(unknown, options.workers),
    )
    if not found.sources and not found.skipped:
        raise NothingUsable(_nothing(inputs, found.ignored))
    everything, division = found.sources, None
    if options.shard is not None:
        number, of = options.shard
        shards, division = divide(everything, of)
        found = replace(found, sources=shards[number - 1])
    scheduler = Scheduler(options, Checkpoints(folder / "work"), request.progress)
    made_with = _made_with(options, scheduler)
    joined = study.read_study(folder, found, made_with, anew=options.replace)
    annotations = Annotations.read(options, joined.everything_with(everything))
    _refuse_other_numbers(annotations.people, options, folder, joined)
    outfolder.claim(folder)
    with outfolder.locked(folder):
        run = _write(request, joined, annotations, scheduler, made_with, division)
    if not run.outcomes and (found.sources or not everything):  # a shard may have no sources
        lost = [line for line in run.skipped if line.severity is not Severity.NOTE]
        why = " ".join(f"{line.file}: {line.reason}" for line in lost[:3])
        raise NothingUsable(f"Nothing could be read. {why} See {run.report}.")
    return run


def default_folder(inputs: Sequence[Path]) -> Path:
    """The output folder where none is given: in the working directory, named after the first input.

    Its name has the folders from the working directory to the input, or only the last one where the input is not below
    it: so inputs of the same name in different folders do not share an output folder.
    """
    path, here = Path(os.path.abspath(inputs[0])), Path.cwd()
    if remote.is_remote(inputs[0]):
        parts: Sequence[str] = inputs[0].parts[1:][-2:]
    elif path == here:
        parts = [path.name]
    else:
        parts = path.relative_to(here).parts if path.is_relative_to(here) else path.parts[1:][-2:]
    return Path(f"{'-'.join(parts) or 'fer-batch'}-emotions")


def _made_with(options: Options, scheduler: Scheduler) -> dict[str, Any]:
    """All that decides the numbers of a source. Files are named with the beginning of their digest."""
    made_with = options.deciding
    for name, path in (("people", options.people), ("events", options.events)):
        if path is not None:
            made_with[name] = f"{path.name} ({hashlib.sha256(path.read_bytes()).hexdigest()[:8]})"
    made_with["model"] = f"{scheduler.model.path.name} ({scheduler.model.sha256[:8]}, {scheduler.precision.name})"
    made_with["detector"] = json.dumps(scheduler.detector.facts, sort_keys=True)
    return made_with


def _write(
    request: _Request,
    joined: study.Study,
    annotations: Annotations,
    scheduler: Scheduler,
    made_with: Mapping[str, Any],
    division: str | None,
) -> Run:
    """Have every source scanned, and write everything. ``division`` says how the inputs are split, if they are."""
    options, report_options, folder = request.options, request.report_options, request.folder
    found = joined.found
    _write_or_remove(folder / results.MODEL_CARD, scheduler.model.card)
    _write_or_remove(folder / results.MODEL_METRICS, scheduler.model.metrics)
    finished: dict[str, study.SourceResult] = {}
    with closing(scheduler.records(found.sources)) as records:
        for source, record in records:
            result = finished[source.name] = _finish(source, record, scheduler.work, options, annotations, folder)
            contents = () if isinstance(record, Skipped) else record.contents
            digests = [content.digest if content.state else "" for content in contents]
            study.write_result(folder, result, made_with, digests)
            request.progress.end(source, result.outcome)
    own = [finished[source.name] for source in found.sources]
    kept = [kept.result for kept in joined.kept]
    in_order = sorted([*own, *kept], key=lambda result: natural(result.source.name))
    outcomes = [result.outcome for result in in_order if result.outcome is not None]
    found_notes = smallest_face.note(outcomes, options), _note_of_numbers(annotations.people, options)
    notes = [note for note in found_notes if note is not None]
    skipped = [*found.skipped, *(line for result in in_order for line in result.skipped), *notes]
    title = report_options.title if report_options else None
    facts = manifest.Manifest(
        started=request.started,
        finished=datetime.now(UTC),
        options=options,
        model=scheduler.model.facts | {"precision": scheduler.precision.name, "precision_why": scheduler.precision.why},
        detector=scheduler.detector.facts,
        runtime=scheduler.runtime,
        seconds=scheduler.seconds,
        chunks=scheduler.counts,
        outcomes=outcomes,
        skipped=skipped,
        ignored=found.ignored,
        persons=len(annotations.people.persons) if options.people else None,
        groups=annotations.people.groups,
        title=study.title_of(folder) if title is None else title,
        offsets=annotations.events.offsets,
        inputs=_copy_inputs(folder, options),
        origins=request.origins,
        division=division,
    )
    own_outcomes = tuple(result.outcome for result in own if result.outcome is not None)
    own_sources = [outcome.source for outcome in own_outcomes]
    media_links.write_media(folder, own_sources, kept=[result.source.name for result in kept])
    write_tables(folder, facts, [result.summary for result in in_order if result.summary is not None])
    study.sweep(folder, (result.source for result in in_order))
    if not options.keep:
        outfolder.sweep(scheduler.work.folder, keep=())
    exported, export_notes = _export(folder, request.exports)
    return Run(
        folder,
        own_outcomes,
        (*found.skipped, *(line for result in own for line in result.skipped), *notes),
        found.ignored,
        report.render(folder, report_options, media_links.places(own_sources), progress=request.progress.rendered),
        tuple(result.outcome for result in kept if result.outcome is not None),
        joined.moved,
        tuple(scheduler.unchanged),
        exported,
        export_notes,
        joined.removed,
    )


def _finish(
    source: Source,
    record: Record | Skipped,
    checkpoints: Checkpoints,
    options: Options,
    annotations: Annotations,
    folder: Path,
) -> study.SourceResult:
    """Write the timeline of a source whose frames have been scanned, and summarize it."""
    LOGGER.info("%s: making its timeline", source.name)
    if isinstance(record, Skipped):
        return study.SourceResult(source, None, [record])
    try:
        reader = _SourceReader(source, record)
        cropped = options.cropped and source.in_photo_files
        scanned_frames = reader.scanned_frames(checkpoints)
        if not cropped:
            scanned_frames = reader.choose_faces(scanned_frames, options)
        cuts: Sequence[int] = ()
        seen = forerunners.Sightings()
        if source.kind is Kind.VIDEO and not cropped:
            cuts = shots.find_cuts(checkpoints.read_scenes(key) for key in record.chunks)
            tracked = seen.noted(tracker.track_faces(scanned_frames, options.view, cuts))
        else:  # cropped frames of a video show one face, number 0
            tracked = tracker.number_faces_left_to_right(scanned_frames, options.view)
        timeline = Timeline.of(reader.count(tracked), options.min_quality)
        if not reader.frames:
            return study.SourceResult(source, None, reader.nothing_kept())
        people = annotations.people
        others = people.empty.get(source.name, ()) if people.made_with - {options.numbering} else None
        named = name_faces(timeline, source.name, source.kind, people.of(source.name), others)
        timeline = named.timeline
        summary, added = summarize(timeline, source, options, annotations)
        perhaps = forerunners.suggest(seen, cuts, (checkpoints.read_scenes(key) for key in record.chunks))
        outcome = replace(reader.outcome(options, timeline), perhaps=tuple(perhaps.items()))
        is_named = options.people is not None
        shares = added.smoothed, added.changes
        write_timeline(folder / outcome.timeline, timeline, *shares, source=source.name, named=is_named)
        reader.skipped.extend((*named.problems, *summary.complaints))
    except MediaError as error:
        return study.SourceResult(source, None, [Skipped(source.name, str(error))])
    except FerBatchError:
        raise
    except Exception as error:  # whatever goes wrong with a source, the others must not suffer
        LOGGER.info("%s: its timeline could not be made", source.name, exc_info=True)
        return study.SourceResult(source, None, [Skipped(source.name, str(TaskFailed.unexpected(error)))])
    return study.SourceResult(source, replace(outcome, skipped=tuple(reader.skipped)), reader.skipped, summary)


@dataclass
class _SourceReader:
    """Reads the chunks of a source, and counts what they hold."""

    source: Source
    record: Record
    skipped: list[Skipped] = field(default_factory=list)
    frames: int = 0
    seconds: float | None = None
    """Sum of the frames' durations; None: none is known."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Of a video's frames: a new entry wherever the size changes."""
    largest: tuple[int, int] = (0, 0)
    """Width and height of the frame with the longest side."""
    not_chosen: dict[Reason, LeftOut] = field(default_factory=dict)
    """Faces that the options keep out of the tables."""

    def scanned_frames(self, checkpoints: Checkpoints) -> Iterator[FrameFaces]:
        """Every frame of the source, chunk after chunk."""
        self.skipped.extend(self.record.skipped)
        for item in checkpoints.read(self.source, self.record):
            if isinstance(item, Skipped):
                if item not in self.skipped:  # all chunks may say the same
                    self.skipped.append(item)
                continue
            self.largest = max(self.largest, item.size, key=max)
            if self.source.kind is Kind.VIDEO and item.size not in self.sizes[-1:]:
                self.sizes.append(item.size)
            yield item
        KnownContents(checkpoints.folder).remember(
            dict(zip(self.source.files, self.record.contents, strict=True)), trusted=self._is_whole
        )
        if len(self.sizes) > 1:
            self.skipped.append(Skipped(self.source.name, self._resized(), Severity.NOTE))

    def _is_whole(self, file: Path) -> bool:
        """Whether nothing of a file is missing."""
        name = self.source.name
        of_file = {name, f"{name}/{sources.legible_name(file)}"}
        return not any(line.file in of_file and line.severity is not Severity.NOTE for line in self.skipped)

    def count(self, tracked_frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
        """The same frames, counted."""
        for tracked in tracked_frames:
            self.frames += 1
            if tracked.time.duration is not None:
                self.seconds = (self.seconds or 0.0) + tracked.time.duration
            yield tracked

    def nothing_kept(self) -> list[Skipped]:
        """The lines about a source without a single frame: what was damaged is lost, and notes are about nothing."""
        lost = [replace(line, severity=Severity.LOST) for line in self.skipped if line.severity is not Severity.NOTE]
        if not self.record.chunks:
            lost.append(Skipped(self.source.name, "No frame lies between --start and --end."))
        return lost or [Skipped(self.source.name, "Not a single frame of it could be decoded.")]

    def _resized(self) -> str:
        first, second = (f"{width}x{height}" for width, height in self.sizes[:2])
        count = len(self.sizes) - 1
        return (
            f"Its frames change size {count} time{'s' * (count > 1)}, first from {first} to {second}: boxes are in "
            "pixels of their own frame, and faces may get new numbers."
        )

    def outcome(self, options: Options, timeline: Timeline) -> Outcome:
        """What has been counted, once all frames are in the timeline."""
        height = smallest_face.height(self.source, self.largest, options)
        return Outcome(
            self.source,
            self.frames,
            len(np.unique(timeline.rows["frame"][timeline.counts])),
            int(timeline.counts.sum()),
            self.seconds,
            self.record.facts | ({} if height is None else {smallest_face.FACT: height}),
            tuple(self.skipped),
            len(np.unique(timeline.rows["face_id"][timeline.counts])) if self.source.kind is Kind.VIDEO else None,
            (*left_out_of(timeline, self.source.kind), *self.not_chosen.values()),
            tuple(content.digest for content in self.record.contents),
        )

    def choose_faces(self, scanned_frames: Iterable[FrameFaces], options: Options) -> Iterator[FrameFaces]:
        """The frames with only those faces that the options let into the tables, the highest score first."""
        least = options.min_face or DEFAULT_MIN_FACE
        for frame in scanned_frames:
            found = [index for index, face in enumerate(frame.detections) if face.confidence >= options.min_confidence]
            found.sort(key=lambda index: -frame.detections[index].confidence)
            large = [index for index in found if frame.detections[index].box.height >= least]
            chosen = large[: options.max_faces]
            self._leave_out(Reason.SIZE, len(found) - len(large), frame.time.duration)
            self._leave_out(Reason.NUMBER, len(large) - len(chosen), frame.time.duration)
            detections = tuple(frame.detections[index] for index in chosen)
            yield replace(frame, detections=detections, shares=frame.shares[chosen])

    def _leave_out(self, reason: Reason, faces: int, duration: float | None) -> None:
        if faces:
            before = self.not_chosen.get(reason, LeftOut(reason, 0, None, None))
            seconds = before.seconds if duration is None else (before.seconds or 0.0) + faces * duration
            self.not_chosen[reason] = replace(before, faces=before.faces + faces, seconds=seconds)


def _refuse_other_numbers(people: People, options: Options, folder: Path, joined: study.Study) -> None:
    """Refuse a people.csv that names faces by numbers that other options gave them.

    Raises:
        UsageError: there is one; the text says how to mend it.
    """
    for source, namings in people.by_source.items():
        for line in (naming.line for naming in namings if naming.anchor is None):
            before = joined.earlier.get(source)
            by_file = line.values.get(MADE_WITH) or min(people.made_with, default="")
            made_with = by_file or (options.numbering if before is None else numbering(before))
            if made_with != options.numbering:
                results = "the results made with them" if by_file else str(folder)
                otherwise = "" if by_file else " If its numbers are of this run, run it once without --people."
                raise line.error(
                    f"face {line.values['face_id']} of {source} is named by a number that was given with other options "
                    f"({made_with}; this run: {options.numbering}). Have its place written beside it: fer-batch people "
                    f"{results} --people {line.csv_name} --out NEW, and give --people NEW.{otherwise}"
                )


def _note_of_numbers(people: People, options: Options) -> Skipped | None:
    """What to know of a people.csv that names faces by their numbers; None: it does not."""
    lines = [naming for namings in people.by_source.values() for naming in namings if naming.anchor is None]
    if options.people is None or not lines:
        return None
    return Skipped(
        options.people.name,
        f"It names {len(lines)} face{'s' * (len(lines) > 1)} by number, and numbers change with --fps, --start, "
        "--min-face and others. `fer-batch people DIR --out FILE` writes it with places, which hold with any.",
        Severity.NOTE,
    )


def _export(folder: Path, formats: Sequence[str]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write these exports; returns those that have files, and sentences. What keeps one back does not end the run.

    Raises:
        OutputError: a file cannot be written.
    """
    made: list[Path] = []
    notes: dict[str, None] = {}
    for name in formats:
        try:
            made += export(folder, [name], out=folder / FOLDER, note=lambda line: notes.update({line: None}))
        except (UsageError, NothingUsable) as error:
            notes[str(error)] = None
    old = read_exported(folder / FOLDER).keys() - present_exports(folder).keys()
    if old:
        formats_of_old = ",".join(sorted(old))
        notes[
            f"In {folder / FOLDER} these are of earlier tables: {formats_of_old}. To make them anew: "
            f"fer-batch export {folder} --to {formats_of_old}"
        ] = None
    name_exports(folder)
    return tuple(made), tuple(notes)


def _copy_inputs(folder: Path, options: Options) -> dict[str, dict[str, str]]:
    """Keep what people.csv and events.csv were in this run; returns for run.json where each is, and its digest.

    Raises:
        OutputError: a copy cannot be written.
    """
    given = {"people": options.people, "events": options.events}
    contents = {name: path.read_bytes() for name, path in given.items() if path is not None}
    copies = {name: folder / INPUTS / f"{name}.csv" for name in contents}
    for name, copy in copies.items():
        with replacing_path(copy) as part:
            part.write_bytes(contents[name])
    outfolder.sweep(folder / INPUTS, keep=copies.values())
    return {
        name: {"copy": f"{INPUTS}/{name}.csv", "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    }


def _write_or_remove(path: Path, text: str | None) -> None:
    """Write what the report needs to know of the model; without a text, remove that of an earlier run.

    Raises:
        OutputError: it cannot be written, or removed.
    """
    if text is None:
        outfolder.remove(path)
        return
    with replacing(path) as file:
        file.write(text)


def _nothing(inputs: Sequence[Path], ignored: Sequence[str]) -> str:
    where = ", ".join(str(path) for path in inputs)
    if ignored:
        return f"There is no photo and no video in {where}, only {len(ignored)} other files."
    return f"There is no photo and no video in {where}: nothing to analyse."
