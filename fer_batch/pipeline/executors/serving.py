"""What goes on in another process that does tasks: its events, few enough to be sent, and a bound on its memory."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

from fer_batch.errors import FerBatchError, TaskFailed
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part

REPORT_SECONDS = 0.2
"""Shortest time between two events that only count frames."""

MAX_MEMORY_BYTES = 2**32
"""Bytes of memory that a process may take: a damaged header may ask for any number; 1080p needs a tenth of this."""


def events(values: Iterator[Any]) -> Iterator[Event]:
    """What a task yields, as events that do not name it; the last one is :class:`Done` or :class:`Failed`."""
    frames, told = 0, 0.0
    while True:
        event = _next_event(values)
        last = isinstance(event, Done | Failed)
        if isinstance(event, FramesScanned):
            frames += event.frames
            if monotonic() - told < REPORT_SECONDS:
                continue
        if last or isinstance(event, FramesScanned):
            yield FramesScanned(frames)
            frames, told = 0, monotonic()
        if not isinstance(event, FramesScanned):
            yield event
        if last:
            return


def _next_event(values: Iterator[Any]) -> Event:
    try:
        value = next(values)
    except StopIteration as end:
        return Done(None, end.value)
    except FerBatchError as error:
        return Failed(None, error)
    except MemoryError:
        limit = MAX_MEMORY_BYTES >> 30
        return Failed(None, TaskFailed(f"It asks for more than the {limit} GiB of memory that a process may take."))
    except Exception as error:  # an unexpected error of a library fails this task alone
        return Failed(None, TaskFailed.unexpected(error))
    if value is None:
        return FramesScanned(0)
    return value if isinstance(value, FramesScanned) else Part(None, value)


def bound_memory() -> None:
    """Limit the memory of this process to ``MAX_MEMORY_BYTES``, where the system can; whatever asks for more fails."""
    with suppress(ImportError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
