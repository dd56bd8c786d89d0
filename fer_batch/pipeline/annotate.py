"""Writes the videos and photos of an output folder anew: what timelines say is drawn in, or all faces are hidden."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fer_batch import detection
from fer_batch.drawing.carried import KEPT_SUFFIXES, SUFFIXES, container_for
from fer_batch.drawing.encoders import Encoder
from fer_batch.drawing.labels import missing
from fer_batch.drawing.photo import written_as
from fer_batch.drawing.shown import COLUMNS
from fer_batch.emotions import EMOTIONS
from fer_batch.errors import FerBatchError, NothingUsable, OutputError, OutputRefused
from fer_batch.exports.tiers import one_line
from fer_batch.options import AnnotateOptions
from fer_batch.output import folder as outfolder
from fer_batch.output import media_links, study
from fer_batch.output.files import cannot_write, replacing_by_json
from fer_batch.output.results import Results
from fer_batch.pipeline import executors
from fer_batch.pipeline.annotator import AnnotatorSetup, DrawFilm, Drawn, DrawPhotos, Photo
from fer_batch.pipeline.executors.base import Failed, FramesScanned, Part

if TYPE_CHECKING:
    import pandas as pd

FOLDERS = {False: "annotated", True: "anonymized"}
"""Within the output folder, by whether faces are hidden."""

RECORD = "annotated.json"

VERSION = 2
"""To be raised whenever the same tables and media give other files."""

PHOTOS_AT_ONCE = 16


class Meter(Protocol):
    """Is told how far it is."""

    def expect(self, more: int) -> None:
        """So many more frames or photos are to be done."""

    def advance(self, done: int) -> None:
        """So many more are done."""


@dataclass(frozen=True)
class Annotated:
    """What was made."""

    files: tuple[Path, ...]
    """All that are there now and of these tables, those of an earlier run included."""
    complete: bool
    """Whether nothing was left out."""


def annotate(
    folder: Path,
    options: AnnotateOptions,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    meter: Meter | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Annotated:
    """Write every video and photo of the output folder ``folder`` anew, to ``out``, as ``options`` say.

    What an earlier run has made of the same media, tables and options is not made again. ``note`` is called with a
    sentence about everything that is left out, or is not as it was.

    Raises:
        UsageError: the folder is no output folder, a table is damaged, an option is wrong; or ``out`` holds files of
            somebody else; or, without ``overwrite``, a file to be replaced was changed since fer-batch wrote it.
        NothingUsable: nothing could be made.
        OutputError: a file cannot be written. Those that were finished are whole.
    """
    encoder = Encoder.parse(options.encoder)
    results = Results.read(folder)
    out = out or folder / FOLDERS[options.anonymize is not None]
    outfolder.claim(out)
    with outfolder.locked(out):
        return _Annotating(results, options, encoder, out, overwrite, note).run(meter)


class _Annotating:
    """One run."""

    def __init__(
        self,
        results: Results,
        options: AnnotateOptions,
        encoder: Encoder,
        out: Path,
        overwrite: bool,
        note: Callable[[str], None],
    ) -> None:
        self._results = results
        self._options = options
        self._encoder = encoder
        self._out = out
        self._overwrite = overwrite
        self._note = note
        self._record = _read_record(out / RECORD)
        self._known = {kept.result.source.name: kept for kept in study.read_results(results.folder)}
        self._files: dict[str, None] = {}
        self._complete = True
        self._min_face = None
        if options.anonymize:
            self._min_face = options.min_face or results.run.get("options", {}).get("min_face")
        self._detector = detection.make(detection.DEFAULT).facts if options.anonymize else {}
        named = "" if options.anonymize else "".join(map(one_line, results.summary["person"].unique()))
        self._not_drawn = missing(named)

    def run(self, meter: Meter | None) -> Annotated:
        """Plan everything, then do it."""
        tasks = [task for source in self._results.sources for task in self._plan(source)]
        cores = executors.cores()
        workers = cores if self._options.workers is None else self._options.workers
        at_once = max(1, min(workers, len(tasks)))
        setup = AnnotatorSetup(
            style=self._options.drawn,
            emotions=self._options.emotions or EMOTIONS,
            way=self._options.anonymize,
            min_face=self._min_face,
            encoder=self._encoder,
            threads=ceil(cores / at_once),
        )
        if tasks and self._not_drawn:
            self._note(
                f"No font on this machine has {self._not_drawn}: question marks stand for these letters of names. "
                "Install a font that has them, such as fonts-noto-cjk of Debian, and run it again."
            )
        if meter is not None:
            meter.expect(sum(task.steps for task in tasks))
        waiting = iter(tasks)
        try:
            with executors.make(setup, min(workers, at_once)) as executor:
                for event in executor.run(lambda: next(waiting, None)):
                    self._take(event, meter)
        finally:
            for task in tasks:
                for part in task.parts:
                    part.unlink(missing_ok=True)
        if not self._files:
            raise NothingUsable(f"Of {self._results.folder} nothing could be written to {self._out}.")
        return Annotated(tuple(self._out / name for name in self._files), self._complete)

    def _take(self, event: Any, meter: Meter | None) -> None:
        """What becomes of a task."""
        match event:
            case FramesScanned(frames) if meter is not None:
                meter.advance(frames)
            case Part(_, drawn):
                self._finish(drawn)
            case Failed(task, OutputError() as error):
                raise error
            case Failed(task, error):
                self._leave_out(task.name, str(error))

    def _finish(self, drawn: Drawn) -> None:
        """Put a file that was made in its place."""
        if drawn.problem is not None:
            self._leave_out(drawn.name, drawn.problem)
            return
        for sentence in drawn.notes:
            self._note(f"{drawn.name}: {sentence}")
        path = self._out / drawn.file
        try:
            self._record[drawn.file] = {"made_of": drawn.key, "sha256": drawn.sha256}
            with replacing_by_json(self._out / RECORD, dict(sorted(self._record.items()))):
                path.unlink(missing_ok=True)  # it was made by an earlier run, or may be overwritten
            os.replace(drawn.part, path)
        except OSError as error:
            raise cannot_write(path, error) from error
        self._files[drawn.file] = None

    def _leave_out(self, name: str, reason: str) -> None:
        self._complete = False
        self._note(f"left out: {name}: {reason}")

    def _plan(self, source: Mapping[str, Any]) -> Iterator[DrawFilm | DrawPhotos]:
        """The tasks of a source: what is not there yet."""
        name = source["name"]
        kept = self._known.get(name)
        if kept is None or not kept.contents:
            self._leave_out(name, "An earlier version of fer-batch analysed it. Run `fer-batch analyze` again first.")
            return
        path = self._results.media.get(name)
        if self._options.media is not None:
            path = media_links.find(self._options.media, name) or path
        if path is None:
            self._leave_out(name, "It is not where it was. Give --media, the folder that it is in now.")
            return
        timeline = self._results.folder / source["timeline"]
        if kept.result.source.in_photo_files:
            yield from self._plan_photos(source, kept, path, timeline)
            return
        try:
            container = container_for(path, self._encoder.name)
        except FerBatchError as error:
            self._leave_out(name, str(error))
            return
        output = Path(source["output"])
        file = output if output.suffix.lower() in KEPT_SUFFIXES[container] else Path(f"{output}{SUFFIXES[container]}")
        key = self._key(kept.contents, _digest(timeline), container)
        if not self._is_wanted(file.as_posix(), key):
            return
        frames = int(source["facts"].get("frames") or source["frames"])
        steps = frames * (2 if self._options.anonymize else 1)
        yield DrawFilm(name, path, kept.contents[0], timeline, self._out, file.as_posix(), key, container, steps)

    def _plan_photos(
        self, source: Mapping[str, Any], kept: study.Kept, folder: Path, timeline: Path
    ) -> Iterator[DrawPhotos]:
        fps = kept.result.source.fps
        rows = _rows_by_frame(self._results.timeline(source, COLUMNS))
        photos: list[Photo] = []
        taken: set[str] = set()
        for number, (known, digest) in enumerate(zip(kept.result.source.files, kept.contents, strict=True)):
            file = (Path(source["output"]) / written_as(known.name)).as_posix()
            while file.casefold() in taken:
                file = f"{file}.png"
            taken.add(file.casefold())
            key = self._key((digest,), rows.get(number, ""), "")
            photos.append(Photo(number, known.name, folder / known.name, digest, file, key))
        if fps is not None:  # frames of a video: those before and after decide what is hidden
            whole = self._key([photo.key for photo in photos], "", "")
            photos = [replace(photo, key=whole) for photo in photos]
        wanted = [photo for photo in photos if self._is_wanted(photo.file, photo.key)]
        if fps is not None and wanted:
            yield DrawPhotos(source["name"], tuple(photos), timeline, self._out, fps)
            return
        for at in range(0, len(wanted), PHOTOS_AT_ONCE):
            yield DrawPhotos(source["name"], tuple(wanted[at : at + PHOTOS_AT_ONCE]), timeline, self._out, None)

    def _key(self, contents: Sequence[str], rows: str, container: str) -> str:
        """Digest of all that decides what a file holds."""
        options = self._options
        decides: list[Any] = [VERSION, *contents, rows, container, options.drawn, options.emotions, options.anonymize]
        decides += [
            self._not_drawn,
            self._min_face,
            self._detector,
            self._encoder.name,
            sorted(self._encoder.options.items()),
        ]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()

    def _is_wanted(self, file: str, key: str) -> bool:
        """Whether a file is to be made: it is not there yet, or of other tables, media or options.

        Raises:
            OutputRefused: a file of that name is there that fer-batch has not written so.
        """
        path, made = self._out / file, self._record.get(file, {})
        if not path.exists():
            return True
        digest = _digest(path)
        if digest == made.get("sha256"):
            if key == made.get("made_of"):
                self._files[file] = None
                return False
            return True
        if not self._overwrite:
            raise OutputRefused(
                f"{path} is not as fer-batch wrote it. Move it away, choose another --out, or give --overwrite."
            )
        return True


def _rows_by_frame(timeline: "pd.DataFrame") -> dict[Any, str]:
    """What the rows of each photo hold, as a text."""
    numbers = timeline["frame"].to_numpy(int)
    return {
        number: json.dumps(rows.drop(columns="frame").to_dict("list"), default=str)
        for number, rows in timeline.groupby(numbers)
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(path: Path) -> dict[str, dict[str, str]]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
