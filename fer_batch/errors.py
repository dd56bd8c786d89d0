"""The error tree. Only the command line turns an error into words on a screen and an exit code.

* FerBatchError
    * UsageError: what was asked for makes no sense (exit code 2)
        * OutputRefused: the output folder holds files that are not ours
    * NothingUsable: no input could be read (3)
    * ModelError: the classifier's file cannot be used (4)
    * DetectorError: the detector's file cannot be used (4)
    * OutputError: a result cannot be written (5)
    * MediaError: one file cannot be read; never ends a run
    * TaskLost: one stretch cannot be looked at, for reasons of ours; never ends a run
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the command line's exit status says; scripts may rely on it."""

    DONE = 0
    SOME_LEFT_OUT = 1
    USAGE = 2
    NOTHING_USABLE = 3
    MODEL = 4
    OUTPUT = 5
    INTERRUPTED = 130


class FerBatchError(Exception):
    """Base of every error that this package raises on purpose. Its text says what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE


class UsageError(FerBatchError):
    """The request makes no sense: an option out of range, a path that is not there."""


class OutputRefused(UsageError):
    """The output folder holds files that fer-batch did not make."""


class NothingUsable(FerBatchError):
    """There is nothing to analyse, or no input could be read."""

    exit_code = ExitCode.NOTHING_USABLE


class ModelError(FerBatchError):
    """The emotion model is missing, damaged, unsafe, or answers in other emotions."""

    exit_code = ExitCode.MODEL


class DetectorError(FerBatchError):
    """The face detector's weights are missing or not the ones that were measured."""

    exit_code = ExitCode.MODEL


class OutputError(FerBatchError):
    """A result cannot be written."""

    exit_code = ExitCode.OUTPUT


class MediaError(FerBatchError):
    """One photograph or film cannot be read. It becomes a line in errors.csv; the run goes on."""


class TaskFailed(FerBatchError):
    """Looking at a stretch of a source failed for another reason than the media's: a crash, a mistake in a library."""

    @classmethod
    def unexpected(cls, error: Exception) -> "TaskFailed":
        """An error that nobody foresaw, in one line."""
        return cls(f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}")
