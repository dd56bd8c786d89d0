"""What a worker does: read a film's index, or look at a chunk. Knows nothing of processes."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from fer_batch import detectors, sight
from fer_batch.classifiers import Classifier, ModelFile
from fer_batch.classifiers.batching import Batcher
from fer_batch.detectors import Detector
from fer_batch.filmindex import FilmIndex, read_index
from fer_batch.options import OPENVINO, Options
from fer_batch.region import Region
from fer_batch.types import Answers, Chunk, Sightings, Skipped, Source

LOWEST_CONFIDENCE = 0.3
"""Chunk files hold every face down to this score, so that a higher threshold needs no second look."""


@dataclass(frozen=True)
class Index:
    """Read the index of a film."""

    source: Source


@dataclass(frozen=True)
class See:
    """Look at a chunk."""

    chunk: Chunk
    key: str
    """The chunk's, in the work folder."""


@dataclass(frozen=True)
class Try:
    """Look at a chunk for so many seconds, to see how long the rest will take."""

    chunk: Chunk
    seconds: float


@dataclass(frozen=True)
class Tried:
    """What looking for a while gave; without the first frames, at which nets are compiled."""

    frames: int
    faces: int
    seconds: float


@dataclass(frozen=True)
class Seen:
    """What there is to say of a chunk when all its parts have been handed over."""

    skipped: tuple[Skipped, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """What was done for how long, on one core."""
    runtime: str | None = None
    """What computed the emotions; None where no face was found, or another process answers."""


@dataclass(frozen=True)
class Setup:
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
    def of(cls, options: Options, model: ModelFile) -> "Setup":
        """What the options ask for."""
        return cls(
            detector=detectors.DEFAULT,
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

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._detector: Detector = detectors.make(setup.detector)
        cv2.setNumThreads(1)  # the cores belong to the workers

    @cached_property
    def _classifier(self) -> Classifier:
        return ModelFile(self._setup.model).load(self._setup.batch_size, OPENVINO)

    def perform(
        self, task: Index | See | Try, alive: Callable[[int], object]
    ) -> Generator[Sightings | Answers, None, FilmIndex | Seen | Tried]:
        """Do a task; ``alive`` is told now and then of so many more frames that have been looked at, or of 0.

        Raises:
            FerBatchError: it cannot be done.
        """
        match task:
            case Index(source):
                return read_index(source.files[0], lambda: alive(0))
            case Try(chunk, seconds):
                return self._try(chunk, seconds, alive)
            case See(chunk, key):
                return (yield from self._see(chunk, key, alive))

    def _see(
        self, chunk: Chunk, key: str, alive: Callable[[int], object]
    ) -> Generator[Sightings | Answers, None, Seen]:
        began, classifying = perf_counter(), 0.0

        def predict(faces: np.ndarray) -> np.ndarray:
            nonlocal classifying
            start = perf_counter()
            shares = self._classifier.predict(faces)
            classifying += perf_counter() - start
            return shares

        batcher: Batcher[str] = Batcher(predict, self._setup.batch_size)
        seeing = self._sightings(chunk, alive)
        while True:
            try:
                sightings = next(seeing)
            except StopIteration as end:
                skipped = end.value
                break
            alive(len(sightings.moments))
            if self._setup.classifies:
                yield from (answers for _, answers in batcher.add(key, sightings))
            else:
                yield sightings
        yield from (answers for _, answers in batcher.flush())
        return Seen(
            skipped,
            {"seeing": perf_counter() - began - classifying, "classifying": classifying},
            self._classifier.runtime if "_classifier" in vars(self) else None,
        )

    def _try(self, chunk: Chunk, seconds: float, alive: Callable[[int], object]) -> Tried:
        frames = found = 0
        began: float | None = None
        for sightings in self._sightings(chunk, alive):
            alive(0)
            if self._setup.classifies and len(sightings.crops):
                self._classifier.predict(sightings.crops)
            if began is None:
                began = perf_counter()
                continue
            frames += len(sightings.moments)
            found += len(sightings.crops)
            if perf_counter() - began > seconds:
                break
        return Tried(frames, found, perf_counter() - began if began else 0.0)

    def _sightings(
        self, chunk: Chunk, alive: Callable[[int], object]
    ) -> Generator[Sightings, None, tuple[Skipped, ...]]:
        setup = self._setup
        return sight.see(
            chunk, self._detector, setup.lowest_confidence, setup.detect_every, lambda: alive(0), setup.region
        )
