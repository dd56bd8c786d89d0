"""Tasks done here and now, one after the other."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from fer_batch.errors import FerBatchError, TaskFailed
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part, Work, Worker


class InProcess:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`. What crashes a task crashes the run."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, face_series: TracebackType | None
    ) -> None:
        """Nothing is left to stop."""

    def run(self, draw: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``draw`` gives."""
        worker: Worker | None = None
        while (task := draw()) is not None:
            worker = worker or self._work()
            yield from _perform(worker, task)


def _perform(worker: Worker, task: Any) -> Iterator[Event]:
    looked: list[int] = []
    parts = worker.perform(task, looked.append)
    while True:
        try:
            value = next(parts)
        except StopIteration as end:
            event: Event = Done(task, end.value)
        except FerBatchError as error:
            event = Failed(task, error)
        except Exception as error:  # whatever a library does to one task, the others must not suffer
            event = Failed(task, TaskFailed.unexpected(error))
        else:
            event = Part(task, value)
        if frames := sum(looked):
            looked.clear()
            yield FramesScanned(task, frames)
        yield event
        if not isinstance(event, Part):
            return
