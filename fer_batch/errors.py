"""All errors that fer-batch raises, and exit codes. Only the command line prints an error and exits with its code.

* FerBatchError
    * UsageError: a wrong option, path or annotation (exit code 2)
        * OutputRefused: the output folder holds files that fer-batch did not make
    * NothingUsable: no input can be read (3)
    * ModelError: the classifier's file cannot be used (4)
    * DetectorError: the detector's file cannot be used (4)
    * OutputError: a result cannot be written (5)
    * MediaError: a video or photo cannot be read; does not end a run
    * TaskFailed: a chunk could not be scanned for another reason; does not end a run
"""

import os
from enum import IntEnum
from errno import errorcode
from typing import ClassVar


def number_of(count: int, noun: str) -> str:
    """``count`` of what ``noun`` names in the singular, for a message: "1 frame", "3 frames"."""
    return f"{count} {noun}{'s' * (count != 1)}"


class ExitCode(IntEnum):
    """The exit status of the command line. Scripts may rely on it."""

    DONE = 0
    SOME_LEFT_OUT = 1
    USAGE = 2
    NOTHING_USABLE = 3
    MODEL = 4
    OUTPUT = 5
    UNEXPECTED = 70
    INTERRUPTED = 130


class FerBatchError(Exception):
    """Base of every error that this package raises on purpose. Its message says what is wrong and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE


class UsageError(FerBatchError):
    """An option is out of its range, a path does not exist, or a user CSV has a mistake."""


class OutputRefused(UsageError):
    """The output folder holds files that fer-batch did not make."""


class NothingUsable(FerBatchError):
    """There is nothing to analyse, or no input can be read."""

    exit_code = ExitCode.NOTHING_USABLE


class ModelError(FerBatchError):
    """The emotion model is missing, damaged or unsafe, or predicts other emotions."""

    exit_code = ExitCode.MODEL


class DetectorError(FerBatchError):
    """The face detector's weights are missing, or are not the shipped ones."""

    exit_code = ExitCode.MODEL


class OutputError(FerBatchError):
    """A result cannot be written."""

    exit_code = ExitCode.OUTPUT


class MediaError(FerBatchError):
    """A photo or video cannot be read. It becomes a line in errors.csv; the run continues."""


class TaskFailed(FerBatchError):
    """A task failed although its media may be good: a worker process crashed or hung, or a library raised an error.

    What the task would have scanned becomes a line in errors.csv; the run continues.
    """

    @classmethod
    def unexpected(cls, error: Exception) -> "TaskFailed":
        """For an error that is not a FerBatchError; the message is a single line."""
        return cls(f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}")


def why(error: OSError) -> str:
    """What the system says of an error: ``No space left on device``, without what a library has put around it."""
    number = error.errno or 0
    return os.strerror(number) if number in errorcode else error.strerror or str(error)
