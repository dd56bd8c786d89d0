"""Workers for the tests of executors; here, where other processes can import them."""

import os
import signal
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_batch.errors import DetectorError, MediaError
from fer_batch.pipeline.executors.base import FramesScanned

LARGE = bytes(100_000)
"""More than a pipe holds when there are some."""


@dataclass(frozen=True)
class Count:
    """Hand over so many numbers and return the process's own."""

    name: str
    parts: int = 3

    def act(self) -> Generator[Any, None, int]:
        for number in range(self.parts):
            yield FramesScanned(1)
            yield number
        return os.getpid()


@dataclass(frozen=True)
class Break:
    """Hand over a number and raise what nobody foresaw."""

    name: str

    def act(self) -> Generator[Any, None, None]:
        yield 0
        raise ZeroDivisionError("by\nnought")


@dataclass(frozen=True)
class Gorge:
    """Hand over a number and ask for so many bytes."""

    name: str
    bytes: int

    def act(self) -> Generator[Any, None, int]:
        yield 0
        return len(bytearray(self.bytes))


@dataclass(frozen=True)
class Damaged:
    """Hand over a number and raise what is foreseen."""

    name: str

    def act(self) -> Generator[Any, None, None]:
        yield 0
        raise MediaError("It is damaged.")


@dataclass(frozen=True)
class Die:
    """Hand over two numbers and die, each time or, with a ``mark`` to leave, once."""

    name: str
    signal: signal.Signals
    mark: Path | None = None

    def act(self) -> Generator[Any, None, int]:
        yield 0
        yield 1
        if self.mark is None or not self.mark.exists():
            if self.mark is not None:
                self.mark.touch()
            os.kill(os.getpid(), self.signal)
        yield 2
        return os.getpid()


@dataclass(frozen=True)
class Leave:
    """End the process without a word."""

    name: str

    def act(self) -> Generator[Any, None, None]:
        yield 0
        os._exit(3)


@dataclass(frozen=True)
class Hang:
    """Hand over a number and do nothing any more, each time or, with a ``mark`` to leave, once."""

    name: str
    mark: Path | None = None

    def act(self) -> Generator[Any, None, int]:
        yield 0
        if self.mark is None or not self.mark.exists():
            if self.mark is not None:
                self.mark.touch()
            time.sleep(600)
        yield 1
        return os.getpid()


@dataclass(frozen=True)
class Toil:
    """Hand over nothing for so many seconds, but show signs of life."""

    name: str
    seconds: float

    def act(self) -> Generator[Any, None, int]:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            yield FramesScanned(1)
            time.sleep(0.02)
        yield 0
        return os.getpid()


@dataclass(frozen=True)
class Grind:
    """Compute for so many seconds of the processor's time from each sign of life to the next."""

    name: str
    seconds: float
    signs: int

    def act(self) -> Generator[Any, None, int]:
        for _ in range(self.signs):
            yield FramesScanned(1)
            end = time.process_time() + self.seconds
            while time.process_time() < end:
                pass
        yield 0
        return os.getpid()


@dataclass(frozen=True)
class Flood:
    """Hand over far more than a pipe holds, and note in a file how far one has come."""

    name: str
    file: Path
    parts: int

    def act(self) -> Generator[Any, None, int]:
        for number in range(self.parts):
            self.file.write_text(str(number))
            yield FramesScanned(1)
            yield LARGE
        return os.getpid()


class Worker:
    """Does what its tasks say; its class is the Work that makes it."""

    def perform(self, task: Any) -> Generator[Any, None, Any]:
        return (yield from task.act())


def unfit() -> Worker:
    """A Work for which something is missing."""
    raise DetectorError("The weights are gone.")


def stillborn() -> Worker:
    """A Work whose process dies before it is ready."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")
