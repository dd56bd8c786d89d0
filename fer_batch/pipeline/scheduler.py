"""Get every source scanned: reuse the chunk files that are on disk, and have workers scan the other chunks.

This part runs in the main process: it makes the tasks, collects what workers hand over, and classifies where they do
not. Sources finish in any order; the result of each does not depend on the order.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
from fer_batch.media.remote import is_remote
from fer_batch.media.sampling import Sampling
from fer_batch.media.sources import legible_name
from fer_batch.media.video import reader
from fer_batch.media.video.index import VideoIndex
from fer_batch.options import PROCESSES, Options
from fer_batch.pipeline import executors
from fer_batch.pipeline.checkpoints import Checkpoints, Record, chunk_key, source_key
from fer_batch.pipeline.contents import Content, KnownContents
from fer_batch.pipeline.executors.base import (
    Done,
    Event,
    Executor,
    Failed,
    FramesScanned,
    Part,
    Retried,
    Waiting,
)
from fer_batch.pipeline.photo_chunks import PhotoChunks
from fer_batch.pipeline.progress import Progress, ProgressCounter
from fer_batch.pipeline.worker import CHANGED, ChunkDone, IndexVideo, ReadContents, ReadHeader, ScanChunk, WorkerSetup
from fer_batch.types import Chunk, Kind, ScannedFrames, Severity, Skipped, Source

LOGGER = logging.getLogger(__name__)

FILES_PER_TASK = 16
"""Files that a worker digests in one task."""

NO_NAME = ""
"""Of the source that a chunk is a part of: names are given when tables are written."""


@dataclass(eq=False)
class _SourceJob:
    """A source that is not finished."""

    source: Source
    contents: dict[Path, Content]
    """Of those of its files that are known or digested by now."""
    unread: int = 0
    """Tasks that digest others."""
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    chunks: tuple[str, ...] = ()
    """Keys of the chunks that hold it, in order."""
    waiting: set[str] = field(default_factory=set)
    """Keys of chunks that are to be scanned."""
    lost: dict[str, tuple[str, FerBatchError]] = field(default_factory=dict)
    """For chunks that could not be scanned, by key: what was in it, and why."""
    unchanged: bool = True
    """Whether all of it was on disk."""
    replan: Callable[[], None] | None = None
    """Plans the chunks again, in the next lower read mode; None: there is none."""

    @property
    def digests(self) -> list[str]:
        """Of each of its files."""
        return [self.contents[file].digest for file in self.source.files]


@dataclass(eq=False)
class _ChunkJob:
    """A chunk that is not finished. Its source has no name: other sources may hold the same."""

    chunk: Chunk
    contents: Mapping[Path, Content]
    """Of its files."""
    sources: list[_SourceJob] = field(default_factory=list)
    """Those that wait for it."""
    parts: list[ScannedFrames] = field(default_factory=list)
    """What has been scanned and classified so far."""
    done: ChunkDone | None = None
    """Set when it is scanned; faces may still wait for the classifier."""

    @property
    def photos(self) -> list[str]:
        """Digests of the photos in it; none for a video."""
        is_video = self.chunk.source.kind is Kind.VIDEO
        return [] if is_video else [self.contents[file].digest for file in self.chunk.source.files]


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
        self.precision = self.model.precision(options.runtime)
        self.detector: Detector = detection.make(detection.DEFAULT)
        self.counts: Counter[str] = Counter(chunks_scanned=0, chunks_reused=0, frames_scanned=0)
        self.seconds = {"scanning": 0.0, "classifying": 0.0}
        self.unchanged: list[str] = []
        """Names of the sources of which nothing had to be scanned."""
        self.runtime: str | None = None
        """What ran the classifier; None while no face has needed it."""
        self._options = options
        self._progress, self._count = progress, ProgressCounter(progress)
        self._sampling = Sampling(options.fps, options.start, options.end)
        self._setup = WorkerSetup.of(options, self.model)
        self._recipe = {
            "detector": self.detector.facts,
            "lowest_confidence": self._setup.lowest_confidence,
            "detect_every": options.detect_every,
            "crop": [crop.CROP_SIDE, crop.CROP_SCALE],
            "model": self.model.sha256,
            "precision": self.precision.name,
        }
        if options.region is not None:
            self._recipe["region"] = list(options.region)
        if options.min_face is not None:
            self._recipe["min_face"] = options.min_face
        if options.cropped:
            self._recipe["cropped"] = True
        self._batcher: Batcher[str] = Batcher(self._predict, options.batch_size)
        self._sources: Iterator[Source] = iter(())
        self._jobs: dict[str, _SourceJob] = {}
        """Sources that are not finished, by name."""
        self._tasks: deque[ReadContents | IndexVideo | ScanChunk] = deque()
        self._chunks: dict[str, _ChunkJob] = {}
        """Chunks that are not finished, by key."""
        self._known = KnownContents(work.folder)
        self._finished: deque[tuple[Source, Record | Skipped]] = deque()

    def records(self, sources: Sequence[Source]) -> Generator[tuple[Source, Record | Skipped], None, None]:
        """Each source as soon as it is finished: what it consists of, or why nothing of it could be scanned.

        Raises:
            ModelError, DetectorError, OutputError: the run cannot go on.
        """
        self._sources = iter(sources)
        options = self._options
        try:
            setup = self._setup
            on_gpus = None if setup.classifies else setup.load_classifier
            with executors.make(setup, options.workers, options.engine, options.ray_address, on_gpus) as executor:
                self._announce(executor, [source for source in sources if not is_remote(source.files[0])])
                for event in executor.run(self._next_task):
                    self._handle(event)
                    yield from self._take_finished()
        finally:
            if any(is_remote(source.files[0]) for source in sources):
                self._setup.remove_copies()
        for key, classified in self._batcher.flush():
            self._add(key, classified)
        yield from self._take_finished()

    def _announce(self, executor: Executor, sources: Sequence[Source]) -> None:
        """Tell how many frames there are in all: those in the headers of what is known not to be on disk.

        Where chunk files are on disk, a file that is not known may be one of theirs: it is not opened to count its
        frames, which are told when they are planned.
        """
        tasks = deque[ReadHeader]()
        may_be_on_disk = not self._options.restart and self.work.has_chunks()
        for source in sources:
            known = {} if self._options.restart else self._known.recall(source.files)
            if source.kind is Kind.PHOTOS:
                digests = [known[file].digest if file in known else "" for file in source.files]
                self._count.expect(source, self._photos.keys(digests).count(""))
            elif len(known) < len(source.files):
                if not may_be_on_disk:
                    tasks.append(ReadHeader(source, (self._sampling,)))
            elif not source.in_photo_files and self.work.recall(self._source_key(_SourceJob(source, known))) is None:
                tasks.append(ReadHeader(source, (self._sampling,)))
        for event in executor.run(lambda: tasks.popleft() if tasks else None):
            if isinstance(event, Done):
                self._count.expect(event.task.source, event.result.frames[0])

    def _take_finished(self) -> Iterator[tuple[Source, Record | Skipped]]:
        while self._finished:
            yield self._finished.popleft()

    def _next_task(self) -> ReadContents | IndexVideo | ScanChunk | None:
        """The next task: of a source that has been started, or of another; None: nothing is left."""
        while True:
            while self._tasks:
                task = self._tasks.popleft()
                if isinstance(task, ScanChunk):
                    if task.key not in self._chunks:  # planned again in another mode
                        continue
                    self._start_loading()
                return task
            source = next(self._sources, None)
            if source is None:
                return None
            self._start(source)

    def _start(self, source: Source) -> None:
        """Find out what a source's files hold; those that have not changed since they were digested are not read."""
        known = {} if self._options.restart else self._known.recall(source.files)
        job = self._jobs[source.name] = _SourceJob(source, known)
        unread = [file for file in source.files if file not in known]
        for at in range(0, len(unread), FILES_PER_TASK):
            files = tuple(unread[at : at + FILES_PER_TASK])
            self._tasks.append(ReadContents(replace(source, files=files)))
            job.unread += 1
        if not unread:
            self._look_up(job)

    def _look_up(self, job: _SourceJob) -> None:
        """Reuse what is on disk of a source whose contents are known, and plan the rest."""
        if job.source.kind is Kind.PHOTOS:
            self._plan_photos(job)
            return
        if job.source.in_photo_files:
            self._plan_frames(job)
            return
        known = None if self._options.restart else self.work.recall(self._source_key(job))
        if known is None:
            self._tasks.append(IndexVideo(job.source))
            return
        self.counts["chunks_reused"] += len(known.chunks)
        lines = tuple(replace(line, file=job.source.name) for line in known.skipped)  # it may have had another name
        self._finish(job, replace(known, skipped=lines))

    def _source_key(self, job: _SourceJob) -> str:
        sampling = [self._options.fps, self._options.start, self._options.end]
        return source_key(self._video_content(job), self._recipe | {"sampling": sampling})

    @staticmethod
    def _video_content(job: _SourceJob) -> str:
        """A video's digest and suffix, by which FFmpeg tells raw formats from each other."""
        return job.digests[0] + job.source.files[0].suffix.lower()

    def _plan_photos(self, job: _SourceJob) -> None:
        """Queue the photos that are not on disk and in no other source's queue; equal ones once."""
        job.facts = {"photos": len(job.source.files)}
        files = {job.contents[file].digest: file for file in job.source.files}
        keys = self._photos.keys(list(files))
        found = set(keys) - {""}
        new = {digest: file for (digest, file), key in zip(files.items(), keys, strict=True) if not key}
        digests = list(new)
        chunks: dict[str, Chunk] = {}
        for chunk in photos.plan(replace(job.source, name=NO_NAME, files=tuple(new.values())), digests):
            here = [time.file for time in chunk.times or ()]
            key = chunk_key(chunk, here, self._recipe)
            chunks[key] = chunk
            self._photos.put(here, key)
        job.waiting = {key for key in found if key in self._chunks}
        for key in job.waiting:
            self._chunks[key].sources.append(job)
        self.counts["chunks_reused"] += len(found - job.waiting)
        job.chunks = tuple(dict.fromkeys(self._photos.keys(list(files))))
        self._queue(job, chunks)

    @cached_property
    def _photos(self) -> PhotoChunks:
        """The chunks that hold photos, or are going to."""
        found = PhotoChunks()
        for key, digests in () if self._options.restart else self.work.photos(self._recipe):
            found.put(digests, key)
        return found

    def _plan_frames(self, job: _SourceJob) -> None:
        """Queue what is not on disk of a video whose frames are photos; instead of names they have their numbers."""
        source = job.source
        job.facts = {"frames_in_files": len(source.files), "frames_per_second": source.fps}
        job.skipped = tuple(Skipped(source.name, note, Severity.NOTE) for note in frame_folder.notes(source))
        chunks = {}
        for chunk in frame_folder.plan(replace(source, name=NO_NAME), self._sampling):
            times = tuple(replace(time, file=str(time.number)) for time in chunk.times or ())
            digests = [job.contents[file].digest for file in chunk.source.files]
            chunks[chunk_key(chunk, digests, self._recipe)] = replace(chunk, times=times)
        job.chunks = tuple(chunks)
        self._queue(job, chunks)

    def _plan_video(self, job: _SourceJob, index: VideoIndex, mode: reader.ReadMode) -> None:
        LOGGER.info("%s: read by %s", job.source.name, mode.name.lower())
        job.facts = index.facts | {"read_by": mode.name.lower()}
        damage = [index.damage] if index.damage else []
        job.skipped = (
            *(Skipped(job.source.name, note, Severity.NOTE) for note in index.notes),
            *(Skipped(job.source.name, reason, Severity.PARTIAL) for reason in damage),
        )
        lower = None if mode is reader.ReadMode.ORDER else reader.ReadMode(mode - 1)
        job.replan = None if lower is None else lambda: self._plan_video(job, index, lower)
        planned = reader.plan(replace(job.source, name=NO_NAME), index, self._sampling, mode)
        chunks = {chunk_key(chunk, [self._video_content(job)], self._recipe): chunk for chunk in planned}
        job.chunks = tuple(chunks)
        self._queue(job, chunks, instead_of=self._withdraw(job))

    def _withdraw(self, job: _SourceJob) -> list[str]:
        """Give up the chunks that a source waits for; returns the keys of those that no other source waits for."""
        dropped = []
        for key in job.waiting:
            self._chunks[key].sources.remove(job)
            if not self._chunks[key].sources:
                self._batcher.drop(key)
                del self._chunks[key]
                dropped.append(key)
        job.waiting.clear()
        job.lost.clear()
        return dropped

    def _queue(self, job: _SourceJob, chunks: Mapping[str, Chunk], instead_of: Sequence[str] = ()) -> None:
        """Queue those of a source's chunks that are not on disk, and not in the queue for another source."""
        new = {}
        for key, chunk in chunks.items():
            if key not in self._chunks:
                if not self._options.restart and self.work.has_chunk(key):
                    self.counts["chunks_reused"] += 1
                    continue
                contents = {file: job.contents[file] for file in chunk.source.files}
                self._chunks[key] = _ChunkJob(chunk, contents)
                known = {file: one.digest for file, one in contents.items() if is_remote(file) and one.state}
                self._tasks.append(ScanChunk(chunk, key, known))
                new[key] = _frames(chunk)
            self._chunks[key].sources.append(job)
            job.waiting.add(key)
        job.unchanged = not job.waiting
        self._count.begin(job.source, new, instead_of)
        self._finish_if_done(job)

    def _handle(self, event: Event) -> None:
        """Handle an event of the executor."""
        if isinstance(event, Waiting):
            self._progress.waiting(event.reason)
            return
        task = event.task
        if isinstance(task, ScanChunk):
            if task.key in self._chunks:
                self._handle_chunk(task.key, self._chunks[task.key], event)
        elif (job := self._jobs.get(task.source.name)) is not None:
            self._handle_reading(job, event)

    def _handle_reading(self, job: _SourceJob, event: Event) -> None:
        """Handle an event about a source's contents or index."""
        if isinstance(event, Done) and isinstance(event.task, ReadContents):
            job.contents |= zip(event.task.source.files, event.result, strict=True)
            job.unread -= 1
            if not job.unread:
                self._look_up(job)
        elif isinstance(event, Done):
            self._plan_video(job, event.result, reader.read_mode(event.result))
        elif isinstance(event, Failed):
            self._raise_if_fatal(event.error)
            self._finish(job, Skipped(job.source.name, str(event.error)))

    def _handle_chunk(self, key: str, chunk: _ChunkJob, event: Event) -> None:
        match event:
            case FramesScanned(frames):
                self._count.scanned(key, frames)
            case Part(_, ScannedFrames(shares=np.ndarray()) as scanned):
                chunk.parts.append(scanned)
            case Part(_, scanned):
                for classified_key, classified in self._batcher.add(key, scanned):
                    self._add(classified_key, classified)
            case Done(_, done):
                self._count.end(key)
                chunk.done = done
                self._write_if_complete(key)
            case Retried():
                LOGGER.info("chunk %s: its process died; it is tried again", key)
                self._count.retry(key)
                chunk.parts.clear()
                self._batcher.drop(key)
            case Failed(_, error):
                self._batcher.drop(key)
                self._raise_if_fatal(error)
                self._fail(key, error)

    def _add(self, key: str, classified: ScannedFrames) -> None:
        """Keep a classified part of a chunk."""
        if key in self._chunks:
            self._chunks[key].parts.append(classified)
            self._write_if_complete(key)

    def _write_if_complete(self, key: str) -> None:
        """Write a chunk file, if the chunk is scanned and all its faces are classified."""
        chunk = self._chunks[key]
        if chunk.done is None or self._batcher.holds(key):
            return
        if not all(content.is_of(file) for file, content in chunk.contents.items()):
            self._fail(key, MediaError(CHANGED))
            return
        self.work.write_chunk(key, chunk.parts, chunk.done.skipped, chunk.photos, chunk.done.software)
        self.counts["chunks_scanned"] += 1
        self.counts["frames_scanned"] += sum(part.sampled_frames for part in chunk.parts)
        for what, seconds in chunk.done.seconds.items():
            self.seconds[what] += seconds
        self.runtime = self.runtime or chunk.done.runtime
        LOGGER.debug("chunk %s: written", key)
        self._close(key)

    def _fail(self, key: str, error: FerBatchError) -> None:
        """Give a chunk up; or read its video in another way."""
        LOGGER.info("chunk %s: %s", key, error)
        chunk = self._chunks[key]
        replans = [job.replan for job in chunk.sources if job.replan is not None]
        if isinstance(error, reader.IndexMismatch) and replans:
            for replan in replans:
                replan()
            return
        self._count.end(key)
        photos = chunk.photos
        for job in chunk.sources:
            names = [legible_name(file) for file in job.source.files if job.contents[file].digest in photos]
            job.lost[key] = _describe(chunk.chunk, names), error
        self._photos.drop(photos)
        self._close(key)

    def _close(self, key: str) -> None:
        """Finish every source that waited for this chunk alone."""
        for job in self._chunks.pop(key).sources:
            job.waiting.discard(key)
            self._finish_if_done(job)

    def _finish_if_done(self, job: _SourceJob) -> None:
        """Finish a source, if nothing of it is left to do."""
        if job.waiting:
            return
        record = self._record(job)
        if not job.source.in_photo_files and isinstance(record, Record) and not job.lost:
            self.work.remember(self._source_key(job), record)
        self._finish(job, record)

    def _record(self, job: _SourceJob) -> Record | Skipped:
        """What a source consists of, or why nothing of it could be scanned."""
        if job.source.kind is Kind.PHOTOS:
            done = tuple(self._photos.keys(job.digests))
        else:
            done = tuple(key for key in job.chunks if key not in job.lost)
        lost = [job.lost[key] for key in job.chunks if key in job.lost]
        if lost and not any(done):
            return Skipped(job.source.name, str(lost[0][1]))
        lines = (Skipped(job.source.name, f"{what} {error}", Severity.PARTIAL) for what, error in lost)
        return Record(done, job.facts, (*job.skipped, *lines))

    def _finish(self, job: _SourceJob, record: Record | Skipped) -> None:
        del self._jobs[job.source.name]
        self._count.settle(job.source)
        LOGGER.info("%s: finished%s", job.source.name, ", unchanged" if job.unchanged else "")
        if isinstance(record, Record):
            if job.unchanged:
                self.unchanged.append(job.source.name)
            record = replace(record, contents=tuple(job.contents[file] for file in job.source.files))
        self._finished.append((job.source, record))

    def _predict(self, crops: np.ndarray) -> np.ndarray:
        start = perf_counter()
        classifier = self._loading.result()
        shares = classifier.predict(crops)
        self.seconds["classifying"] += perf_counter() - start
        self.runtime = classifier.runtime
        return shares

    def _start_loading(self) -> None:
        """Start loading the model, if this process is to classify: TensorFlow takes seconds."""
        if not self._setup.classifies and self._options.engine == PROCESSES:  # in a cluster, its GPUs may do it
            _ = self._loading

    @cached_property
    def _loading(self) -> "Future[Classifier]":
        thread = ThreadPoolExecutor(1)
        loading = thread.submit(self._setup.load_classifier)
        thread.shutdown(wait=False)
        return loading

    def _raise_if_fatal(self, error: FerBatchError) -> None:
        """Raise an error that must end the run."""
        if not isinstance(error, MediaError | TaskFailed):
            raise error


def _frames(chunk: Chunk) -> int:
    return (chunk.frames or 0) if chunk.times is None else len(chunk.times)


def _describe(chunk: Chunk, photos: Sequence[str]) -> str:
    """What of a source was lost with a chunk; ``photos`` are the names of the photos in it."""
    if photos:
        return f"{photos[0]} to {photos[-1]} could not be scanned."
    times = chunk.times or chunk.decoded
    if not times or times[0].seconds is None or times[-1].seconds is None:
        return "The video could not be scanned."
    return f"{times[0].seconds:.3f} s to {times[-1].seconds:.3f} s could not be scanned."
