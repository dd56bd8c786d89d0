"""Subtitles (.vtt, .srt, .ass): episodes, the name first. Those that overlap are shown together.

Times are whole milliseconds; those of .ass are hundredths of a second, as the format has it.
"""

from pathlib import Path

from pysubs2 import SSAEvent, SSAFile

from fer_batch.exports.tiers import each_video, episodes
from fer_batch.output.results import Results

SPECIAL = "\\{}&<>"
"""Signs that mean something to the formats, or to pysubs2."""

GUARD = {ord(sign): 0xFDD0 + number for number, sign in enumerate(SPECIAL)}
"""Signs that no text has, which stand for them until pysubs2 has done its work: it takes braces for markup."""

ESCAPED = {
    "vtt": {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
    "srt": {},
    # An invisible sign after a backslash keeps the next letter from being an order to FFmpeg's libass.
    "ass": {"\\": "\\\N{WORD JOINER}", "{": "\\{", "}": "\\}"},
}
"""How each format writes those of SPECIAL that it must not read as orders."""


def webvtt(results: Results, folder: Path) -> None:
    """Write a .vtt file for each video whose times are known."""
    _write(results, folder, "vtt", 1000)


def srt(results: Results, folder: Path) -> None:
    """Write an .srt file for each video whose times are known."""
    _write(results, folder, "srt", 1000)


def ass(results: Results, folder: Path) -> None:
    """Write an .ass file for each video whose times are known."""
    _write(results, folder, "ass", 100)


def _write(results: Results, folder: Path, kind: str, ticks: int) -> None:
    unguard = {GUARD[ord(sign)]: ESCAPED[kind].get(sign, sign) for sign in SPECIAL}
    options = {} if kind == "ass" else {"keep_ssa_tags": True}
    for source, path in each_video(results, folder, f".{kind}"):
        subtitles = SSAFile()
        for episode in episodes(results, source):
            start = round(episode.start * ticks)
            stop = max(round(episode.stop * ticks), start + 1)
            text = f"{episode.who}: {episode.label}".translate(GUARD)
            subtitles.append(SSAEvent(start * 1000 // ticks, stop * 1000 // ticks, text))
        text = subtitles.to_string(kind, **options).translate(unguard)
        path.write_text(text, encoding="utf-8", newline="\n")
