"""ELAN (.eaf, format 3.0): a tier for each person or face, a tier of events, and the video linked.

The shares of the emotions are beside it as curves for ELAN's time series viewer: a .csv file, and a _tsconf.xml file
that says what its columns are. All three link to each other by bare names. ELAN finds such files beside the .eaf file,
and has the .csv file's place from there too (LinkedFileDescriptorUtil in ELAN's source).

Times are whole milliseconds. Zero is where the video's earliest stream begins, as in ELAN's players: TIME_ORIGIN is 0.
"""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import pandas as pd
from pympi import Elan

from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.exports.tiers import each_video, name_of, numbered, tiers
from fer_batch.exports.video import media_link
from fer_batch.output.results import Results, summed_up

TICKS = 1000

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold, which names of files may have."""

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


CURVES = ".csv", "_tsconf.xml"
"""Ends of the names of the files of curves; ELAN knows what the second one is by its end."""

READER = "mpi.eudico.client.annotator.timeseries.csv.CSVServiceProvider"
"""The part of ELAN that reads the .csv file."""


def write(results: Results, folder: Path) -> None:
    """Write an .eaf file for each video whose times are known, and the curves of its faces, if it has any."""
    for source, path in each_video(results, folder, ".eaf"):
        curves = _curves(results, source)
        document = _document(results, source, path.parent)
        if len(curves.columns):
            table, meaning = (path.with_name(f"{path.stem}{end}") for end in CURVES)
            for beside, kind in ((table, "text/plain"), (meaning, "text/xml")):
                document.add_secondary_linked_file(beside.name, f"./{beside.name}", kind)
            with table.open("w", encoding="utf-8", newline="\n") as file:
                file.write(f"# {', '.join(['milliseconds', *curves.columns])}\n")  # ELAN skips this line
                curves.to_csv(file, header=False, na_rep="NaN", float_format="%.4f", lineterminator="\n")
            _write_xml(meaning, _meaning(table.name, list(curves.columns), results.run["finished"]))
        text = Elan.to_string(document)
        path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', encoding="utf-8", newline="\n")


def _curves(results: Results, source: Mapping[str, Any]) -> pd.DataFrame:
    """A row for each frame that was analysed, by its time in milliseconds; seven columns for each person or face.

    Shares are smoothed ones where the timeline has them. They are missing where the face is not there, or left out.
    """
    timeline = results.timeline(source).dropna(subset=["timestamp"])
    frames = timeline.drop_duplicates("frame").set_index("frame")["timestamp"]
    rows = timeline[summed_up(timeline)]
    rows = rows.assign(who=list(map(name_of, rows["person"], rows["face_id"])))
    twice = rows.groupby(["frame", "who"]).cumcount()  # a person who is two faces at once
    rows["who"] = [numbered(who, 1 + at) for who, at in zip(rows["who"], twice, strict=True)]
    shares = [f"smooth_{name}" if f"smooth_{name}" in rows else name for name in EMOTIONS]
    wide = rows.pivot(index="frame", columns="who", values=shares)
    curves = {
        f"{who} {emotion}": wide[share, who]
        for who in dict.fromkeys(rows["who"])
        for emotion, share in zip(EMOTIONS, shares, strict=True)
    }
    return pd.DataFrame(curves, index=frames.index).set_axis((frames * TICKS).round().astype(int))


def _meaning(table: str, names: Sequence[str], date: str) -> Element:
    """What the columns of a table of curves are."""
    root = Element("timeseries", date=date, version="1.0")
    about = {"source-url": table, "sample-type": "Discontinuous Rate", "time-column": "0"}
    source = SubElement(root, "tracksource", about)
    SubElement(source, "property", key="provider", value=READER)
    for column, name in enumerate(names, start=1):
        track = SubElement(source, "track", name=name, derivative="0")
        SubElement(SubElement(track, "sample-position"), "pos", row="0", col=str(column))
        SubElement(track, "units").text = "share"
        SubElement(track, "range", min="0.0", max="1.0")
        colour = bytes.fromhex(TABLE[(column - 1) % len(TABLE)].colour[1:])
        SubElement(track, "color").text = ",".join(map(str, colour))
    return root


def _write_xml(path: Path, root: Element) -> None:
    indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    path.write_text(f"{head}\n{tostring(root, encoding='unicode')}\n", encoding="utf-8", newline="\n")


def _document(results: Results, source: Mapping[str, Any], folder: Path) -> Elan.Eaf:
    """The file for a video; it will lie in ``folder``, or as deep as that."""
    document = Elan.Eaf(author=f"fer-batch {results.run['fer_batch']}")
    document.adocument |= {
        "DATE": results.run["finished"],
        "FORMAT": "3.0",
        "VERSION": "3.0",
        "xsi:noNamespaceSchemaLocation": SCHEMA,
    }
    document.header = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    link = NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", media_link(results, source, folder))
    kind = mimetypes.guess_type(link)[0] or "unknown"
    # Where the address is not found, ELAN looks for the relative one, and for a file of this name beside its own.
    document.add_linked_file(link, link, kind, time_origin=0)
    for tier in tiers(results, source, TICKS):
        document.add_tier(tier.name)
        for start, stop, label in tier.intervals:
            document.add_annotation(tier.name, start, stop, label)
    document.remove_tier("default")
    document.properties = [("lastUsedAnnotationId", str(document.maxaid - 1))]
    return document
