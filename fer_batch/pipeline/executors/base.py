"""What an executor is, and the events that it yields.

An executor asks for tasks whenever it has a free worker, and yields what becomes of each, in any order. Its workers are
made by a :data:`WorkerFactory`, once in every process.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from fer_batch.errors import FerBatchError


class Worker(Protocol):
    """Does one task after another."""

    def perform(self, task: Any) -> Generator[Any, None, Any]:
        """Do a task: yield the parts of its result one by one, and return what is left of it.

        Between parts it may yield a :class:`FramesScanned`, or None, which only shows that it is not hanging. It must
        yield something every few seconds. Whatever it raises fails only this task.
        """


WorkerFactory = Callable[..., Worker]
"""Makes a worker, of nothing or of a classifier that it is to use; for other processes it must be picklable."""


@dataclass(frozen=True)
class FramesScanned:
    """So many more frames of a task have been scanned."""

    frames: int
    task: Any = None
    """Set by the executor, as in all events."""


@dataclass(frozen=True)
class Part:
    """A part of a task's result."""

    task: Any
    value: Any


@dataclass(frozen=True)
class Done:
    """A task is finished."""

    task: Any
    result: Any


@dataclass(frozen=True)
class Retried:
    """A task starts again, because the process that was doing it died: discard its parts so far."""

    task: Any


@dataclass(frozen=True)
class Failed:
    """A task cannot be done."""

    task: Any
    error: FerBatchError


@dataclass(frozen=True)
class Waiting:
    """Nothing is being done, and nothing can be until something outside changes: users should know of it."""

    reason: str
    task: None = None


Event = FramesScanned | Part | Done | Retried | Failed | Waiting


class Executor(Protocol):
    """Does tasks. To be used in a ``with`` block; when the block ends, however it ends, every process is stopped."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything at once."""

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives, until it gives None and no task is left.

        ``next_task`` is called again after every event as long as a worker is free: an event may lead to more tasks.

        Raises:
            FerBatchError: no worker can be made.
        """
