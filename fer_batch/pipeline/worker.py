"""What a worker does: read a video's header or index, or scan a chunk. Knows nothing of processes."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cv2
import numpy as np

from fer_batch import detection
from fer_batch.classifiers.base import Classifier
from fer_batch.classifiers.batching import Batcher
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection.base import Detector
from fer_batch.detection.looks import Region
from fer_batch.detection.scan import scan_chunk
from fer_batch.errors import MediaError
from fer_batch.media import frame_folder, photos
from fer_batch.media.remote import is_remote
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.header import VideoHeader, reading_header
from fer_batch.media.video.index import VideoIndex, reading_index
from fer_batch.options import OPENVINO, Options
from fer_batch.output.software import Software
from fer_batch.pipeline.contents import Content, reading_content
from fer_batch.pipeline.executors.base import FramesScanned
from fer_batch.types import Chunk, Kind, ScannedFrames, Skipped, Source

if TYPE_CHECKING:
    from fer_batch.pipeline.staging import Copy, Staging

CHANGED = "The file was changed while it was read. Run again."

LOWEST_CONFIDENCE = 0.3
"""Chunk files hold every face down to this score, so that a higher threshold needs no new detection."""

WARM_UP_PARTS = 2
"""Parts of a time trial that do not count if there are others: networks are compiled in the first full-frame detection
and in the first squares."""


@dataclass(frozen=True)
class ReadContents:
    """Digest some files of a source."""

    source: Source
    """With these files only."""


@dataclass(frozen=True)
class IndexVideo:
    """Read the index of a video."""

    source: Source


@dataclass(frozen=True)
class ScanChunk:
    """Scan a chunk."""

    chunk: Chunk
    key: str
    """The chunk's key among the checkpoints."""
    digests: Mapping[Path, str] = field(default_factory=dict)
    """What those of its files held that are remote: they are fetched once more."""


@dataclass(frozen=True)
class ReadHeader:
    """Find out how long a video is, and how many sampled frames it has, for each of some samplings."""

    source: Source
    samplings: tuple[Sampling, ...]


@dataclass(frozen=True)
class TimeTrial:
    """Scan a chunk of a source for so many seconds, to see how long the rest will take."""

    source: Source
    sampling: Sampling
    position: float
    """Which chunk of the source: the part of its chunks that comes before it, 0 to 1."""
    seconds: float


@dataclass(frozen=True)
class TrialResult:
    """What was scanned in a time trial, without the first frames, in which networks are compiled."""

    frames: int
    faces: int
    seconds: float
    size: tuple[int, int] = (0, 0)
    """Width and height of the frame with the longest side."""


@dataclass(frozen=True)
class ChunkDone:
    """What is left to say of a chunk when all its parts have been handed over."""

    skipped: tuple[Skipped, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds of work on one core, by what was done."""
    runtime: str | None = None
    """What ran the classifier; None if no face was found, or if another process classifies."""
    software: Software = field(default_factory=Software.here)
    """That of the worker, which may be on another machine."""


@dataclass(frozen=True)
class WorkerSetup:
    """All that a worker needs to know; small, to be sent to other processes."""

    detector: str
    lowest_confidence: float
    detect_every: int | None
    region: Region | None
    min_face: int | None
    """Height in pixels of the smallest face to look for; None: as fast as by default."""
    cropped: bool
    """Whether each photo is one face."""
    classifies: bool
    """Whether the worker runs the model itself, with OpenVINO; else it hands the crops over, or has others classify."""
    model: Path | None
    batch_size: int
    runtime: str
    run: str
    """A name of its own for each run."""

    @classmethod
    def of(cls, options: Options, model: ModelFile) -> "WorkerSetup":
        """What the options ask for."""
        return cls(
            detector=detection.DEFAULT,
            lowest_confidence=min(LOWEST_CONFIDENCE, options.min_confidence),
            detect_every=options.detect_every,
            region=Region(*options.region) if options.region else None,
            min_face=options.min_face,
            cropped=options.cropped,
            classifies=model.choose(options.runtime)[0] == OPENVINO,
            model=options.model,
            batch_size=options.batch_size,
            runtime=options.runtime,
            run=uuid4().hex,
        )

    def remove_copies(self) -> None:
        """Remove the local copies of remote files that workers on this machine have left behind."""
        from fer_batch.pipeline import staging

        staging.remove(self.run)

    def load_classifier(self) -> Classifier:
        """Load the model for whoever classifies in the place of the workers.

        Raises:
            ModelError: it cannot be loaded.
        """
        return ModelFile(self.model).load(self.batch_size, self.runtime)

    def __call__(self, classifier: Classifier | None = None) -> "Worker":
        """Make a worker; ``classifier`` is one that it asks, in the place of its own.

        Raises:
            DetectorError: the detector cannot be used.
        """
        return Worker(self, classifier)


class Worker:
    """Does one task after another. Implements :class:`fer_batch.pipeline.executors.base.Worker`."""

    def __init__(self, setup: WorkerSetup, classifier: Classifier | None = None) -> None:
        self._setup = setup
        self._given = classifier
        self._classifies = setup.classifies or classifier is not None
        self._detector: Detector = detection.make(setup.detector)
        cv2.setNumThreads(1)  # each worker has one core

    @cached_property
    def _staging(self) -> "Staging":
        from fer_batch.pipeline.staging import Staging  # needs a system with locks of files

        return Staging(self._setup.run)

    @cached_property
    def _classifier(self) -> Classifier:
        return self._given or ModelFile(self._setup.model).load(self._setup.batch_size, OPENVINO)

    def perform(
        self, task: ReadContents | IndexVideo | ReadHeader | ScanChunk | TimeTrial
    ) -> Generator[Any, None, list[Content] | VideoIndex | VideoHeader | ChunkDone | TrialResult]:
        """Do a task; of a :class:`ScanChunk` the parts are :class:`ScannedFrames`.

        Raises:
            FerBatchError: it cannot be done.
        """
        match task:
            case ReadContents(source):
                return (yield from self._read_contents(source.files))
            case IndexVideo(source):
                source = yield from self._staged(source)
                return (yield from reading_index(source.files[0]))
            case ReadHeader(source, samplings):
                if source.in_photo_files:
                    return frame_folder.header(source, samplings)
                return (yield from reading_header(source.files[0], samplings))
            case TimeTrial(source, sampling, position, seconds):
                chunks = yield from _chunks(source, sampling)
                if not chunks:
                    return TrialResult(0, 0, 0.0)
                return (yield from self._time_trial(chunks[int(len(chunks) * position)], seconds))
            case ScanChunk(chunk, key, digests):
                chunk, lost = yield from self._staged_chunk(chunk, digests)
                done = yield from self._scan_chunk(chunk, key)
                return replace(done, skipped=(*lost, *done.skipped))

    def _read_contents(self, files: Sequence[Path]) -> Generator[None, None, list[Content]]:
        copies = yield from self._copies(files)
        contents = []
        for file in files:
            copy = copies.get(file)
            if copy is None:
                contents.append((yield from reading_content(file)))
            elif isinstance(copy, MediaError):
                contents.append(Content.unreadable())
            else:
                contents.append(Content.of_remote(file, copy.digest))
        return contents

    def _staged_chunk(
        self, chunk: Chunk, digests: Mapping[Path, str]
    ) -> Generator[None, None, tuple[Chunk, list[Skipped]]]:
        """The chunk with local copies of its files, where they are remote; without photos that cannot be fetched.

        Raises:
            MediaError: a file cannot be fetched, or holds something else than it did.
        """
        copies = yield from self._copies(chunk.source.files)
        if any(
            not isinstance(copy, MediaError) and copy.digest != digests.get(file, copy.digest)
            for file, copy in copies.items()
        ):
            raise MediaError(CHANGED)
        if chunk.source.kind is not Kind.PHOTOS or not copies:
            return replace(chunk, source=_with_copies(chunk.source, copies)), []
        both = list(zip(chunk.source.files, chunk.times or (), strict=True))
        lost = {file: error for file, error in copies.items() if isinstance(error, MediaError)}
        there = replace(chunk.source, files=tuple(file for file, _ in both if file not in lost))
        times = tuple(time for file, time in both if file not in lost)
        lines = [Skipped(f"{there.name}/{time.file}", str(lost[file])) for file, time in both if file in lost]
        return replace(chunk, source=_with_copies(there, copies), times=times), lines

    def _staged(self, source: Source) -> Generator[None, None, Source]:
        """The source with local copies of its files, where they are remote.

        Raises:
            MediaError: one cannot be fetched.
        """
        return _with_copies(source, (yield from self._copies(source.files)))

    def _copies(self, files: Sequence[Path]) -> "Generator[None, None, dict[Path, Copy | MediaError]]":
        """The local copy of each file that is remote, or why there is none."""
        remote = [file for file in files if is_remote(file)]
        return (yield from self._staging.fetching(remote)) if remote else {}

    def _scan_chunk(self, chunk: Chunk, key: str) -> Generator[ScannedFrames | FramesScanned | None, None, ChunkDone]:
        began, classifying = perf_counter(), 0.0

        def predict(faces: np.ndarray) -> np.ndarray:
            nonlocal classifying
            start = perf_counter()
            shares = self._classifier.predict(faces)
            classifying += perf_counter() - start
            return shares

        batcher: Batcher[str] = Batcher(predict, self._setup.batch_size)
        skipped: list[Skipped] = []
        for item in self._scan(chunk):
            match item:
                case ScannedFrames():
                    yield FramesScanned(item.sampled_frames)
                    if self._classifies:
                        yield from (classified for _, classified in batcher.add(key, item))
                    else:
                        yield item
                case Skipped():
                    skipped.append(item)
                case None:
                    yield None
        yield from (classified for _, classified in batcher.flush())
        return ChunkDone(
            tuple(skipped),
            {"scanning": perf_counter() - began - classifying, "classifying": classifying},
            self._classifier.runtime if "_classifier" in vars(self) else None,
        )

    def _time_trial(self, chunk: Chunk, seconds: float) -> Generator[None, None, TrialResult]:
        size = (0, 0)
        marks = [(0, 0, perf_counter())]  # frames, faces and the time after each part
        for item in self._scan(chunk):
            yield None
            if not isinstance(item, ScannedFrames):
                continue
            size = max(size, *(tuple(one) for one in item.sizes.tolist()), key=max)
            if self._setup.classifies and len(item.crops):
                self._classifier.predict(item.crops)
            frames, faces, _ = marks[-1]
            marks.append((frames + item.sampled_frames, faces + len(item.crops), perf_counter()))
            if len(marks) > WARM_UP_PARTS and marks[-1][2] - marks[WARM_UP_PARTS][2] > seconds:
                break
        first_frames, first_faces, began = marks[max(0, min(WARM_UP_PARTS, len(marks) - 2))]
        frames, faces, ended = marks[-1]
        return TrialResult(frames - first_frames, faces - first_faces, ended - began, size)

    def _scan(self, chunk: Chunk) -> Iterator[ScannedFrames | Skipped | None]:
        setup = self._setup
        return scan_chunk(
            chunk,
            self._detector,
            setup.lowest_confidence,
            setup.detect_every,
            setup.region,
            min_face=setup.min_face,
            cropped=setup.cropped,
        )


def _with_copies(source: Source, copies: "Mapping[Path, Copy | MediaError]") -> Source:
    """The source with these copies of its files.

    Raises:
        MediaError: there is none of one.
    """
    files = []
    for file in source.files:
        copy = copies.get(file)
        if isinstance(copy, MediaError):
            raise copy
        files.append(file if copy is None else copy.path)
    return replace(source, files=tuple(files))


def _chunks(source: Source, sampling: Sampling) -> Generator[None, None, list[Chunk]]:
    if source.kind is Kind.PHOTOS:
        return photos.plan(source)
    if source.in_photo_files:
        return frame_folder.plan(source, sampling)
    index = yield from reading_index(source.files[0])
    return reader.plan(source, index, sampling, reader.read_mode(index))
