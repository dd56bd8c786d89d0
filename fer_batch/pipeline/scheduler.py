"""Make sure that all of the sources have been seen: recall the chunks that are on disk, have the others looked at.

This is the main process's part: it draws up the tasks, keeps what workers hand over, and has the model answer where
they do not. Sources are finished in any order; what comes out of each does not depend on it.
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
from fer_batch.media import photos
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import VideoIndex
from fer_batch.options import Options
from fer_batch.pipeline import executors
from fer_batch.pipeline.checkpoints import Checkpoints, Record, chunk_key, content_digest, source_key
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part, Retried
from fer_batch.pipeline.progress import Progress, ProgressCounter
from fer_batch.pipeline.worker import ChunkDone, IndexVideo, ScanChunk, WorkerSetup
from fer_batch.types import Chunk, Kind, ScannedFrames, Skipped, Source


@dataclass
class _SourceJob:
    """A source that is being seen."""

    source: Source
    contents: list[str]
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    chunks: dict[str, Chunk] = field(default_factory=dict)
    """By their keys, in order."""
    todo: deque[str] = field(default_factory=deque)
    open: dict[str, list[ScannedFrames]] = field(default_factory=dict)
    """Chunks that are being looked at, with what they have given so far."""
    failed: dict[str, FerBatchError] = field(default_factory=dict)
    replan: Callable[[], None] | None = None
    """Draws the chunks up anew, with less trust in the film's index."""

    def record(self) -> Record | Skipped:
        """What a finished source consists of, or why nothing could be seen of it."""
        done = tuple(key for key in self.chunks if key not in self.failed)
        failed = [(chunk, self.failed[key]) for key, chunk in self.chunks.items() if key in self.failed]
        if failed and not done:
            return Skipped(self.source.name, str(failed[0][1]))
        lost = (Skipped(self.source.name, f"{_stretch(chunk)} {error}", rows_kept=True) for chunk, error in failed)
        return Record(done, self.facts, (*self.skipped, *lost))


class Scheduler:
    """What one run has seen and what it still has to see.

    Args:
        options: how to analyse.
        work: the folder of chunk files.
        progress: who is told of every frame.

    Raises:
        ModelError, DetectorError: they cannot be used.
    """

    def __init__(self, options: Options, work: Checkpoints, progress: Progress) -> None:
        self.work = work
        self.model = ModelFile(options.model)
        self.detector: Detector = detection.make(detection.DEFAULT)
        self.counts: Counter[str] = Counter(chunks_seen=0, chunks_reused=0)
        self.seconds = {"seeing": 0.0, "classifying": 0.0}
        self.runtime: str | None = None
        """What computed the emotions; None while no face has needed it."""
        self._options = options
        self._count = ProgressCounter(progress)
        self._sampling = Sampling(options.fps, options.start, options.end)
        self._setup = WorkerSetup.of(options, self.model)
        self._recipe = {
            "detector": self.detector.facts,
            "lowest_confidence": self._setup.lowest_confidence,
            "detect_every": options.detect_every,
            "crop": [crop.SIDE, crop.CROP_SCALE],
            "model": self.model.sha256,
        }
        if options.region is not None:
            self._recipe["region"] = list(options.region)
        self._batcher: Batcher[str] = Batcher(self._predict, options.batch_size)
        self._ahead: Iterator[Source] = iter(())
        self._jobs: dict[str, _SourceJob] = {}
        """Those that are not finished, by their sources' names."""
        self._ended: dict[str, ChunkDone] = {}
        """Chunks that have been looked at, but whose faces are not all answered."""
        self._finished: deque[tuple[Source, Record | Skipped]] = deque()

    def records(self, sources: Sequence[Source]) -> Generator[tuple[Source, Record | Skipped], None, None]:
        """What every source consists of, or why nothing could be seen of it, as soon as it is known.

        Raises:
            ModelError, DetectorError, OutputError: the run cannot go on.
        """
        self._ahead = iter(sources)
        with executors.make(self._setup, self._options.workers) as executor:
            for event in executor.run(self._draw):
                self._take(event)
                yield from self._out()
        for key, classified in self._batcher.flush():
            self._add(key, classified)
        yield from self._out()

    def _out(self) -> Iterator[tuple[Source, Record | Skipped]]:
        while self._finished:
            yield self._finished.popleft()

    def _draw(self) -> IndexVideo | ScanChunk | None:
        """The next task: a chunk of a source that has been begun, or the beginning of another."""
        while True:
            for job in self._jobs.values():
                if job.todo:
                    key = job.todo.popleft()
                    job.open[key] = []
                    self._prepare()
                    return ScanChunk(job.chunks[key], key)
            source = next(self._ahead, None)
            if source is None:
                return None
            if self._begin(source):
                return IndexVideo(source)

    def _begin(self, source: Source) -> bool:
        """Recall or begin a source; true if its index is to be read first."""
        contents = [_content(file) for file in source.files]
        sampling = [self._options.fps, self._options.start, self._options.end]
        names = [file.name for file in source.files]
        key = source_key(source.name, [*names, *contents], self._recipe | {"sampling": sampling})
        known = None if self._options.restart else self.work.recall(key)
        if known is not None:
            self.counts["chunks_reused"] += len(known.chunks)
            self._finished.append((source, known))
            return False
        job = self._jobs[source.name] = _SourceJob(source, contents, key)
        if source.kind is Kind.VIDEO:
            return True
        job.facts = {"photographs": len(source.files)}
        self._plan(job, photos.plan(source))
        return False

    def _plan(self, job: _SourceJob, chunks: Sequence[Chunk]) -> None:
        """Have the chunks looked at that are not on disk."""
        before = tuple(job.chunks)
        job.chunks = {chunk_key(chunk, job.contents, self._recipe): chunk for chunk in chunks}
        job.todo = deque(key for key in job.chunks if self._options.restart or not self.work.has_chunk(key))
        job.open.clear()
        job.failed.clear()
        self.counts["chunks_reused"] += len(job.chunks) - len(job.todo)
        self._count.begin(job.source, {key: _frames(job.chunks[key]) for key in job.todo}, instead_of=before)
        self._close(job)

    def _plan_video(self, job: _SourceJob, index: VideoIndex, mode: reader.ReadMode) -> None:
        job.facts = index.facts | {"read_by": mode.name.lower()}
        told = [*index.notes, index.damage] if index.damage else index.notes
        job.skipped = tuple(Skipped(job.source.name, one, rows_kept=True) for one in told)
        if mode > reader.ReadMode.ORDER:
            job.replan = lambda: self._plan_video(job, index, reader.ReadMode(mode - 1))
        self._plan(job, reader.plan(job.source, index, self._sampling, mode))

    def _take(self, event: Event) -> None:
        """Make something of what an executor tells."""
        task = event.task
        if isinstance(task, IndexVideo):
            self._take_index(self._jobs[task.source.name], event)
        elif (job := self._jobs.get(task.chunk.source.name)) is not None and task.key in job.open:
            self._take_chunk(job, task.key, event)

    def _take_index(self, job: _SourceJob, event: Event) -> None:
        if isinstance(event, Done):
            self._plan_video(job, event.result, reader.read_mode(event.result))
        elif isinstance(event, Failed):
            self._fail(event.error)
            del self._jobs[job.source.name]
            self._finished.append((job.source, Skipped(job.source.name, str(event.error))))

    def _take_chunk(self, job: _SourceJob, key: str, event: Event) -> None:
        match event:
            case FramesScanned(frames):
                self._count.looked(key, frames)
            case Part(_, ScannedFrames(shares=np.ndarray()) as scanned):
                job.open[key].append(scanned)
            case Part(_, scanned):
                for classified_key, classified in self._batcher.add(key, scanned):
                    self._add(classified_key, classified)
            case Done(_, seen):
                self._count.end(key)
                self._ended[key] = seen
                self._settle(job, key)
            case Retried():
                self._count.again(key)
                job.open[key].clear()
                self._batcher.drop(key)
            case Failed(_, error):
                self._batcher.drop(key)
                self._fail(error)
                if isinstance(error, reader.IndexMismatch) and job.replan is not None:
                    job.replan()
                    return
                self._count.end(key)
                del job.open[key]
                job.failed[key] = error
                self._close(job)

    def _add(self, key: str, classified: ScannedFrames) -> None:
        """Keep what the model says of a part of a chunk."""
        for job in tuple(self._jobs.values()):
            if key in job.open:
                job.open[key].append(classified)
                self._settle(job, key)

    def _settle(self, job: _SourceJob, key: str) -> None:
        """Write a chunk down, if it has been looked at and all its faces are answered."""
        seen = self._ended.get(key)
        if seen is None or self._batcher.holds(key):
            return
        del self._ended[key]
        self.work.write_chunk(key, job.open.pop(key), seen.skipped)
        self.counts["chunks_seen"] += 1
        for what, seconds in seen.seconds.items():
            self.seconds[what] += seconds
        self.runtime = self.runtime or seen.runtime
        self._close(job)

    def _close(self, job: _SourceJob) -> None:
        """Finish a source, if nothing of it is left to do."""
        if job.todo or job.open:
            return
        del self._jobs[job.source.name]
        record = job.record()
        if isinstance(record, Record) and not job.failed:
            self.work.remember(job.key, record)
        self._finished.append((job.source, record))

    def _predict(self, crops: np.ndarray) -> np.ndarray:
        began = perf_counter()
        classifier = self._loading.result()
        shares = classifier.predict(crops)
        self.seconds["classifying"] += perf_counter() - began
        self.runtime = classifier.runtime
        return shares

    def _prepare(self) -> None:
        """Begin to load the model, if it is needed in this process: TensorFlow takes seconds."""
        if not self._setup.classifies:
            _ = self._loading

    @cached_property
    def _loading(self) -> "Future[Classifier]":
        thread = ThreadPoolExecutor(1)
        loading = thread.submit(self.model.load, self._options.batch_size, self._options.runtime)
        thread.shutdown(wait=False)
        return loading

    def _fail(self, error: FerBatchError) -> None:
        """Raise what must end the run."""
        if not isinstance(error, MediaError | TaskFailed):
            raise error


def _content(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:  # reading it will say so again, in its place
        return f"unreadable: {error.strerror}"


def _frames(chunk: Chunk) -> int:
    return (chunk.frames or 0) if chunk.times is None else len(chunk.times)


def _stretch(chunk: Chunk) -> str:
    if not chunk.times:
        return "The film could not be looked at."
    first, last = chunk.times[0], chunk.times[-1]
    if first.seconds is None or last.seconds is None:
        return f"{first.file} to {last.file} could not be looked at."
    return f"{first.seconds:.3f} s to {last.seconds:.3f} s could not be looked at."
