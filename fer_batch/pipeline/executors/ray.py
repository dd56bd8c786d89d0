"""Tasks done by a Ray cluster: one actor a core, each with one task at a time. A death costs a task one retry.

An actor hands its events over as a stream that Ray holds back while nobody reads it (`Ray generators
<https://docs.ray.io/en/latest/ray-core/ray-generator.html>`_): they do not pile up. All nodes must see the media under
the same paths, and have the same version of fer-batch.
"""

import gc
import logging
import os
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fer_batch._version import __version__
from fer_batch.errors import DetectorError, FerBatchError, TaskFailed, UsageError
from fer_batch.pipeline.executors.base import Done, Event, Failed, Retried, Waiting, WorkerFactory
from fer_batch.pipeline.executors.processes import HANG_SECONDS, MAX_FAILED_STARTS, TRIES
from fer_batch.pipeline.executors.serving import REPORT_SECONDS, bound_memory, events

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry; Ray reads this when it is imported

try:
    import ray
    from ray.exceptions import RayError
except ImportError as missing:
    raise UsageError("--engine ray needs Ray. Install it: pip install 'fer-batch[ray]'.") from missing

if TYPE_CHECKING:
    from fer_batch.pipeline.executors.ray_gpus import ClassifierFactory, OnGpus

EVENTS_AHEAD = 8
"""Events that an actor may be ahead of this process."""

LOOK_AGAIN_SECONDS = 5.0
"""How often to look how many cores the cluster has: nodes come and go."""

CLOSE_SECONDS = 5.0
"""How long to wait for actors to remove their copies of remote files."""

TELL_SECONDS = 60.0
"""After how long without any actor to say so. An actor needs some seconds to start."""

CONNECT_SECONDS = 10.0
"""How long to wait for a cluster to answer."""


class _Server:
    """What an actor does: one task after another."""

    def __init__(self, make_worker: WorkerFactory, on_gpus: "OnGpus | None") -> None:
        self._make_worker = make_worker if on_gpus is None else partial(make_worker, on_gpus)

    def start(self) -> tuple[str, str, FerBatchError | None]:
        """Make the worker; returns the version of fer-batch, the node, and why no worker can be made."""
        bound_memory()
        node = ray.get_runtime_context().get_node_id()
        try:
            self._worker = self._make_worker()
        except FerBatchError as error:
            return __version__, node, error
        gc.freeze()  # as in processes.py
        return __version__, node, None

    def perform(self, task: Any) -> Iterator[Event]:
        """Do a task; its events do not name it."""
        yield from events(self._worker.perform(task))
        gc.collect()

    def end(self) -> None:
        """The last task is done: what the worker holds on this machine goes with it."""
        del self._worker


@dataclass
class _Attempt:
    """A task, and where it died."""

    task: Any
    deaths: list[str] = field(default_factory=list)
    """The node of each."""


@dataclass(eq=False)
class _Member:
    """An actor and what it is doing."""

    actor: Any
    stream: Any
    """What it will say next: that it is ready, or the events of its task."""
    node: str | None = None
    """Where it is; None: it is not ready."""
    silent: float = 0.0
    """Seconds without an event, while this process was listening."""
    job: _Attempt | None = None


class Ray:
    """Implements :class:`fer_batch.pipeline.executors.base.Executor`.

    Args:
        make_worker: called once in every actor; with a classifier, if that is on GPUs of the cluster.
        workers: the greatest number of actors; None: one for each core of the cluster.
        address: of a cluster that is there, ``HOST:PORT`` or ``auto``; None: one is started on this machine.
        cores: of the cluster that is started.
        make_classifier: called once on every GPU of the cluster; None: GPUs are not used.
        hang_seconds: seconds without an event after which an actor is killed.
    """

    def __init__(
        self,
        make_worker: WorkerFactory,
        workers: int | None,
        address: str | None,
        cores: int,
        make_classifier: "ClassifierFactory | None" = None,
        hang_seconds: float = HANG_SECONDS,
    ) -> None:
        self._make_worker = make_worker
        self._workers = workers
        self._address = address
        self._cores = cores
        self._make_classifier = make_classifier
        self._on_gpus: OnGpus | None = None
        self._hang_seconds = hang_seconds
        self._members: list[_Member] = []
        self._queue: deque[_Attempt] = deque()
        self._failed_starts = 0
        self._most = 1
        self._looked: float | None = None
        self._begun = self._joined = False
        self._without_actors = 0.0

    def __enter__(self) -> Self:
        """Begin; actors are started when there are tasks."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Kill every actor, and leave the cluster; one that was started here ends."""
        if self._begun:
            free = [member.actor for member in self._members if member.node is not None and member.job is None]
            if free:
                ray.wait([actor.end.remote() for actor in free], num_returns=len(free), timeout=CLOSE_SECONDS)
            for member in self._members:
                ray.kill(member.actor)
            self._members.clear()
            self._on_gpus = None  # its actors end with the last one who knows them
        if self._joined:
            ray.shutdown()

    def run(self, next_task: Callable[[], Any]) -> Iterator[Event]:
        """Do the tasks that ``next_task`` gives."""
        while True:
            self._hand_out(next_task)
            if not self._queue and not any(member.job for member in self._members):
                return
            waiting = {member.stream: member for member in self._members if member.stream is not None}
            began = monotonic()
            ray.wait(list(waiting), timeout=REPORT_SECONDS)
            # Not the real time: while this process is stopped, or the machine asleep, it does not listen.
            listened = min(monotonic() - began, REPORT_SECONDS)
            ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
            for stream in ready:
                yield from self._receive(waiting.pop(stream))
            yield from self._tell_of_waiting(listened)
            for member in waiting.values():
                member.silent += listened
                if member.job is not None and member.silent > self._hang_seconds:
                    yield from self._remove(member, f"did not respond for {self._hang_seconds:g} s and was stopped")

    def _tell_of_waiting(self, listened: float) -> Iterator[Event]:
        """Say it once whenever no actor has been ready for long: Ray itself waits silently for a free core."""
        if any(member.node is not None for member in self._members):
            self._without_actors = 0.0
            return
        before, self._without_actors = self._without_actors, self._without_actors + listened
        if before < TELL_SECONDS <= self._without_actors:
            yield Waiting(
                f"no worker could start in the Ray cluster for {TELL_SECONDS:g} s: its cores may all be in use (`ray "
                "status` tells). The run goes on as soon as one is free; Ctrl-C ends it, and nothing is lost."
            )

    def _begin(self) -> None:
        """Join the cluster, or start one; a program that is in one already stays there."""
        if not ray.is_initialized():
            logging.getLogger("ray").setLevel(logging.ERROR)
            own: dict[str, Any] = {}
            if self._address is None:
                own = {"num_cpus": self._workers or self._cores, "include_dashboard": False}
            try:
                if self._address is not None and ":" in self._address:  # Ray itself would try for minutes
                    host, _, port = self._address.rpartition(":")
                    socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
                ray.init(address=self._address or "local", log_to_driver=False, configure_logging=False, **own)
            except (OSError, RuntimeError, ValueError) as error:
                where = self._address or "on this machine"
                raise UsageError(f"The Ray cluster {where} cannot be used: {_first_line(error)}") from error
            self._joined = True
        if self._make_classifier is not None:
            from fer_batch.pipeline.executors.ray_gpus import on_gpus

            self._on_gpus = on_gpus(self._make_classifier)
        self._begun = True

    def _hand_out(self, next_task: Callable[[], Any]) -> None:
        """Give every free actor a task, and start actors as long as there are tasks for them."""
        if self._begun and (self._looked is None or monotonic() - self._looked > LOOK_AGAIN_SECONDS):
            cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._most, self._looked = min(cores, self._workers or cores), monotonic()
        busy = sum(member.job is not None for member in self._members)
        while len(self._queue) < self._most - busy and (task := next_task()) is not None:
            self._queue.append(_Attempt(task))
        if self._queue and not self._begun:
            self._begin()
            self._hand_out(next_task)
            return
        while len(self._queue) > len(self._members) - busy and len(self._members) < self._most:
            # No restarts by Ray: which parts of a task are to be discarded is known here.
            actor = ray.remote(num_cpus=1, max_restarts=0)(_Server).remote(self._make_worker, self._on_gpus)
            self._members.append(_Member(actor, actor.start.remote()))
        for member in self._members:
            if self._queue and member.node is not None and member.job is None:
                member.job, member.silent = self._queue.popleft(), 0.0
                perform = member.actor.perform.options(
                    num_returns="streaming", _generator_backpressure_num_objects=EVENTS_AHEAD
                )
                member.stream = perform.remote(member.job.task)

    def _receive(self, member: _Member) -> Iterator[Event]:
        """Take what an actor has said; take the actor out if it is dead."""
        member.silent = 0.0
        try:
            said = ray.get(member.stream if member.job is None else next(member.stream))
        except (RayError, StopIteration) as error:
            yield from self._remove(member, f"died ({_first_line(error)})")
            return
        if member.job is None:
            self._welcome(member, *said)
            return
        task = member.job.task
        if isinstance(said, Done | Failed):
            member.job = member.stream = None
        yield replace(said, task=task)

    def _welcome(self, member: _Member, version: str, node: str, error: FerBatchError | None) -> None:
        """An actor is ready; or the run ends.

        Raises:
            FerBatchError: it cannot work.
        """
        if version != __version__:
            raise DetectorError(f"A node of the Ray cluster has fer-batch {version}, this machine {__version__}.")
        if error is not None:
            raise error
        member.node, member.stream, self._failed_starts = node, None, 0

    def _remove(self, member: _Member, how: str) -> Iterator[Event]:
        """Take an actor out; its task is tried again by another one, or given up."""
        ray.kill(member.actor)
        self._members.remove(member)
        if member.node is None:
            self._failed_starts += 1
            if self._failed_starts == MAX_FAILED_STARTS:
                raise DetectorError(
                    f"The Ray actors that scan the media cannot be started: the last one {how}. Is fer-batch "
                    f"{__version__} installed on every node, in the same place?"
                )
        if member.job is None or member.node is None:
            return
        member.job.deaths.append(member.node)
        if self._deaths(member.job) < TRIES:
            self._queue.appendleft(member.job)
            yield Retried(member.job.task)
        else:
            yield Failed(
                member.job.task,
                TaskFailed(f"The process that scanned it {how}; it was the second one that did not come to an end."),
            )

    def _deaths(self, job: _Attempt) -> int:
        """How often a task died without its node: that a machine is lost is no fault of the task."""
        alive = Counter({node["NodeID"]: 1 for node in ray.nodes() if node["Alive"]})
        return sum(alive[node] for node in job.deaths)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
