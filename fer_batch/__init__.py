"""fer-batch: emotion timelines from the faces in photos and videos.

For notebooks::

    import fer_batch

    run = fer_batch.analyze(["holiday/", "interview.mp4"])
    timeline = fer_batch.read_timeline(run.timelines["interview.mp4"])
    fer_batch.summarize(timeline)
    everything = fer_batch.read_timelines(run.folder)
"""

from typing import TYPE_CHECKING, Any

from fer_batch._version import __version__

if TYPE_CHECKING:
    from fer_batch.options import Options
    from fer_batch.output.csv import read_timeline
    from fer_batch.output.notebook import summarize
    from fer_batch.output.timelines import read_timelines, scan_timelines
    from fer_batch.pipeline.run import Run, analyze

__all__ = [
    "Options",
    "Run",
    "__version__",
    "analyze",
    "read_timeline",
    "read_timelines",
    "scan_timelines",
    "summarize",
]

_MODULES = {
    "Options": "options",
    "Run": "pipeline.run",
    "analyze": "pipeline.run",
    "read_timeline": "output.csv",
    "summarize": "output.notebook",
    "read_timelines": "output.timelines",
    "scan_timelines": "output.timelines",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``fer-batch --help`` loads nothing heavy."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"fer_batch.{_MODULES[name]}"), name)
