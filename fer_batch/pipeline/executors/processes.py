"""Tasks done by a pool of processes, each a task at a time: a crash or a hang costs one task one retry.

Messages come through one pipe a process, read only while the run asks for events: a process that is ahead of its reader
waits, so that nothing piles up. Pools that others have written hold results back until a task has ended; here a long
task hands over what it has, and shows that it is alive.
"""

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from threading import Thread
from time import monotonic
from types import ModuleType, TracebackType
from typing import Any, Self

from fer_batch.errors import DetectorError, FerBatchError, TaskFailed
from fer_batch.pipeline.executors.base import Done, Event, Failed, FramesScanned, Part, Retried, WorkerFactory

HANG_SECONDS = 120.0
"""A process that shows no sign of life for so long, while it has a task, is taken for hanging."""

SIGN_SECONDS = 0.2
"""Signs of life come at most so often."""

MOST_MEMORY = 2**32
"""Bytes a process may take: a damaged header may ask for any number, and one at 1080p needs a tenth of this."""

TRIES = 2
"""How often a task is begun."""

FALSE_STARTS = 3
"""So many processes in a row that die before they are ready end the run."""


@dataclass(frozen=True)
class _Ready:
    """The worker is made."""


@dataclass(frozen=True)
class _Unfit:
    """The worker cannot be made."""

    error: FerBatchError


@dataclass
class _Attempt:
    """A task, and how often it has been begun."""

    task: Any
    tries: int = 0


@dataclass(eq=False)
class _Process:
    """A process and what it is doing."""

    process: SpawnProcess
    connection: "Connection[Any, Any]"
    ready: bool = False
    silent: float = 0.0
    """Seconds without a message in which the pool was listening."""
    job: _Attempt | None = None


class Processes:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`.

    Args:
        make_worker: called once in every process.
        workers: how many processes, at most; no more are started than there are tasks.
        hang_seconds: without a sign of life, after which a process is killed.
    """

    def __init__(self, make_worker: WorkerFactory, workers: int, hang_seconds: float = HANG_SECONDS) -> None:
        self._make_worker = make_worker
        self._workers = workers
        self._hang_seconds = hang_seconds
        self._pool: list[_Process] = []
        self._queue: deque[_Attempt] = deque()
        self._false_starts = 0

    def __enter__(self) -> Self:
        """Begin; processes are started when there is something to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Kill every process: what they have not handed over is lost, and nothing else."""
        for one in self._pool:
            one.process.kill()
        for one in self._pool:
            one.process.join()
            one.connection.close()
        self._pool.clear()

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives."""
        while True:
            self._hand_out(next_task)
            if not self._queue and not any(one.job for one in self._pool):
                return
            began = monotonic()
            wait([*(one.connection for one in self._pool), *(one.process.sentinel for one in self._pool)], SIGN_SECONDS)
            # No longer than it was meant to be: who was stopped, or asleep, did not listen.
            listened = min(monotonic() - began, SIGN_SECONDS)
            for one in tuple(self._pool):
                one.silent += listened
                yield from self._hear(one)

    def _hand_out(self, next_task: Callable[[], Any]) -> None:
        """Give every process that has none a task, and start processes as long as there are tasks for them."""
        busy = sum(one.job is not None for one in self._pool)
        while len(self._queue) < self._workers - busy and (task := next_task()) is not None:
            self._queue.append(_Attempt(task))
        while len(self._queue) > len(self._pool) - busy and len(self._pool) < self._workers:
            self._pool.append(_start(self._make_worker))
        for one in self._pool:
            if self._queue and one.ready and one.job is None:
                with suppress(OSError):  # it died idle, which will be noticed
                    one.connection.send(self._queue[0].task)
                    one.job, one.silent = self._queue.popleft(), 0.0
                    one.job.tries += 1

    def _hear(self, one: _Process) -> Iterator[Event]:
        """Take one message of a process, or bury it if it is dead or hangs."""
        try:
            message = one.connection.recv() if one.connection.poll() else None
        except (EOFError, OSError):
            yield from self._bury(one)
            return
        if message is None:
            if (one.job or not one.ready) and one.silent > self._hang_seconds:
                one.process.kill()
                yield from self._bury(one, f"showed no sign of life for {self._hang_seconds:g} s and was stopped")
            return
        one.silent = 0.0
        if isinstance(message, _Unfit):
            raise message.error
        if isinstance(message, _Ready):
            one.ready, self._false_starts = True, 0
        elif one.job is not None:
            task = one.job.task
            if isinstance(message, Done | Failed):
                one.job = None
            yield replace(message, task=task)

    def _bury(self, one: _Process, how: str | None = None) -> Iterator[Event]:
        """Take a dead process out of the pool; its task is begun again, in another, or given up."""
        one.process.join()
        one.connection.close()
        self._pool.remove(one)
        how = how or _death(one.process.exitcode)
        if not one.ready:
            self._false_starts += 1
            if self._false_starts == FALSE_STARTS:
                raise DetectorError(f"The processes that look at the media cannot be started: the last one {how}.")
        elif one.job is not None and one.job.tries < TRIES:
            self._queue.appendleft(one.job)
            yield Retried(one.job.task)
        elif one.job is not None:
            yield Failed(
                one.job.task,
                TaskFailed(f"The process that looked at it {how}; it was the second one that did not come to an end."),
            )


def _death(code: int | None) -> str:
    """How a process ended, for people."""
    if code is not None and code < 0:
        known = {one.value: one.name for one in signal.Signals}
        return f"was killed by {known.get(-code, f'signal {-code}')}"
    return f"ended by itself (exit code {code})"


def _start(make_worker: WorkerFactory) -> _Process:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make_worker), daemon=True)
    with _nameless_main(), _interrupts_held_back():
        process.start()
    theirs.close()
    return _Process(process, ours)


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Keep multiprocessing from running the user's script again in every process; we need nothing of it there."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """What is started here never hears of an interrupt: that is the main process's business."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # else multiprocessing starts it in between, and lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: "Connection[Any, Any]", make_worker: WorkerFactory) -> None:
    """What a process does: one task after another, until the pool or the whole program is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be blocked
    bound_memory()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = make_worker()
    except FerBatchError as error:
        connection.send(_Unfit(error))
        return
    connection.send(_Ready())
    gc.freeze()  # what is here now stays, and need not be searched for garbage again and again
    with suppress(EOFError):  # the pool is gone
        while True:
            sign = _SignOfLife(connection)
            values = worker.perform(connection.recv())
            event = _next_event(values)
            while not isinstance(event, Done | Failed):
                if isinstance(event, FramesScanned):
                    sign.add(event.frames)
                else:
                    connection.send(event)
                event = _next_event(values)
            sign.send()
            connection.send(event)
            gc.collect()  # a PyAV frame and its side data refer to each other: Python would wait until there are many


def _next_event(values: Iterator[Any]) -> Event:
    """What a task yields next, as an event; the pool knows the task."""
    try:
        value = next(values)
    except StopIteration as end:
        return Done(None, end.value)
    except FerBatchError as error:
        return Failed(None, error)
    except MemoryError:
        limit = MOST_MEMORY >> 30
        return Failed(None, TaskFailed(f"It asks for more than the {limit} GiB of memory that a process may take."))
    except Exception as error:  # an unexpected error of a library fails this task alone
        return Failed(None, TaskFailed.unexpected(error))
    if value is None:
        return FramesScanned(0)
    return value if isinstance(value, FramesScanned) else Part(None, value)


class _SignOfLife:
    """Tells the pool how many frames were scanned, but not too often."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._frames = 0
        self._sent = 0.0

    def add(self, frames: int) -> None:
        """Count the frames, and tell the pool if the last message is old enough."""
        self._frames += frames
        if monotonic() - self._sent >= SIGN_SECONDS:
            self.send()

    def send(self) -> None:
        """Tell the pool of the frames that have been counted."""
        self._connection.send(FramesScanned(self._frames))
        self._frames, self._sent = 0, monotonic()


def bound_memory() -> None:
    """Let this process have ``MOST_MEMORY`` and no more, where the system can; what asks for more fails."""
    with suppress(ImportError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _end_with_parent() -> None:
    """A run that is killed must not leave processes that go on working."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
