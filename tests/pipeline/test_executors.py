"""The contract of every executor, and what becomes of tasks whose process dies or hangs."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from fer_batch.errors import DetectorError, MediaError, TaskFailed
from fer_batch.pipeline import executors
from fer_batch.pipeline.executors.base import Done, Event, Executor, Failed, FramesScanned, Part, Retried
from fer_batch.pipeline.executors.processes import MAX_FAILED_STARTS, TRIES, Processes
from fer_batch.pipeline.executors.serving import MAX_MEMORY_BYTES
from tests.helpers import odd_workers
from tests.helpers.odd_workers import Break, Count, Damaged, Die, Flood, Gorge, Grind, Hang, Leave, Toil

ROOT = Path(__file__).parents[2]

HANG_SECONDS = 2.0
"""For what hangs on purpose; long enough for a process to start on a busy machine."""

DEADLY = [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL]

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of all processes there")


@pytest.fixture(params=[0, 1, 3])
def workers(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def executor(workers: int) -> Executor:
    return executors.make(odd_workers.Worker, workers)


def drawing(tasks: Iterable[Any]) -> Callable[[], Any]:
    """What an executor draws from: these, then None for ever."""
    ahead = iter(tasks)
    return lambda: next(ahead, None)


def run(executor: Executor, *tasks: Any) -> list[Event]:
    with executor:
        return list(executor.run(drawing(tasks)))


def of(events: Iterable[Event], task: Any) -> list[Event]:
    """What was told of a task, without its signs of life."""
    return [event for event in events if event.task == task and not isinstance(event, FramesScanned)]


def parts(events: Iterable[Event], task: Any) -> list[Any]:
    return [event.value for event in of(events, task) if isinstance(event, Part)]


def the_loss(events: Iterable[Event], task: Any) -> Exception:
    (loss,) = (event.error for event in of(events, task) if isinstance(event, Failed))
    return loss


def is_complete(events: Iterable[Event], task: Count) -> bool:
    """Whether a counting task did all that it should, in order, and ended once."""
    *handed_over, end = of(events, task)
    return handed_over == [Part(task, number) for number in range(task.parts)] and isinstance(end, Done)


def test_every_task_is_done_and_its_parts_come_in_order(executor: Executor) -> None:
    tasks = [Count(f"task {number}", parts=number) for number in range(7)]
    events = run(executor, *tasks)
    assert all(is_complete(events, task) for task in tasks)
    assert sum(isinstance(event, Done) for event in events) == len(tasks)


def test_the_work_is_done_by_as_many_processes_as_were_asked_for_at_most(executor: Executor, workers: int) -> None:
    events = run(executor, *(Toil(f"task {number}", 0.5) for number in range(2 * workers + 2)))
    processes = {event.result for event in events if isinstance(event, Done)}
    assert len(processes) == max(1, workers)
    assert (os.getpid() in processes) == (workers == 0)


def test_no_more_processes_are_started_than_there_are_tasks() -> None:
    with Processes(odd_workers.Worker, 3) as executor:
        for _ in executor.run(drawing([Toil("alone", 0.5)])):
            assert len(multiprocessing.active_children()) == 1


def test_without_a_task_there_is_no_worker(workers: int) -> None:
    assert run(executors.make(odd_workers.unfit, workers)) == []


def test_every_frame_that_was_looked_at_is_told(executor: Executor) -> None:
    tasks = [Count("many", parts=40), Count("few", parts=2)]
    events = run(executor, *tasks)
    for task in tasks:
        assert sum(one.frames for one in events if isinstance(one, FramesScanned) and one.task == task) == task.parts


def test_what_an_event_leads_to_is_drawn_after_it(executor: Executor) -> None:
    todo = deque([Count("0")])
    ended: list[str] = []
    with executor:
        for event in executor.run(lambda: todo.popleft() if todo else None):
            if isinstance(event, Done):
                ended.append(event.task.name)
                if len(event.task.name) < 3:
                    todo.extend(Count(f"{event.task.name}{number}") for number in range(2))
    assert sorted(ended) == ["0", "00", "000", "001", "01", "010", "011"]


def test_a_pool_that_ran_out_of_tasks_can_be_given_more(executor: Executor) -> None:
    with executor:
        for name in ("first", "second"):
            events = list(executor.run(drawing([Count(name)])))
            assert is_complete(events, Count(name))


def test_an_unforeseen_error_costs_its_task_and_no_other(executor: Executor) -> None:
    tasks = [Count("before"), Break("broken"), Count("after"), Count("later")]
    events = run(executor, *tasks)
    assert parts(events, tasks[1]) == [0]
    loss = the_loss(events, tasks[1])
    assert isinstance(loss, TaskFailed)
    assert str(loss) == "Unexpected ZeroDivisionError: by nought"
    assert all(is_complete(events, task) for task in tasks if isinstance(task, Count))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds processes to their limit")
def test_a_task_that_asks_for_any_amount_of_memory_is_lost_and_its_process_goes_on() -> None:
    greedy = Gorge("greedy", MAX_MEMORY_BYTES + 1)
    events = run(Processes(odd_workers.Worker, 1), Count("before"), greedy, Gorge("modest", 2**20), Count("after"))
    assert str(the_loss(events, greedy)) == "It asks for more than the 4 GiB of memory that a process may take."
    assert is_complete(events, Count("after"))
    assert {event.result for event in events if is_done(event)} > {2**20}
    assert len({event.result for event in events if is_done(event)}) == 2  # one process counted, before and after


def test_an_error_of_ours_is_told_as_it_is(executor: Executor) -> None:
    events = run(executor, Damaged("film"), Count("after"))
    loss = the_loss(events, Damaged("film"))
    assert isinstance(loss, MediaError)
    assert str(loss) == "It is damaged."
    assert is_complete(events, Count("after"))


def test_no_task_is_drawn_before_there_are_hands_for_it(executor: Executor, workers: int) -> None:
    under_way = most = 0
    tasks = deque(Count(f"task {number}") for number in range(20))

    def draw() -> Count | None:
        nonlocal under_way, most
        if not tasks:
            return None
        under_way += 1
        most = max(most, under_way)
        return tasks.popleft()

    with executor:
        for event in executor.run(draw):
            under_way -= isinstance(event, Done)
    assert not tasks
    assert most == max(1, workers)


def test_a_worker_waits_for_a_reader_that_does_not_read(executor: Executor, tmp_path: Path) -> None:
    flood = Flood("flood", tmp_path / "number", parts=100)
    with executor:
        events = executor.run(drawing([flood]))
        first = next(event for event in events if isinstance(event, Part))
        assert len(first.value) == len(odd_workers.LARGE)
        time.sleep(0.5)
        assert int(flood.file.read_text()) < 20
        rest = sum(isinstance(event, Part) for event in events)
    assert rest == flood.parts - 1


def test_a_run_that_cannot_have_a_worker_ends_with_the_reason(workers: int) -> None:
    with pytest.raises(DetectorError, match="The weights are gone"):
        run(executors.make(odd_workers.unfit, workers), Count("task"))
    assert multiprocessing.active_children() == []


def test_no_process_is_left_behind() -> None:
    pids = {event.result for event in run(Processes(odd_workers.Worker, 3), *map(Count, "abcdef")) if is_done(event)}
    assert os.getpid() not in pids
    assert not any(map(is_running, pids))
    assert multiprocessing.active_children() == []


def test_no_process_is_left_behind_by_a_run_that_an_error_ends(tmp_path: Path) -> None:
    tasks = [Hang("hang"), Flood("flood", tmp_path / "number", parts=1000), Toil("toil", 600)]
    pids: list[int | None] = []

    def break_off() -> None:
        begun = set()
        with Processes(odd_workers.Worker, 3) as executor:
            for event in executor.run(drawing(tasks)):
                begun.add(event.task.name)
                if len(begun) == len(tasks):
                    pids.extend(child.pid for child in multiprocessing.active_children())
                    raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        break_off()
    assert len(pids) == 3
    assert not any(map(is_running, pids))


def test_no_process_is_left_behind_by_a_run_that_was_not_listened_to_until_its_end() -> None:
    with Processes(odd_workers.Worker, 2) as executor:
        next(executor.run(drawing([Toil("toil", 600), Toil("more", 600)])))
        assert multiprocessing.active_children() != []
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("deadly", DEADLY)
def test_a_task_whose_process_dies_once_is_begun_again_and_done(deadly: signal.Signals, tmp_path: Path) -> None:
    task = Die("die", deadly, tmp_path / "mark")
    events = run(Processes(odd_workers.Worker, 2), Count("before"), task, Count("after"))
    *told, end = of(events, task)
    assert told == [Part(task, 0), Part(task, 1), Retried(task), Part(task, 0), Part(task, 1), Part(task, 2)]
    assert isinstance(end, Done)
    assert is_complete(events, Count("before"))
    assert is_complete(events, Count("after"))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("deadly", DEADLY)
def test_a_task_that_kills_every_process_is_lost_and_no_other(deadly: signal.Signals, workers: int) -> None:
    task = Die("die", deadly)
    events = run(Processes(odd_workers.Worker, workers), Count("before"), task, *map(Count, "abc"))
    assert sum(isinstance(event, Retried) for event in of(events, task)) == TRIES - 1
    assert parts(events, task) == [0, 1] * TRIES
    loss = the_loss(events, task)
    assert isinstance(loss, TaskFailed)
    assert f"was killed by {deadly.name}" in str(loss)
    assert all(is_complete(events, Count(name)) for name in ("before", *"abc"))


def test_a_process_that_leaves_without_a_word_is_told_by_its_exit_code() -> None:
    events = run(Processes(odd_workers.Worker, 1), Leave("leave"), Count("after"))
    assert "exit code 3" in str(the_loss(events, Leave("leave")))
    assert is_complete(events, Count("after"))


def test_a_task_that_hangs_once_is_begun_again_and_done(tmp_path: Path) -> None:
    task = Hang("hang", tmp_path / "mark")
    events = run(Processes(odd_workers.Worker, 2, HANG_SECONDS), task, Count("after"))
    *told, end = of(events, task)
    assert told == [Part(task, 0), Retried(task), Part(task, 0), Part(task, 1)]
    assert isinstance(end, Done)
    assert is_complete(events, Count("after"))


def test_a_task_that_hangs_every_time_is_lost_and_no_other() -> None:
    events = run(Processes(odd_workers.Worker, 2, HANG_SECONDS), Hang("hang"), *map(Count, "abc"))
    assert sum(isinstance(event, Retried) for event in events) == TRIES - 1
    assert f"did not respond for {HANG_SECONDS:g} s" in str(the_loss(events, Hang("hang")))
    assert all(is_complete(events, Count(name)) for name in "abc")


def test_what_shows_signs_of_life_is_not_taken_for_hanging() -> None:
    task = Toil("toil", 2 * HANG_SECONDS)
    events = run(Processes(odd_workers.Worker, 1, HANG_SECONDS), task)
    assert [type(event) for event in of(events, task)] == [Part, Done]


def test_a_process_without_a_task_is_not_taken_for_hanging() -> None:
    tasks = deque([Count("early"), Toil("toil", 2 * HANG_SECONDS)])
    pids = {}
    with Processes(odd_workers.Worker, 2, HANG_SECONDS) as executor:
        for event in executor.run(lambda: tasks.popleft() if tasks else None):
            if isinstance(event, Done):
                pids[event.task.name] = event.result
                if event.task.name == "toil":
                    assert is_running(pids["early"])


def test_a_worker_is_not_taken_for_hanging_while_nobody_listens(tmp_path: Path) -> None:
    flood = Flood("flood", tmp_path / "number", parts=100)
    with Processes(odd_workers.Worker, 1, HANG_SECONDS) as executor:
        events = executor.run(drawing([flood]))
        next(events)
        time.sleep(1.5 * HANG_SECONDS)
        assert [type(event) for event in of(events, flood)] == [Part] * flood.parts + [Done]


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped there")
def test_a_run_that_was_stopped_and_goes_on_takes_nobody_for_hanging() -> None:
    task = Grind("grind", HANG_SECONDS / 4, signs=2)
    told: list[Event] = []
    with Processes(odd_workers.Worker, 1, HANG_SECONDS) as executor:
        for event in executor.run(drawing([task])):
            if not told:
                (child,) = multiprocessing.active_children()
                os.kill(child.pid or 0, signal.SIGSTOP)
                time.sleep(1.5 * HANG_SECONDS)  # stopped as well, as both are by Ctrl-Z
                os.kill(child.pid or 0, signal.SIGCONT)
            told.append(event)
    assert [type(event) for event in of(told, task)] == [Part, Done]


def test_a_run_whose_processes_never_get_ready_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[SpawnProcess] = []
    start = SpawnProcess.start
    monkeypatch.setattr(SpawnProcess, "start", lambda process: (starts.append(process), start(process)))
    with pytest.raises(DetectorError, match="cannot be started: the last one was killed by SIGKILL"):
        run(Processes(odd_workers.stillborn, 1), Count("task"))
    assert len(starts) == MAX_FAILED_STARTS
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("after", [0.0, 0.05, 0.1])
def test_an_interrupt_is_not_the_workers_business_not_even_while_they_start(
    monkeypatch: pytest.MonkeyPatch, after: float
) -> None:
    starts: list[SpawnProcess] = []
    start = SpawnProcess.start

    def start_and_interrupt(process: SpawnProcess) -> None:
        starts.append(process)
        start(process)
        time.sleep(after)
        if process.pid is not None:
            os.kill(process.pid, signal.SIGINT)

    monkeypatch.setattr(SpawnProcess, "start", start_and_interrupt)
    events = run(Processes(odd_workers.Worker, 1), Count("task"))
    assert is_complete(events, Count("task"))
    assert len(starts) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupt_is_not_the_workers_business_while_they_work() -> None:
    task = Toil("toil", 1)
    with Processes(odd_workers.Worker, 1) as executor:
        told = []
        for event in executor.run(drawing([task])):
            if isinstance(event, FramesScanned):
                (child,) = multiprocessing.active_children()
                os.kill(child.pid or 0, signal.SIGINT)
            told.append(event)
    assert [type(event) for event in of(told, task)] == [Part, Done]


def script(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [sys.executable, str(path)]


@pytest.fixture
def environment() -> dict[str, str]:
    """One in which a script finds this package and the tests."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


UNGUARDED = """
print("begun", flush=True)
from fer_batch.pipeline.executors.processes import Processes
from fer_batch.pipeline.executors.base import Done
from tests.helpers.odd_workers import Count, Worker

tasks = [Count("one"), Count("two"), Count("three")]
with Processes(Worker, 2) as executor:
    for event in executor.run(lambda: tasks.pop() if tasks else None):
        if isinstance(event, Done):
            print("done", flush=True)
"""


def test_a_script_need_not_guard_its_main_part(tmp_path: Path, environment: dict[str, str]) -> None:
    command = script(tmp_path / "script.py", UNGUARDED)
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert process.stdout.split() == ["begun", "done", "done", "done"], process.stderr
    assert process.returncode == 0


def test_a_script_from_standard_input_can_use_processes(environment: dict[str, str]) -> None:
    process = subprocess.run(
        [sys.executable, "-"], env=environment, input=UNGUARDED, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.stdout.split() == ["begun", "done", "done", "done"], process.stderr


ORPHANS = """
import multiprocessing, sys, time
from pathlib import Path
from fer_batch.pipeline.executors.processes import Processes
from tests.helpers.odd_workers import Flood, Hang, Toil, Worker

tasks = [Hang("hang"), Flood("flood", Path(sys.argv[1]), 1000), Toil("toil", 600)]
ahead = iter(tasks)
begun = set()
with Processes(Worker, 3) as executor:
    for event in executor.run(lambda: next(ahead, None)):
        begun.add(event.task.name)
        if len(begun) == 3:
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            time.sleep(600)
"""
"""One worker sleeps, one waits for its reader, one works."""


@needs_proc
def test_workers_end_soon_after_their_parent_was_killed(tmp_path: Path, environment: dict[str, str]) -> None:
    command = script(tmp_path / "script.py", ORPHANS)
    with subprocess.Popen([*command, str(tmp_path / "number")], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(is_running, pids))
        process.kill()
    deadline = time.monotonic() + 20
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def is_done(event: Event) -> bool:
    return isinstance(event, Done)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is more than a name that nobody has asked for yet."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:  # no /proc, or it ended just now
        return not Path("/proc").exists()
    return state != "Z"
