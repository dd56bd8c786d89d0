"""Exports: files for other programs, made of the tables of an output folder. One module a format, and a registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from fer_batch.annotations.user_csv import suggestion
from fer_batch.errors import UsageError

Writer = Callable[..., str | None]
"""Writes the files of an export, from :class:`Results`, into the path of a folder that is there and empty. Returns a
sentence about what does not fit, if there is something. An OSError may go through."""


@dataclass(frozen=True)
class Format:
    """One format of exports."""

    purpose: str
    """What it is for, as ``export --list`` says it."""
    writer: str
    """``module:function`` in this package; imported when it is used."""
    of_times: bool = True
    """Whether only videos whose times are known are in it."""
    needs: tuple[str, ...] = ()
    """Modules of the optional libraries that it is written with."""
    by_locale: bool = False
    """Whether its writer takes a locale, too."""

    def load(self, locale: str | None = None) -> Writer:
        """The function that writes it."""
        module, _, function = self.writer.partition(":")
        writer: Writer = getattr(import_module(f"{__name__}.{module}"), function)
        return partial(writer, locale=locale) if self.by_locale and locale else writer


OTIO = ("opentimelineio",)

REGISTRY: dict[str, Format] = {
    "elan": Format(
        "ELAN: a tier of episodes for each face or person, a tier of events, curves of the shares, the video linked",
        "elan:write",
    ),
    "textgrid": Format("Praat: interval tiers of episodes and events", "textgrid:write"),
    "audacity": Format("Audacity: a label track of episodes", "audacity:write"),
    "webvtt": Format("Browsers and video players: episodes as subtitles (WebVTT)", "subtitles:webvtt"),
    "srt": Format("Video players and editors: episodes as subtitles (SubRip)", "subtitles:srt"),
    "ass": Format("Video players and FFmpeg: episodes as subtitles (Advanced SubStation Alpha)", "subtitles:ass"),
    "boris": Format(
        "BORIS: a project with the videos and their coding, and a table of aggregated events", "boris:write"
    ),
    "observer": Format("The Observer XT: a log of starts and stops, for an import profile", "observer:write"),
    "otio": Format(
        "DaVinci Resolve, Kdenlive and others: episodes as markers (OpenTimelineIO)", "editors:otio", needs=OTIO
    ),
    "premiere": Format(
        "Adobe Premiere and others: episodes as markers (XML of Final Cut Pro 7)",
        "editors:premiere",
        needs=(*OTIO, "otio_fcp_adapter"),
    ),
    "fcpxml": Format("Final Cut Pro, DaVinci Resolve: episodes as markers (FCPXML 1.8)", "fcpxml:write"),
    "edl": Format(
        "Avid and others: where episodes begin (CMX 3600 with locators)",
        "editors:edl",
        needs=(*OTIO, "otio_cmx3600_adapter"),
    ),
    "xlsx": Format(
        "Excel and LibreOffice: every table as a sheet, and what the columns mean", "xlsx:write", of_times=False
    ),
    "excel-csv": Format(
        "Excel where decimals have commas, or as --locale says: every table as CSV",
        "excel_csv:write",
        of_times=False,
        by_locale=True,
    ),
    "parquet": Format(
        "pandas, polars, DuckDB, R: typed tables, all timelines as one data set", "parquet:write", of_times=False
    ),
    "openface": Format("Programs that read OpenFace's CSV: faces by frame, without action units", "openface:write"),
}
"""Every format by its name."""


def parse_formats(text: str) -> tuple[str, ...]:
    """The names in ``elan,srt``, each once.

    Raises:
        UsageError: as :func:`check_formats`, or none is named.
    """
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"No format is named; there is {', '.join(REGISTRY)}.")
    check_formats(names)
    return names


def check_formats(names: Sequence[str]) -> None:
    """Check that there are formats of these names, and that their libraries are installed.

    Raises:
        UsageError: one is not.
    """
    for name in names:
        if name not in REGISTRY:
            near = suggestion(name, tuple(REGISTRY))
            raise UsageError(f"There is no format {name}; there is {', '.join(REGISTRY)}.{near}")
        missing = [module for module in REGISTRY[name].needs if find_spec(module) is None]
        if missing:
            raise UsageError(
                f"The format {name} needs libraries that are not installed ({', '.join(missing)}). "
                f"Install them with: pip install {' '.join(missing).replace('_', '-')}"
            )
