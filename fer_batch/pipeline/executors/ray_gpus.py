"""Classification on the GPUs of a Ray cluster: an actor for each, which takes all faces that wait at once."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayTaskError

from fer_batch.classifiers.base import Classifier
from fer_batch.errors import ModelError

ClassifierFactory = Callable[[], Classifier]
"""Makes a classifier on another node; must be picklable."""


class Batching:
    """What an actor does: while one batch is on the GPU, faces of other workers wait, and make up the next one."""

    def __init__(self, make_classifier: ClassifierFactory) -> None:
        self._make_classifier = make_classifier
        self._waiting: list[tuple[np.ndarray, asyncio.Future[np.ndarray]]] = []
        self._busy = asyncio.Lock()

    @cached_property
    def _classifier(self) -> Classifier:
        return self._make_classifier()

    async def runtime(self) -> str:
        """What runs the model."""
        async with self._busy:
            classifier: Classifier = await asyncio.to_thread(lambda: self._classifier)
        return classifier.runtime

    async def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares (N, 2, 7) float32 of faces (N, 48, 48) uint8."""
        answer: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self._waiting.append((faces, answer))
        async with self._busy:
            if not answer.done():
                taken, self._waiting = self._waiting, []
                await self._classify(taken)
        return await answer

    async def _classify(self, taken: "list[tuple[np.ndarray, asyncio.Future[np.ndarray]]]") -> None:
        try:
            shares = await asyncio.to_thread(self._predict, np.concatenate([faces for faces, _ in taken]))
        except Exception as error:
            for _, answer in taken:
                answer.set_exception(error)
            return
        ends = np.cumsum([len(faces) for faces, _ in taken])
        for (_, answer), part in zip(taken, np.split(shares, ends[:-1]), strict=True):
            answer.set_result(part)

    def _predict(self, faces: np.ndarray) -> np.ndarray:
        return self._classifier.predict(faces)


class OnGpus:
    """Has the actors classify, in turn. Implements :class:`fer_batch.classifiers.base.Classifier`.

    Args:
        actors: of :class:`Batching`, one or more.
    """

    def __init__(self, actors: list[Any]) -> None:
        self._actors = list(actors)

    @cached_property
    def runtime(self) -> str:
        """What runs the model on a node, and that it is one of a Ray cluster."""
        return f"{self._ask('runtime')}, in a Ray cluster"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Shares (N, 2, 7) float32 of faces (N, 48, 48) uint8.

        Raises:
            ModelError: no GPU is left, or the model cannot be loaded there.
        """
        answers: np.ndarray = self._ask("predict", faces)
        return answers

    def _ask(self, method: str, *arguments: Any) -> Any:
        while self._actors:
            actor = self._actors.pop(0)
            try:
                answer = ray.get(getattr(actor, method).remote(*arguments))
            except RayTaskError as error:
                raise ModelError(str(error.cause)) from error
            except RayActorError:  # its node is lost: another one is asked
                continue
            self._actors.append(actor)
            return answer
        raise ModelError("No GPU of the Ray cluster can be reached any more. Run the same command again: it goes on.")


def on_gpus(make_classifier: ClassifierFactory) -> OnGpus | None:
    """Starts an actor on every GPU that is free in the cluster; None: there is no such GPU."""
    free = int(ray.available_resources().get("GPU", 0))
    remote = ray.remote(num_cpus=0, num_gpus=1, max_restarts=0, max_concurrency=1000)(Batching)
    return OnGpus([remote.remote(make_classifier) for _ in range(free)]) if free else None
