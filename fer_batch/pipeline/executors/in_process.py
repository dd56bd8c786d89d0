"""Tasks done in this process, one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from fer_batch.errors import FerBatchError, TaskFailed
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part, Worker, WorkerFactory


class InProcess:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`. What crashes a task crashes the run."""

    def __init__(self, make_worker: WorkerFactory) -> None:
        self._make_worker = make_worker

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to stop."""

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives."""
        worker: Worker | None = None
        while (task := next_task()) is not None:
            worker = worker or self._make_worker()
            yield from _perform(worker, task)


def _perform(worker: Worker, task: Any) -> Iterator[Event]:
    values = worker.perform(task)
    while True:
        try:
            value = next(values)
        except StopIteration as end:
            yield Done(task, end.value)
            return
        except FerBatchError as error:
            yield Failed(task, error)
            return
        except Exception as error:  # an unexpected error of a library fails this task alone
            yield Failed(task, TaskFailed.unexpected(error))
            return
        if isinstance(value, FramesScanned):
            yield replace(value, task=task)
        elif value is not None:
            yield Part(task, value)
