"""The whole run: find the sources, have each scanned, write tables and report. A bad file never ends it."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_batch.annotations.load import Annotations
from fer_batch.annotations.people import MADE_WITH, People
from fer_batch.errors import NothingUsable, number_of
from fer_batch.exports import check_formats
from fer_batch.exports.export import export_into
from fer_batch.media import remote, sources
from fer_batch.media.shards import divide
from fer_batch.natural_order import natural
from fer_batch.options import Options, ReportOptions, numbering
from fer_batch.output import folder as outfolder
from fer_batch.output import manifest, media_links, results, study
from fer_batch.output.files import replacing, replacing_path
from fer_batch.output.mirror import mirrored
from fer_batch.output.software import Software
from fer_batch.pipeline import smallest_face
from fer_batch.pipeline.checkpoints import Checkpoints
from fer_batch.pipeline.one_source import finish
from fer_batch.pipeline.progress import NullProgress, Progress
from fer_batch.pipeline.scheduler import Scheduler
from fer_batch.pipeline.tables import write_tables
from fer_batch.pipeline.unknown_files import kinds_of
from fer_batch.report import render as report
from fer_batch.types import Outcome, Severity, Skipped

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
    if found.is_nothing:
        raise NothingUsable(_nothing(inputs, found))
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
    software = {kept.result.source.name: kept.software for kept in joined.kept if kept.software is not None}
    with closing(scheduler.records(found.sources)) as records:
        for source, record in records:
            result = finished[source.name] = finish(source, record, scheduler.work, options, annotations, folder)
            contents = () if isinstance(record, Skipped) else record.contents
            digests = [content.digest if content.state else "" for content in contents]
            scanned_by = [] if isinstance(record, Skipped) else scheduler.work.software(record)
            software[source.name] = Software.joined([*scanned_by, Software.here()])
            study.write_result(folder, result, made_with, digests, software[source.name])
            request.progress.end(source, result.outcome)
    own = [finished[source.name] for source in found.sources]
    kept = [kept.result for kept in joined.kept]
    in_order = sorted([*own, *kept], key=lambda result: natural(result.source.name))
    outcomes = [result.outcome for result in in_order if result.outcome is not None]
    found_notes = (
        smallest_face.note(outcomes, options),
        _note_of_numbers(annotations.people, options),
        Software.joined(software.values()).note(),
    )
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
        software=software,
    )
    own_outcomes = tuple(result.outcome for result in own if result.outcome is not None)
    own_sources = [outcome.source for outcome in own_outcomes]
    media_links.write_media(folder, own_sources, kept=[result.source.name for result in kept])
    write_tables(folder, facts, [result.summary for result in in_order if result.summary is not None])
    study.sweep(folder, (result.source for result in in_order))
    if not options.keep:
        outfolder.sweep(scheduler.work.folder, keep=())
    exported, export_notes = export_into(folder, request.exports)
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
        f"It names {number_of(len(lines), 'face')} by number, and numbers change with --fps, --start, "
        "--min-face and others. `fer-batch people DIR --out FILE` writes it with places, which hold with any.",
        Severity.NOTE,
    )


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


def _nothing(inputs: Sequence[Path], found: sources.FoundMedia) -> str:
    where = ", ".join(str(path) for path in inputs)
    only = f", only {len(found.ignored)} other files." if found.ignored else ": nothing to analyse."
    notes = [f"{note.file}: {note.reason}" for note in found.skipped]
    return " ".join([f"There is no photo and no video in {where}{only}", *notes])
