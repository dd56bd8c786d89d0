"""What becomes of one source: from the chunk files that hold it to its timeline and its summary."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fer_batch.analysis.naming import name_faces
from fer_batch.analysis.series import left_out_of
from fer_batch.analysis.summary import summarize
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.load import Annotations
from fer_batch.errors import FerBatchError, MediaError, TaskFailed, number_of
from fer_batch.media import sources
from fer_batch.options import DEFAULT_MIN_FACE, Options
from fer_batch.output.csv import write_timeline
from fer_batch.output.study import SourceResult
from fer_batch.pipeline import smallest_face
from fer_batch.pipeline.checkpoints import Checkpoints, Record
from fer_batch.pipeline.contents import KnownContents
from fer_batch.tracking import forerunners, shots, tracker
from fer_batch.types import FrameFaces, Kind, LeftOut, Outcome, Reason, Severity, Skipped, Source, TrackedFrame

LOGGER = logging.getLogger(__name__)


def finish(
    source: Source,
    record: Record | Skipped,
    checkpoints: Checkpoints,
    options: Options,
    annotations: Annotations,
    folder: Path,
) -> SourceResult:
    """Write the timeline of a source whose frames have been scanned, and summarize it."""
    LOGGER.info("%s: making its timeline", source.name)
    if isinstance(record, Skipped):
        return SourceResult(source, None, [record])
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
            return SourceResult(source, None, reader.nothing_kept())
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
        return SourceResult(source, None, [Skipped(source.name, str(error))])
    except FerBatchError:
        raise
    except Exception as error:  # whatever goes wrong with a source, the others must not suffer
        LOGGER.info("%s: its timeline could not be made", source.name, exc_info=True)
        return SourceResult(source, None, [Skipped(source.name, str(TaskFailed.unexpected(error)))])
    return SourceResult(source, replace(outcome, skipped=tuple(reader.skipped)), reader.skipped, summary)


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
            f"Its frames change size {number_of(count, 'time')}, first from {first} to {second}: boxes are in "
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
