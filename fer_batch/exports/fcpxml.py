"""Final Cut Pro and others (.fcpxml, version 1.8): a video as a clip, episodes as its markers.

The library of OpenTimelineIO for this format writes no duration of a frame, so that no program can read its times. The
elements and attributes here are those of Apple's reference (developer.apple.com, "FCPXML Reference"). Times are whole
frames, written as fractions of a second.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from fer_batch.exports.tiers import each_video, episodes, one_line
from fer_batch.exports.video import end_of, media_link, usual_rate
from fer_batch.output.results import Results

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'


def write(results: Results, folder: Path) -> None:
    """Write an .fcpxml file for each video whose times are known."""
    for source, path in each_video(results, folder, ".fcpxml"):
        document = _document(results, source, path.parent)
        indent(document)
        path.write_text(f"{HEAD}{tostring(document, encoding='unicode')}\n", encoding="utf-8", newline="\n")


def _document(results: Results, source: Mapping[str, Any], folder: Path) -> Element:
    """The video as one clip from 0 to its end; ``folder``: where the file will lie, or as deep as that."""
    rate = usual_rate(results, source)
    name = one_line(source["name"])
    whole = _time(max(round(end_of(results, source) * rate), 1), rate)
    size = {key: str(source["facts"][key]) for key in ("width", "height") if source["facts"].get(key)}
    root = Element("fcpxml", version="1.8")
    resources = SubElement(root, "resources")
    SubElement(resources, "format", {"id": "r1", "frameDuration": _time(1, rate), **size})
    src = quote(media_link(results, source, folder))
    asset = {"id": "r2", "name": name, "src": src, "start": "0s", "duration": whole, "hasVideo": "1", "format": "r1"}
    SubElement(resources, "asset", asset)
    event = SubElement(SubElement(root, "library"), "event", name="fer-batch")
    sequence = SubElement(SubElement(event, "project", name=name), "sequence", format="r1", duration=whole)
    clip = {"ref": "r2", "name": name, "offset": "0s", "start": "0s", "duration": whole}
    clip_element = SubElement(SubElement(sequence, "spine"), "asset-clip", clip)
    for episode in episodes(results, source):
        first = round(episode.start * rate)
        marker = {
            "start": _time(first, rate),
            "duration": _time(max(round(episode.stop * rate) - first, 1), rate),
            "value": f"{episode.who}: {episode.label}",
        }
        SubElement(clip_element, "marker", marker)
    return root


def _time(frames: int, rate: Fraction) -> str:
    """So many frames, as ``1001/30000s``."""
    return f"{frames * rate.denominator}/{rate.numerator}s" if frames else "0s"
