"""Tasks done by a pool of processes, each with one task at a time: a crash or a hang costs one task one retry.

Each process sends its messages through a pipe of its own, which is read only while the run asks for events: a process
that is faster than its reader waits, so that messages do not pile up. The pools of the standard library hold a result
back until its task has ended; here a long task hands over its parts, and shows that it is not hanging.
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
from fer_batch.pipeline.executors.base import Done, Event, Failed, Retried, WorkerFactory
from fer_batch.pipeline.executors.serving import REPORT_SECONDS, bound_memory, events

HANG_SECONDS = 120.0
"""A process that has a task and sends no message for so long is taken to hang, and is killed."""

TRIES = 2
"""How often a task is tried."""

MAX_FAILED_STARTS = 3
"""If so many processes in a row die before they are ready, the run ends."""


@dataclass(frozen=True)
class _Ready:
    """A worker has been made."""


@dataclass(frozen=True)
class _Unfit:
    """A worker cannot be made."""

    error: FerBatchError


@dataclass
class _Attempt:
    """A task, and how often it has been tried."""

    task: Any
    tries: int = 0


@dataclass(eq=False)
class _Process:
    """A process and what it is doing."""

    process: SpawnProcess
    connection: "Connection[Any, Any]"
    ready: bool = False
    silent: float = 0.0
    """Seconds without a message, while the pool was listening."""
    job: _Attempt | None = None


class Processes:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`.

    Args:
        make_worker: called once in every process.
        workers: the greatest number of processes; no more are started than there are tasks.
        hang_seconds: seconds without a message after which a process is killed.
    """

    def __init__(self, make_worker: WorkerFactory, workers: int, hang_seconds: float = HANG_SECONDS) -> None:
        self._make_worker = make_worker
        self._workers = workers
        self._hang_seconds = hang_seconds
        self._pool: list[_Process] = []
        self._queue: deque[_Attempt] = deque()
        self._failed_starts = 0

    def __enter__(self) -> Self:
        """Begin; processes are started when there are tasks."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Kill every process; only what they have not handed over is lost."""
        for member in self._pool:
            member.process.kill()
        for member in self._pool:
            member.process.join()
            member.connection.close()
        self._pool.clear()

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives."""
        while True:
            self._hand_out(next_task)
            if not self._queue and not any(member.job for member in self._pool):
                return
            began = monotonic()
            wait(
                [*(member.connection for member in self._pool), *(member.process.sentinel for member in self._pool)],
                REPORT_SECONDS,
            )
            # Not the real time: while this process is stopped, or the machine asleep, it does not listen.
            listened = min(monotonic() - began, REPORT_SECONDS)
            for member in tuple(self._pool):
                member.silent += listened
                yield from self._receive(member)

    def _hand_out(self, next_task: Callable[[], Any]) -> None:
        """Give every free process a task, and start processes as long as there are tasks for them."""
        busy = sum(member.job is not None for member in self._pool)
        while len(self._queue) < self._workers - busy and (task := next_task()) is not None:
            self._queue.append(_Attempt(task))
        while len(self._queue) > len(self._pool) - busy and len(self._pool) < self._workers:
            self._pool.append(_start(self._make_worker))
        for member in self._pool:
            if self._queue and member.ready and member.job is None:
                with suppress(OSError):  # it died while idle; noticed when its pipe is read
                    member.connection.send(self._queue[0].task)
                    member.job, member.silent = self._queue.popleft(), 0.0
                    member.job.tries += 1

    def _receive(self, member: _Process) -> Iterator[Event]:
        """Take one message of a process; take it out of the pool if it is dead or hangs."""
        try:
            message = member.connection.recv() if member.connection.poll() else None
        except (EOFError, OSError):
            yield from self._remove(member)
            return
        if message is None:
            if (member.job or not member.ready) and member.silent > self._hang_seconds:
                member.process.kill()
                yield from self._remove(member, f"did not respond for {self._hang_seconds:g} s and was stopped")
            return
        member.silent = 0.0
        if isinstance(message, _Unfit):
            raise message.error
        if isinstance(message, _Ready):
            member.ready, self._failed_starts = True, 0
        elif member.job is not None:
            task = member.job.task
            if isinstance(message, Done | Failed):
                member.job = None
            yield replace(message, task=task)

    def _remove(self, member: _Process, how: str | None = None) -> Iterator[Event]:
        """Take a dead process out of the pool; its task is tried again in another one, or given up."""
        member.process.join()
        member.connection.close()
        self._pool.remove(member)
        how = how or _death(member.process.exitcode)
        if not member.ready:
            self._failed_starts += 1
            if self._failed_starts == MAX_FAILED_STARTS:
                raise DetectorError(f"The processes that scan the media cannot be started: the last one {how}.")
        elif member.job is not None and member.job.tries < TRIES:
            self._queue.appendleft(member.job)
            yield Retried(member.job.task)
        elif member.job is not None:
            yield Failed(
                member.job.task,
                TaskFailed(f"The process that scanned it {how}; it was the second one that did not come to an end."),
            )


def _death(code: int | None) -> str:
    """How a process ended, in words."""
    if code is not None and code < 0:
        known = {one.value: one.name for one in signal.Signals}
        return f"was killed by {known.get(-code, f'signal {-code}')}"
    return f"ended by itself (exit code {code})"


def _start(make_worker: WorkerFactory) -> _Process:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make_worker), daemon=True)
    with _hidden_main(), _blocked_interrupts():
        process.start()
    theirs.close()
    return _Process(process, ours)


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep multiprocessing from running the user's script again in every process, where nothing of it is needed."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Processes that are started here ignore Ctrl-C: the main process handles it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # otherwise multiprocessing starts it in between, and unblocks interrupts
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
            for event in events(worker.perform(connection.recv())):
                connection.send(event)
            gc.collect()  # a PyAV frame and its side data refer to each other: Python would wait until there are many


def _end_with_parent() -> None:
    """End this process when its parent is gone: a run that is killed must not leave processes behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
