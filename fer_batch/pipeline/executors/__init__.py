"""Executors: who does the tasks. One protocol; in this process, in a pool of others, or in a Ray cluster."""

import os
from collections.abc import Callable

from fer_batch.classifiers.base import Classifier
from fer_batch.options import PROCESSES
from fer_batch.pipeline.executors import limits
from fer_batch.pipeline.executors.base import Executor, WorkerFactory


def make(
    make_worker: WorkerFactory,
    workers: int | None,
    engine: str = PROCESSES,
    ray_address: str | None = None,
    make_classifier: Callable[[], Classifier] | None = None,
) -> Executor:
    """An executor with so many processes, by default :func:`cores`, or as many as a Ray cluster has.

    With 0 it is this process that works, which is good for finding mistakes. ``make_classifier`` makes a classifier on
    each GPU of a Ray cluster; None: its GPUs are not used.

    Raises:
        UsageError: the engine is not installed.
    """
    if workers == 0:
        from fer_batch.pipeline.executors.in_process import InProcess

        return InProcess(make_worker)
    if engine != PROCESSES:
        from fer_batch.pipeline.executors.ray import Ray

        return Ray(make_worker, workers, ray_address, cores(), make_classifier)
    from fer_batch.pipeline.executors.processes import Processes

    return Processes(make_worker, workers or cores())


def cores() -> int:
    """How many workers this process may have at once: by its cores, and by the limits of its container or job."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return limits.workers(cores)
