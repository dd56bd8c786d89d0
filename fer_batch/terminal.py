"""What the command line prints, and what it logs. No name and no closed pipe ends a run.

The log holds every step of a run, for those who ask for it, and errors in full.
"""

import logging
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, TextIO

import typer

from fer_batch.errors import OutputError, why

if TYPE_CHECKING:
    from fer_batch.types import Outcome, Source

SOME = 3
"""Names that a message lists."""

LINE_SECONDS = 60.0
"""Without a terminal, a line tells how far a run is, so often."""


LOGGER = logging.getLogger("fer_batch")

_FORM = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


INTERRUPTING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals of who wants a run to end: Ctrl-C, a scheduler, a terminal that is closed."""


class _Interrupted(KeyboardInterrupt):
    """A KeyboardInterrupt that Python leaves to us.

    After one of its own in an ``exec``, as libraries have it when they are imported, Python ends itself by SIGINT when
    all is done, whatever the exit code.
    """


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block at the first such signal, to put everything in order; the next one kills.

    Those that whoever started this program has it ignore, as ``nohup`` does, stay ignored.
    """
    if current_thread() is not main_thread():  # where Python sets no handlers
        yield
        return
    handlers = {one: signal.getsignal(one) for one in INTERRUPTING}
    before = {one: handler for one, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}

    def interrupt(*_: object) -> None:
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        raise _Interrupted

    try:
        for one in before:
            signal.signal(one, interrupt)
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def make_streams_safe() -> None:
    """Have characters that stdout and stderr cannot hold printed as escape sequences."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # another kind of stream, as in a notebook
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def print_line(text: object, *, end: str = "\n") -> None:
    """Print a text on stdout."""
    _print(f"{text}{end}", sys.stdout)


def warn(message: str) -> None:
    """Print a line on stderr."""
    _print(f"fer-batch: {one_line(message)}\n", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    try:
        typer.echo(text, file=stream, nl=False)
    except BrokenPipeError:  # nobody reads it any more, as with `| head`: the run goes on
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        if stream is sys.stdout:
            raise OutputError(f"Cannot print on standard output: {why(error)}.") from error


def one_line(name: str) -> str:
    """A text without line breaks and control characters, which could change what a terminal shows."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def some(names: Sequence[str]) -> str:
    """Some names, and how many others there are."""
    return ", ".join(names) if len(names) <= SOME else f"{', '.join(names[:SOME])} and {len(names) - SOME} more"


def count(number: int, word: str) -> str:
    """``1 photo``, ``1,008 photos``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """``1 h 02 min 03 s``, ``2 min 03 s``, ``3 s``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min {seconds:02} s"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


class _LogFile(logging.FileHandler):
    """A log file. Where it cannot be written any more, as on a full disk, that is told once, and the run goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        """Tell of the error that is being handled, and write no more."""
        self.addFilter(lambda _: False)
        warn(f"the log {self.baseFilename} is not whole: {sys.exc_info()[1]}")


def start_log(path: Path | None, *, verbose: bool) -> None:
    """Log to a file, or on stderr, or both, or neither.

    Raises:
        OutputError: the file cannot be written.
    """
    for handler in tuple(LOGGER.handlers):
        LOGGER.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if path is not None:
        try:
            handlers.append(_LogFile(path, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {why(error)}. Choose another --log.") from error
    for handler in handlers:
        handler.setFormatter(_FORM)
        LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG if handlers else logging.NOTSET)
    LOGGER.propagate = False


def write_traceback(error: BaseException) -> str:
    """Write an error in full to the log file, or to a new file in the folder for temporary ones; returns its path."""
    LOGGER.error("unexpected", exc_info=error)
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.FileHandler):
            return handler.baseFilename
    text = "".join(traceback.format_exception(error))
    try:
        number, path = tempfile.mkstemp(f"-{datetime.now():%Y-%m-%d-%H%M%S}.log", "fer-batch-")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return f"this: {text}"
    return path


class Meter:
    """How far something is: a bar where stderr is a terminal, a line a minute where it is not."""

    def __init__(self, unit: str, *, silent: bool) -> None:
        from tqdm import tqdm

        self._silent = silent
        self._is_terminal = sys.stderr.isatty()
        self._began = self._said = monotonic()
        self._bar = tqdm(
            unit=f" {unit}", disable=silent or not self._is_terminal, leave=False, total=0, file=sys.stderr
        )
        self.unit = unit
        self.total = self.done = 0

    def expect(self, more: int) -> None:
        """Add to the total."""
        self.total += more
        self._bar.total = self.total
        self._bar.unit = f" {self.unit}s"
        self._bar.refresh()

    def advance(self, done: int, also: str = "") -> None:
        """So much more is done; ``also`` begins the line."""
        self.done += done
        self._bar.update(done)
        now = monotonic()
        if self._silent or self._is_terminal or now - self._said < LINE_SECONDS:
            return
        self._said = now
        left = (now - self._began) * (self.total - self.done) / max(1, self.done)
        warn(f"{also}{self.done:,} of {count(self.total, self.unit)}, about {duration(left)} left")

    def clear(self) -> None:
        """Take the bar away for a line of text."""
        self._bar.clear()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


class TerminalProgress:
    """A Progress that shows frames and photos in a :class:`Meter`, and prints a line for each finished source."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._meter = Meter("frame", silent=not verbose)
        self._pages: Meter | None = None
        self._sources: set[str] = set()
        self._ended = 0

    def __enter__(self) -> "TerminalProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._meter.close()
        if self._pages is not None:
            self._pages.close()

    def begin(self, source: "Source", frames: int) -> None:
        """Add a source's frames to the total."""
        if not self._sources and source.kind == "photos":
            self._meter.unit = "photo"
        elif source.kind == "video":
            self._meter.unit = "frame"
        self._sources.add(source.name)
        self._meter.expect(frames)

    def advance(self, frames: int) -> None:
        """So many frames more are done."""
        self._meter.advance(frames, f"{self._ended} of {count(len(self._sources), 'source')}, ")

    def end(self, source: "Source", outcome: "Outcome | None") -> None:
        """Print what a source shows; a source without a timeline has a warning at the end of the run instead."""
        self._ended += source.name in self._sources
        if outcome is not None and self._verbose:
            self._meter.clear()
            print_line(f"{one_line(source.name)}: {described(outcome)}")

    def waiting(self, reason: str) -> None:
        """Say why nothing goes on."""
        self._meter.clear()
        warn(reason)

    def rendered(self, pages: int, of: int) -> None:
        """So many pages of the report are written."""
        if self._pages is None:
            self._meter.close()
            self._pages = Meter("page", silent=not self._verbose)
            self._pages.expect(of)
        self._pages.advance(pages - self._pages.done, "report: ")


def described(outcome: "Outcome") -> str:
    """What a source shows, in a few words."""
    if outcome.tracks is None:
        faces = count(outcome.faces, "face")
        return f"{count(outcome.frames, 'photo')}, {outcome.frames_with_face:,} with a face, {faces}"
    length = f"{outcome.seconds:,.1f} s" if outcome.seconds is not None else "times unknown"
    share = round(100 * outcome.frames_with_face / outcome.frames) if outcome.frames else 0
    frames, tracks = count(outcome.frames, "frame"), count(outcome.tracks, "face track")
    return f"{length} in {frames}, a face in {share} % of them, {tracks}"
