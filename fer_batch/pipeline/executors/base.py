"""What an executor is, and what it tells.

An executor draws tasks as it has hands for them and tells what becomes of each, in any order. Its worker is whatever a
:class:`Work` makes, once in every process.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from fer_batch.errors import FerBatchError


class Worker(Protocol):
    """Does one task after another."""

    def perform(self, task: Any, alive: Callable[[int], object]) -> Generator[Any, None, Any]:
        """Do a task: hand over its parts one by one, and return its result.

        ``alive`` is called at least every few seconds, with how many more frames have been looked at. Whatever is
        raised costs only this task.
        """


Work = Callable[[], Worker]
"""Makes a worker; for other processes it must be picklable."""


@dataclass(frozen=True)
class FramesScanned:
    """So many more frames of a task have been looked at."""

    task: Any
    frames: int


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
    """A task begins anew, because the process that was doing it died: its parts so far are void."""

    task: Any


@dataclass(frozen=True)
class Failed:
    """A task cannot be done."""

    task: Any
    error: FerBatchError


Event = FramesScanned | Part | Done | Retried | Failed


class Executor(Protocol):
    """Does tasks. To be used in a ``with`` block, at whose end nothing of it is left, however the block ends."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, face_series: TracebackType | None
    ) -> None:
        """Stop everything at once."""

    def run(self, draw: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``draw`` gives, until it gives None and none is being done.

        It is asked again after every event, as long as there are hands free: an event may lead to further tasks.

        Raises:
            FerBatchError: no worker can be made.
        """
