"""ELAN (.eaf, format 3.0): a tier for each person or face, a tier of events, and the video linked.

Times are whole milliseconds. Zero is where the video's earliest stream begins, as in ELAN's players: TIME_ORIGIN is 0.
"""

import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pympi import Elan

from fer_batch.exports.tiers import each_video, tiers
from fer_batch.exports.video import media_link
from fer_batch.output.results import Results

TICKS = 1000

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold, which names of files may have."""

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


def write(results: Results, folder: Path) -> None:
    """Write an .eaf file for each video whose times are known."""
    for source, path in each_video(results, folder, ".eaf"):
        text = Elan.to_string(_document(results, source, path.parent))
        path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', encoding="utf-8", newline="\n")


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
