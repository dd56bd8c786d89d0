"""Get every source scanned: reuse the chunk files that are on disk, and have workers scan the other chunks.

This part runs in the main process: it makes the tasks, collects what workers hand over, and classifies where they do
not. Sources finish in any order; the result of each does not depend on the order.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from fer_batch import detection
from fer_batch.classifiers.base import Classifier
from fer_batch.classifiers.batching import Batcher
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection import crop
from fer_batch.detection.base import Detector
from fer_batch.errors import FerBatchError, MediaError, TaskFailed
from fer_batch.media import frame_folder, photos
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import VideoIndex
from fer_batch.options import Options
from fer_batch.pipeline import executors
from fer_batch.pipeline.checkpoints import Checkpoints, Record, chunk_key, content_digest, source_key
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part, Retried
from fer_batch.pipeline.progress import Progress, ProgressCounter
from fer_batch.pipeline.worker import ChunkDone, IndexVideo, ScanChunk, WorkerSetup
from fer_batch.types import Chunk, Kind, ScannedFrames, Severity, Skipped, Source


@dataclass
class _SourceJob:
    """A source that is being scanned."""

    source: Source
    contents: list[str]
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    chunks: dict[str, Chunk] = field(default_factory=dict)
    """By key, in order."""
    todo: deque[str] = field(default_factory=deque)
    open: dict[str, list[ScannedFrames]] = field(default_factory=dict)
    """Chunks that are being scanned, by key, with the parts that they have given so far."""
    failed: dict[str, FerBatchError] = field(default_factory=dict)
    replan: Callable[[], None] | None = None
    """Plans the chunks again, in the next lower read mode; None: there is none."""

    def record(self) -> Record | Skipped:
        """What a finished source consists of, or why nothing of it could be scanned."""
        done = tuple(key for key in self.chunks if key not in self.failed)
        failed = [(chunk, self.failed[key]) for key, chunk in self.chunks.items() if key in self.failed]
        if failed and not done:
            return Skipped(self.source.name, str(failed[0][1]))
        lost = (Skipped(self.source.name, f"{_describe(chunk)} {error}", Severity.PARTIAL) for chunk, error in failed)
        return Record(done, self.facts, (*self.skipped, *lost))


class Scheduler:
    """What one run has scanned and what it still has to scan.

    Args:
        options: how to analyse.
        work: the chunk files.
        progress: is told of every frame.

    Raises:
        ModelError, DetectorError: they cannot be used.
    """

    def __init__(self, options: Options, work: Checkpoints, progress: Progress) -> None:
        self.work = work
        self.model = ModelFile(options.model)
        self.detector: Detector = detection.make(detection.DEFAULT)
        self.counts: Counter[str] = Counter(chunks_scanned=0, chunks_reused=0)
        self.seconds = {"scanning": 0.0, "classifying": 0.0}
        self.runtime: str | None = None
        """What ran the classifier; None while no face has needed it."""
        self._options = options
        self._count = ProgressCounter(progress)
        self._sampling = Sampling(options.fps, options.start, options.end)
        self._setup = WorkerSetup.of(options, self.model)
        self._recipe = {
            "detector": self.detector.facts,
            "lowest_confidence": self._setup.lowest_confidence,
            "detect_every": options.detect_every,
            "crop": [crop.CROP_SIDE, crop.CROP_SCALE],
            "model": self.model.sha256,
        }
        if options.region is not None:
            self._recipe["region"] = list(options.region)
        if options.cropped:
            self._recipe["cropped"] = True
        self._batcher: Batcher[str] = Batcher(self._predict, options.batch_size)
        self._sources: Iterator[Source] = iter(())
        self._jobs: dict[str, _SourceJob] = {}
        """Sources that are not finished, by name."""
        self._scanned: dict[str, ChunkDone] = {}
        """Chunks that are scanned, but not all of whose faces are classified."""
        self._finished: deque[tuple[Source, Record | Skipped]] = deque()

    def records(self, sources: Sequence[Source]) -> Generator[tuple[Source, Record | Skipped], None, None]:
        """Each source as soon as it is finished: what it consists of, or why nothing of it could be scanned.

        Raises:
            ModelError, DetectorError, OutputError: the run cannot go on.
        """
        self._sources = iter(sources)
        with executors.make(self._setup, self._options.workers) as executor:
            for event in executor.run(self._next_task):
                self._handle(event)
                yield from self._take_finished()
        for key, classified in self._batcher.flush():
            self._add(key, classified)
        yield from self._take_finished()

    def _take_finished(self) -> Iterator[tuple[Source, Record | Skipped]]:
        while self._finished:
            yield self._finished.popleft()

    def _next_task(self) -> IndexVideo | ScanChunk | None:
        """The next task: a chunk of a source that has been started, or the index of another; None: nothing is left."""
        while True:
            for job in self._jobs.values():
                if job.todo:
                    key = job.todo.popleft()
                    job.open[key] = []
                    self._start_loading()
                    return ScanChunk(job.chunks[key], key)
            source = next(self._sources, None)
            if source is None:
                return None
            if self._start(source):
                return IndexVideo(source)

    def _start(self, source: Source) -> bool:
        """Reuse or start a source; true if its index must be read first."""
        contents = [_content(file) for file in source.files]
        sampling = [self._options.fps, self._options.start, self._options.end, source.fps]
        names = [file.name for file in source.files]
        key = source_key(source.name, [*names, *contents], self._recipe | {"sampling": sampling})
        known = None if self._options.restart else self.work.recall(key)
        if known is not None:
            self.counts["chunks_reused"] += len(known.chunks)
            self._finished.append((source, known))
            return False
        job = self._jobs[source.name] = _SourceJob(source, contents, key)
        if not source.in_photo_files:
            return True
        if source.kind is Kind.PHOTOS:
            job.facts = {"photos": len(source.files)}
            self._plan(job, photos.plan(source))
        else:
            job.facts = {"frames_in_files": len(source.files), "frames_per_second": source.fps}
            job.skipped = tuple(Skipped(source.name, note, Severity.NOTE) for note in frame_folder.notes(source))
            self._plan(job, frame_folder.plan(source, self._sampling))
        return False

    def _plan(self, job: _SourceJob, chunks: Sequence[Chunk]) -> None:
        """Queue the chunks that are not on disk."""
        before = tuple(job.chunks)
        job.chunks = {chunk_key(chunk, job.contents, self._recipe): chunk for chunk in chunks}
        job.todo = deque(key for key in job.chunks if self._options.restart or not self.work.has_chunk(key))
        job.open.clear()
        job.failed.clear()
        self.counts["chunks_reused"] += len(job.chunks) - len(job.todo)
        self._count.begin(job.source, {key: _frames(job.chunks[key]) for key in job.todo}, instead_of=before)
        self._finish_if_done(job)

    def _plan_video(self, job: _SourceJob, index: VideoIndex, mode: reader.ReadMode) -> None:
        job.facts = index.facts | {"read_by": mode.name.lower()}
        damage = [index.damage] if index.damage else []
        job.skipped = (
            *(Skipped(job.source.name, note, Severity.NOTE) for note in index.notes),
            *(Skipped(job.source.name, reason, Severity.PARTIAL) for reason in damage),
        )
        if mode > reader.ReadMode.ORDER:
            job.replan = lambda: self._plan_video(job, index, reader.ReadMode(mode - 1))
        self._plan(job, reader.plan(job.source, index, self._sampling, mode))

    def _handle(self, event: Event) -> None:
        """Handle an event of the executor."""
        task = event.task
        if isinstance(task, IndexVideo):
            self._handle_index(self._jobs[task.source.name], event)
        elif (job := self._jobs.get(task.chunk.source.name)) is not None and task.key in job.open:
            self._handle_chunk(job, task.key, event)

    def _handle_index(self, job: _SourceJob, event: Event) -> None:
        if isinstance(event, Done):
            self._plan_video(job, event.result, reader.read_mode(event.result))
        elif isinstance(event, Failed):
            self._raise_if_fatal(event.error)
            del self._jobs[job.source.name]
            self._finished.append((job.source, Skipped(job.source.name, str(event.error))))

    def _handle_chunk(self, job: _SourceJob, key: str, event: Event) -> None:
        match event:
            case FramesScanned(frames):
                self._count.scanned(key, frames)
            case Part(_, ScannedFrames(shares=np.ndarray()) as scanned):
                job.open[key].append(scanned)
            case Part(_, scanned):
                for classified_key, classified in self._batcher.add(key, scanned):
                    self._add(classified_key, classified)
            case Done(_, done):
                self._count.end(key)
                self._scanned[key] = done
                self._write_if_complete(job, key)
            case Retried():
                self._count.retry(key)
                job.open[key].clear()
                self._batcher.drop(key)
            case Failed(_, error):
                self._batcher.drop(key)
                self._raise_if_fatal(error)
                if isinstance(error, reader.IndexMismatch) and job.replan is not None:
                    job.replan()
                    return
                self._count.end(key)
                del job.open[key]
                job.failed[key] = error
                self._finish_if_done(job)

    def _add(self, key: str, classified: ScannedFrames) -> None:
        """Keep a classified part of a chunk."""
        for job in tuple(self._jobs.values()):
            if key in job.open:
                job.open[key].append(classified)
                self._write_if_complete(job, key)

    def _write_if_complete(self, job: _SourceJob, key: str) -> None:
        """Write a chunk file, if the chunk is scanned and all its faces are classified."""
        done = self._scanned.get(key)
        if done is None or self._batcher.holds(key):
            return
        del self._scanned[key]
        self.work.write_chunk(key, job.open.pop(key), done.skipped)
        self.counts["chunks_scanned"] += 1
        for what, seconds in done.seconds.items():
            self.seconds[what] += seconds
        self.runtime = self.runtime or done.runtime
        self._finish_if_done(job)

    def _finish_if_done(self, job: _SourceJob) -> None:
        """Finish a source, if nothing of it is left to do."""
        if job.todo or job.open:
            return
        del self._jobs[job.source.name]
        record = job.record()
        if isinstance(record, Record) and not job.failed:
            self.work.remember(job.key, record)
        self._finished.append((job.source, record))

    def _predict(self, crops: np.ndarray) -> np.ndarray:
        start = perf_counter()
        classifier = self._loading.result()
        shares = classifier.predict(crops)
        self.seconds["classifying"] += perf_counter() - start
        self.runtime = classifier.runtime
        return shares

    def _start_loading(self) -> None:
        """Start loading the model, if this process classifies: TensorFlow takes seconds."""
        if not self._setup.classifies:
            _ = self._loading

    @cached_property
    def _loading(self) -> "Future[Classifier]":
        thread = ThreadPoolExecutor(1)
        loading = thread.submit(self.model.load, self._options.batch_size, self._options.runtime)
        thread.shutdown(wait=False)
        return loading

    def _raise_if_fatal(self, error: FerBatchError) -> None:
        """Raise an error that must end the run."""
        if not isinstance(error, MediaError | TaskFailed):
            raise error


def _content(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:  # reading the file will fail too, and be reported there
        return f"unreadable: {error.strerror}"


def _frames(chunk: Chunk) -> int:
    return (chunk.frames or 0) if chunk.times is None else len(chunk.times)


def _describe(chunk: Chunk) -> str:
    if not chunk.times:
        return "The video could not be scanned."
    first, last = chunk.times[0], chunk.times[-1]
    if first.seconds is None or last.seconds is None:
        return f"{first.file} to {last.file} could not be scanned."
    return f"{first.seconds:.3f} s to {last.seconds:.3f} s could not be scanned."
