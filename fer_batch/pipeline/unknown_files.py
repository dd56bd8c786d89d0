"""Has a worker find out what files are whose first bytes and suffix do not tell: they may be anything."""

from collections import deque
from collections.abc import Generator, Sequence
from pathlib import Path

from fer_batch.media.video.probe import kind_by_ffmpeg
from fer_batch.pipeline import executors
from fer_batch.pipeline.executors.base import Done
from fer_batch.types import Kind


class _Prober:
    """Implements :class:`fer_batch.pipeline.executors.base.Worker`; its tasks are files."""

    def perform(self, task: Path) -> Generator[None, None, Kind | None]:
        """What the file is."""
        yield None
        return kind_by_ffmpeg(task)


def kinds_of(paths: Sequence[Path], workers: int | None) -> dict[Path, Kind]:
    """Which of these files are photos and videos. One that crashes or hangs FFmpeg is neither."""
    waiting = deque(paths)
    with executors.make(_Prober, workers) as executor:
        events = executor.run(lambda: waiting.popleft() if waiting else None)
        return {event.task: event.result for event in events if isinstance(event, Done) and event.result is not None}
