"""What a worker does: read a film's header or index, or look at a chunk. Knows nothing of processes."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from fer_batch import detection
from fer_batch.classifiers.base import Classifier
from fer_batch.classifiers.batching import Batcher
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection import scan
from fer_batch.detection.base import Detector
from fer_batch.detection.scan import Region
from fer_batch.media import photos
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.header import VideoHeader, read_header
from fer_batch.media.video.index import VideoIndex, read_index
from fer_batch.options import OPENVINO, Options
from fer_batch.types import Answers, Chunk, Kind, Sightings, Skipped, Source

LOWEST_CONFIDENCE = 0.3
"""Chunk files hold every face down to this score, so that a higher threshold needs no second look."""


COLD_PARTS = 2
"""Of a chunk that is tried, parts that do not count if there are others: a whole look at one frame, then squares; in
these, nets are compiled."""


@dataclass(frozen=True)
class IndexVideo:
    """Read the index of a film."""

    source: Source


@dataclass(frozen=True)
class ScanChunk:
    """Look at a chunk."""

    chunk: Chunk
    key: str
    """The chunk's, in the work folder."""


@dataclass(frozen=True)
class ReadHeader:
    """See how long a film is, and how many frames there are to look at, for each of some samplings."""

    source: Source
    samplings: tuple[Sampling, ...]


@dataclass(frozen=True)
class TimeTrial:
    """Look at a chunk of a source for so many seconds, to see how long the rest will take."""

    source: Source
    sampling: Sampling
    share: float
    """Of the source's chunks, those that come before it: 0 to 1."""
    seconds: float


@dataclass(frozen=True)
class TrialResult:
    """What looking for a while gave; without the first frames, at which nets are compiled."""

    frames: int
    faces: int
    seconds: float


@dataclass(frozen=True)
class ChunkDone:
    """What there is to say of a chunk when all its parts have been handed over."""

    skipped: tuple[Skipped, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """What was done for how long, on one core."""
    runtime: str | None = None
    """What computed the emotions; None where no face was found, or another process answers."""


@dataclass(frozen=True)
class WorkerSetup:
    """All that a worker needs to know; small, to be sent to other processes."""

    detector: str
    lowest_confidence: float
    detect_every: int | None
    region: Region | None
    classifies: bool
    """Whether the worker runs the model itself, with OpenVINO; else it hands the crops over."""
    model: Path | None
    batch_size: int

    @classmethod
    def of(cls, options: Options, model: ModelFile) -> "WorkerSetup":
        """What the options ask for."""
        return cls(
            detector=detection.DEFAULT,
            lowest_confidence=min(LOWEST_CONFIDENCE, options.min_confidence),
            detect_every=options.detect_every,
            region=Region(*options.region) if options.region else None,
            classifies=model.choose(options.runtime)[0] == OPENVINO,
            model=options.model,
            batch_size=options.batch_size,
        )

    def __call__(self) -> "Worker":
        """Make a worker.

        Raises:
            DetectorError: the detector cannot be used.
        """
        return Worker(self)


class Worker:
    """Does one task after another."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._detector: Detector = detection.make(setup.detector)
        cv2.setNumThreads(1)  # the cores belong to the workers

    @cached_property
    def _classifier(self) -> Classifier:
        return ModelFile(self._setup.model).load(self._setup.batch_size, OPENVINO)

    def perform(
        self, task: IndexVideo | ReadHeader | ScanChunk | TimeTrial, alive: Callable[[int], object]
    ) -> Generator[Sightings | Answers, None, VideoIndex | VideoHeader | ChunkDone | TrialResult]:
        """Do a task; ``alive`` is told now and then of so many more frames that have been looked at, or of 0.

        Raises:
            FerBatchError: it cannot be done.
        """
        match task:
            case IndexVideo(source):
                return read_index(source.files[0], lambda: alive(0))
            case ReadHeader(source, samplings):
                return read_header(source.files[0], samplings, lambda: alive(0))
            case TimeTrial(source, sampling, share, seconds):
                chunks = _chunks(source, sampling, lambda: alive(0))
                if not chunks:
                    return TrialResult(0, 0, 0.0)
                return self._try(chunks[int(len(chunks) * share)], seconds, alive)
            case ScanChunk(chunk, key):
                return (yield from self._see(chunk, key, alive))

    def _see(
        self, chunk: Chunk, key: str, alive: Callable[[int], object]
    ) -> Generator[Sightings | Answers, None, ChunkDone]:
        began, classifying = perf_counter(), 0.0

        def predict(faces: np.ndarray) -> np.ndarray:
            nonlocal classifying
            start = perf_counter()
            shares = self._classifier.predict(faces)
            classifying += perf_counter() - start
            return shares

        batcher: Batcher[str] = Batcher(predict, self._setup.batch_size)
        scheduler = self._scanned(chunk, alive)
        while True:
            try:
                scanned = next(scheduler)
            except StopIteration as end:
                skipped = end.value
                break
            alive(len(scanned.times))
            if self._setup.classifies:
                yield from (answers for _, answers in batcher.add(key, scanned))
            else:
                yield scanned
        yield from (answers for _, answers in batcher.flush())
        return ChunkDone(
            skipped,
            {"seeing": perf_counter() - began - classifying, "classifying": classifying},
            self._classifier.runtime if "_classifier" in vars(self) else None,
        )

    def _try(self, chunk: Chunk, seconds: float, alive: Callable[[int], object]) -> TrialResult:
        marks = [(0, 0, perf_counter())]  # frames, faces and the time after each part
        for scanned in self._scanned(chunk, alive):
            alive(0)
            if self._setup.classifies and len(scanned.crops):
                self._classifier.predict(scanned.crops)
            frames, found, _ = marks[-1]
            marks.append((frames + len(scanned.times), found + len(scanned.crops), perf_counter()))
            if len(marks) > COLD_PARTS and marks[-1][2] - marks[COLD_PARTS][2] > seconds:
                break
        (cold_frames, cold_found, began), (frames, found, ended) = (
            marks[max(0, min(COLD_PARTS, len(marks) - 2))],
            marks[-1],
        )
        return TrialResult(frames - cold_frames, found - cold_found, ended - began)

    def _scanned(self, chunk: Chunk, alive: Callable[[int], object]) -> Generator[Sightings, None, tuple[Skipped, ...]]:
        setup = self._setup
        return scan.see(
            chunk, self._detector, setup.lowest_confidence, setup.detect_every, lambda: alive(0), setup.region
        )


def _chunks(source: Source, sampling: Sampling, alive: Callable[[], object]) -> list[Chunk]:
    if source.kind is Kind.PHOTOS:
        return photos.plan(source)
    index = read_index(source.files[0], alive)
    return reader.plan(source, index, sampling, reader.read_mode(index))
