"""Runs on a Ray cluster of three nodes: the bytes of a run on one machine, whatever dies."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_batch.errors import DetectorError, TaskFailed, UsageError
from fer_batch.pipeline.executors.base import Done, Event, Failed, Part, Retried, Waiting
from tests.helpers import media, odd_workers
from tests.helpers.odd_workers import Break, Count, Die, Flood, Hang, Toil
from tests.helpers.runs import chunks, finish, start, tables, wait_for_chunks

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Ray's own

if find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)


def ray(*arguments: Any, **more: Any) -> Any:
    """The executor. Ray is loaded for these tests alone, and not into the processes of all others."""
    from fer_batch.pipeline.executors.ray import Ray

    return Ray(*arguments, **more)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> Path:
    """30 short videos and 300 photos, each of a face in another place or light."""
    folder = tmp_path_factory.mktemp("inputs") / "study"
    face = cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (160, 120))
    for number in range(30):
        (folder / f"p{number}").mkdir(parents=True)
        images = [np.roll(face, number + step, axis=1) for step in range(12)]
        media.write_video(folder / f"p{number}" / "film.mp4", range(0, 12 * 80, 80), images)
    for number in range(300):
        (folder / f"photos{number % 3}").mkdir(exist_ok=True)
        media.write_photo(folder / f"photos{number % 3}" / f"{number}.png", face // 2 + number // 3)
    return folder


@pytest.fixture(scope="module")
def on_one_machine(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "out"
    finish(inputs, out)
    return out


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head and two more nodes, of one core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


def on(cluster: Any) -> list[str]:
    return ["--engine", "ray", "--ray-address", cluster.address, "--workers", "3"]


def drawing(tasks: Iterable[Any]) -> Callable[[], Any]:
    ahead = iter(tasks)
    return lambda: next(ahead, None)


def of(events: Iterable[Event], task: Any) -> list[Event]:
    return [event for event in events if event.task == task and isinstance(event, Part | Done | Failed | Retried)]


def test_a_node_and_the_driver_are_killed_and_nothing_is_done_twice(
    inputs: Path, on_one_machine: Path, tmp_path: Path, cluster: Any
) -> None:
    out = tmp_path / "out"
    with start(inputs, out, *on(cluster)) as run:
        wait_for_chunks(run, out, 2)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        wait_for_chunks(run, out, 4)
        run.kill()
    done = chunks(out)
    assert 4 <= len(done) < len(chunks(on_one_machine))
    cluster.add_node(num_cpus=1)
    finish(inputs, out, *on(cluster))
    assert tables(out) == tables(on_one_machine)
    assert chunks(out).keys() == chunks(on_one_machine).keys()
    assert done == {name: chunks(out)[name] for name in done}  # none was done twice


def test_a_node_that_is_killed_costs_only_time_and_the_bytes_are_those_of_one_machine(
    inputs: Path, on_one_machine: Path, tmp_path: Path, cluster: Any
) -> None:
    out = tmp_path / "out"
    with start(inputs, out, *on(cluster)) as run:
        wait_for_chunks(run, out, 2)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        said, complained = run.communicate(timeout=300)
    assert run.returncode == 0, complained
    assert said.splitlines()[-1] == str(out / "index.html")
    assert tables(out) == tables(on_one_machine)


def test_gpus_of_other_nodes_classify_and_one_may_be_lost(inputs: Path, tmp_path: Path, cluster: Any) -> None:
    """TensorFlow computes on the CPU here; the nodes only say that they have a GPU, which is what Ray goes by."""
    some = inputs / "photos0"
    finish(some, tmp_path / "local", "--runtime", "tensorflow")
    out = tmp_path / "out"
    with_gpu = [cluster.add_node(num_cpus=0, num_gpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    with start(some, out, *on(cluster), "--runtime", "tensorflow") as run:
        wait_for_chunks(run, out, 1)
        cluster.remove_node(with_gpu[0], allow_graceful=False)
        _, complained = run.communicate(timeout=300)
    assert run.returncode == 0, complained
    assert tables(out) == tables(tmp_path / "local")
    assert "in a Ray cluster" in json.loads((out / "run.json").read_text())["model"]["runtime"]
    cluster.remove_node(with_gpu[1])
    finish(some, tmp_path / "none", *on(cluster), "--runtime", "tensorflow")
    assert tables(tmp_path / "none") == tables(tmp_path / "local")


def test_faces_that_come_while_others_are_classified_are_one_batch() -> None:
    from fer_batch.pipeline.executors.ray_gpus import Batching

    batches: list[int] = []
    begun, wanted = threading.Event(), threading.Event()

    class Slow:
        runtime = "slow"

        def predict(self, faces: np.ndarray) -> np.ndarray:
            if len(faces) == 7:
                raise ValueError("seven")
            batches.append(len(faces))
            begun.set()
            assert wanted.wait(60)
            return faces[:, :2, :7].astype(np.float32)

    async def ask() -> list[np.ndarray]:
        actor = Batching(Slow)
        first = asyncio.create_task(actor.predict(faces[:3]))
        assert await asyncio.to_thread(begun.wait, 60)
        rest = [asyncio.create_task(actor.predict(faces[at : at + 5])) for at in range(3, 28, 5)]
        await asyncio.sleep(0)  # all of them begin to wait
        wanted.set()
        answers = await asyncio.gather(first, *rest)
        with pytest.raises(ValueError, match="seven"):
            await actor.predict(faces[:7])
        return answers

    faces = np.random.default_rng(0).integers(0, 256, (28, 48, 48), np.uint8)
    assert np.array_equal(np.concatenate(asyncio.run(ask())), faces[:, :2, :7].astype(np.float32))
    assert batches == [3, 25]


def test_from_one_machine_to_a_cluster_and_back(inputs: Path, on_one_machine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(inputs, out) as run:
        wait_for_chunks(run, out, 2)
        run.kill()
    with start(inputs, out, "--engine", "ray") as run:  # a cluster of its own
        wait_for_chunks(run, out, 5)
        run.send_signal(signal.SIGINT)
        _, complained = run.communicate(timeout=60)
        assert "run the same command again" in complained
    done = chunks(out)
    finish(inputs, out)
    assert tables(out) == tables(on_one_machine)
    assert done == {name: chunks(out)[name] for name in done}


def test_what_cannot_work_ends_the_run_with_the_reason() -> None:
    with pytest.raises(DetectorError, match="The weights are gone"), ray(odd_workers.unfit, 1, None, 1) as executor:
        list(executor.run(drawing([Count("task")])))
    with pytest.raises(UsageError, match="cannot be used"), ray(odd_workers.Worker, 1, "127.0.0.1:1", 1) as executor:
        list(executor.run(drawing([Count("task")])))


def test_a_cluster_without_a_free_core_is_told_once_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray as cluster

    from fer_batch.pipeline.executors import ray as ours

    class Somebody:
        def works(self) -> bool:
            return True

    monkeypatch.setattr(ours, "TELL_SECONDS", 2.0)
    cluster.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        other = cluster.remote(num_cpus=1)(Somebody).remote()
        assert cluster.get(other.works.remote())
        with ray(odd_workers.Worker, None, None, 1) as executor:
            events = executor.run(drawing([Count("task")]))
            told = next(events)
            assert isinstance(told, Waiting)
            assert "cores may all be in use" in told.reason
            cluster.kill(other)
            rest = list(events)
        assert isinstance(rest[-1], Done)
        assert not any(isinstance(event, Waiting) for event in rest)
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    with ray(odd_workers.Worker, 2, None, 2, hang_seconds=5) as executor:
        yield executor


def test_parts_come_in_order_and_an_error_costs_its_task_alone(pool: Any) -> None:
    tasks = [Count("a", 3), Break("broken"), Count("b", 20)]
    events = list(pool.run(drawing(tasks)))
    for task in (tasks[0], tasks[2]):
        *handed_over, end = of(events, task)
        assert handed_over == [Part(task, number) for number in range(task.parts)]
        assert isinstance(end, Done)
    assert str(of(events, tasks[1])[-1].error) == "Unexpected ZeroDivisionError: by nought"


@pytest.mark.parametrize("kind", [lambda mark: Die("die", signal.SIGKILL, mark), lambda mark: Hang("hang", mark)])
def test_a_task_whose_actor_dies_or_hangs_once_is_tried_again(pool: Any, tmp_path: Path, kind: Any) -> None:
    task = kind(tmp_path / "mark")
    events = of(pool.run(drawing([task, Count("beside")])), task)
    again = events.index(Retried(task))
    assert [event.value for event in events[again + 1 : -1]] == ([0, 1, 2] if task.name == "die" else [0, 1])
    assert isinstance(events[-1], Done)


def test_a_task_that_kills_two_actors_is_given_up(pool: Any) -> None:
    task = Die("die", signal.SIGSEGV)
    *_, last = of(pool.run(drawing([task])), task)
    assert isinstance(last, Failed)
    assert isinstance(last.error, TaskFailed)
    assert "second one that did not come to an end" in str(last.error)


def test_a_long_task_that_shows_signs_of_life_is_left_alone(pool: Any) -> None:
    assert isinstance(of(pool.run(drawing([Toil("toil", 7)])), Toil("toil", 7))[-1], Done)


def test_an_actor_waits_for_a_reader_that_does_not_read(pool: Any, tmp_path: Path) -> None:
    flood = Flood("flood", tmp_path / "number", parts=60)
    events = pool.run(drawing([flood]))
    next(event for event in events if isinstance(event, Part))
    time.sleep(1)
    from fer_batch.pipeline.executors.ray import EVENTS_AHEAD

    assert int(flood.file.read_text()) <= EVENTS_AHEAD + 2
    assert sum(isinstance(event, Part) for event in events) == flood.parts - 1


def test_nothing_is_told_to_the_makers_of_ray() -> None:
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
