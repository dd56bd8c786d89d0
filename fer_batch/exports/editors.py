"""Video editors, by OpenTimelineIO (.otio, .edl, Final Cut Pro 7's .xml): a video as a clip, episodes as its markers.

Times are whole frames of the usual frame rate next to the video's: editors know no other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opentimelineio.adapters import write_to_string
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import Clip, ExternalReference, Marker, Timeline, Track

from fer_batch.exports.tiers import each_video, episodes, one_line
from fer_batch.exports.video import end_of, media_link, usual_rate
from fer_batch.output.results import Results

COLOURS = {
    "anger": "RED",
    "disgust": "GREEN",
    "fear": "PINK",
    "happiness": "ORANGE",
    "sadness": "BLUE",
    "surprise": "CYAN",
}
"""Those of OpenTimelineIO that are next to the report's."""


def otio(results: Results, folder: Path) -> None:
    """Write an .otio file for each video whose times are known."""
    _write(results, folder, ".otio", "otio_json")


def premiere(results: Results, folder: Path) -> None:
    """Write an .xml file in Final Cut Pro 7's format for each video whose times are known."""
    _write(results, folder, ".xml", "fcp_xml")


def edl(results: Results, folder: Path) -> None:
    """Write an .edl file (CMX 3600, with locators) for each video whose times are known."""
    _write(results, folder, ".edl", "cmx_3600")


def _write(results: Results, folder: Path, suffix: str, adapter: str) -> None:
    for source, path in each_video(results, folder, suffix):
        text = write_to_string(_timeline(results, source, path.parent), adapter)
        path.write_text(text, encoding="utf-8", newline="\n")


def _timeline(results: Results, source: Mapping[str, Any], folder: Path) -> Timeline:
    """The video as one clip from 0 to its end; ``folder``: where the file will lie, or as deep as that."""
    rate = float(usual_rate(results, source))

    def span(start: float, stop: float) -> TimeRange:
        first = round(start * rate)
        return TimeRange(RationalTime(first, rate), RationalTime(max(round(stop * rate) - first, 1), rate))

    whole = span(0, end_of(results, source))
    name = one_line(source["name"])
    media = ExternalReference(target_url=quote(media_link(results, source, folder)), available_range=whole)
    clip = Clip(name=name, media_reference=media, source_range=whole)
    for episode in episodes(results, source):
        marked, colour = span(episode.start, episode.stop), COLOURS.get(episode.label, "WHITE")
        clip.markers.append(Marker(f"{episode.who}: {episode.label}", marked, colour))
    timeline = Timeline(name, global_start_time=RationalTime(0, rate))
    timeline.tracks.append(Track("video", [clip]))
    return timeline
