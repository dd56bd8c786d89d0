"""``python -m benchmarks.scheduling``: what the main process takes for each chunk, where the work itself takes no time.

It is given 10,000 chunks of photos and 100 workers who answer at once, and writes the chunk files as in a run. It also
prints the memory that a list of photos takes.
"""

import resource
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time
from types import TracebackType
from typing import Any, Self

import numpy as np

from fer_batch.media.frame import SCENE_SIDE
from fer_batch.options import Options
from fer_batch.pipeline import executors
from fer_batch.pipeline.checkpoints import Checkpoints
from fer_batch.pipeline.contents import Content
from fer_batch.pipeline.executors.base import Done, Event, FramesScanned, Part
from fer_batch.pipeline.progress import NullProgress
from fer_batch.pipeline.scheduler import Scheduler
from fer_batch.pipeline.worker import ChunkDone, ReadContents
from fer_batch.types import FolderFiles, Kind, ScannedFrames, Source

WORKERS = 100
CHUNKS = 10_000
PHOTOS_PER_CHUNK = 16
FOLDERS = (10, 100, 1000)
"""Among so many folders the same photos are divided."""


class AtOnce:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`: every task is done as soon as it is drawn."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to stop."""

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives, 100 at a time."""
        drawn: deque[Any] = deque()
        while True:
            while len(drawn) < WORKERS and (task := next_task()) is not None:
                drawn.append(task)
            if not drawn:
                return
            yield from _done(drawn.popleft())


def _done(task: Any) -> Iterator[Event]:
    if isinstance(task, ReadContents):
        yield Done(task, [Content(str(file)) for file in task.source.files])
        return
    count = len(task.chunk.times)
    yield FramesScanned(count, task)
    faces = np.zeros((count, 19))
    shares = np.full((count, 2, 7), 1 / 7, np.float32)
    scenes = np.zeros((count, SCENE_SIDE, SCENE_SIDE), np.uint8)
    yield Part(
        task,
        ScannedFrames(
            times=task.chunk.times,
            sizes=np.full((count, 2), 100),
            scenes=scenes,
            sampled=np.ones(count, bool),
            owners=np.arange(count),
            faces=faces,
            crops=np.empty((0, 48, 48), np.uint8),
            shares=shares,
        ),
    )
    yield Done(task, ChunkDone(()))


def _sources(folders: int, photos: int) -> Sequence[Source]:
    each = photos // folders
    return [
        Source(
            Kind.PHOTOS,
            f"folder{folder}",
            FolderFiles(Path(f"/photos/folder{folder}"), [f"photo{number}.jpg" for number in range(each)]),
            f"folder{folder}",
        )
        for folder in range(folders)
    ]


def _memory() -> float:
    """The most that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    """Measure and print."""
    print(f"without photos: {_memory():.0f} MB")
    for photos in (10_000, 100_000, 1_000_000):
        listed = _sources(1000, photos)
        print(f"{sum(len(source.files) for source in listed):,} photos listed: at most {_memory():.0f} MB so far")
        del listed
    vars(executors)["make"] = lambda *_: AtOnce()
    for folders in FOLDERS:
        sources = _sources(folders, CHUNKS * PHOTOS_PER_CHUNK)
        with tempfile.TemporaryDirectory() as folder:
            scheduler = Scheduler(Options(), Checkpoints(Path(folder)), NullProgress())
            began, computed = perf_counter(), process_time()
            for _ in scheduler.records(sources):
                pass
            seconds, computing = perf_counter() - began, process_time() - computed
        chunks = scheduler.counts["chunks_scanned"]
        print(
            f"{chunks:,} chunks of {folders:,} folders, {WORKERS} workers: {1000 * seconds / chunks:.2f} ms a chunk, "
            f"of them {1000 * computing / chunks:.2f} ms of a core; at most {_memory():.0f} MB so far"
        )


if __name__ == "__main__":
    main()
