"""Executors: who does the tasks. One protocol; in this process, or in a pool of others."""

import os

from fer_batch.pipeline.executors import limits
from fer_batch.pipeline.executors.base import Executor, WorkerFactory


def make(make_worker: WorkerFactory, workers: int | None) -> Executor:
    """An executor with so many processes, by default :func:`cores`.

    With 0 it is this process that works, which is good for finding mistakes.
    """
    if workers == 0:
        from fer_batch.pipeline.executors.in_process import InProcess

        return InProcess(make_worker)
    from fer_batch.pipeline.executors.processes import Processes

    return Processes(make_worker, workers or cores())


def cores() -> int:
    """How many workers this process may have at once: by its cores, and by the limits of its container or job."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return limits.workers(cores)
