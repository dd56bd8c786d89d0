"""From a matplotlib figure to SVG within an HTML page, or to a file for a paper.

Within a page charts use the page's text colour and fonts, so they are readable in light, in dark and on paper.
"""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
"""Placeholder of the page's text colour while drawing; no emotion has this colour."""

RULES: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fer-batch",
    "text.parse_math": False,  # "$" in a name is text
    "path.simplify": False,  # points are averaged, never dropped
    "font.size": 12,
    "hatch.linewidth": 0.6,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


PAPER_DPI = 300
"""Resolution of a PNG file for a paper, in dots per inch."""

METADATA = {"svg": ("Creator", "Date", "Format", "Type"), "png": ("Software",)}
"""What matplotlib would write beside a chart, such as the date and its version."""


@dataclass(frozen=True)
class Chart:
    """One chart, drawn."""

    svg: Markup
    """An <svg> element for a page."""
    files: Mapping[str, bytes]
    """The same chart for a paper, by the files' paths; empty unless asked for."""


def chart(drawing: "Figure", prefix: str, title: str, description: str, paper: str) -> Chart:
    """The figure as SVG for a page, with ids that begin with ``prefix``, and as files.

    ``paper`` is the files' path without a suffix; empty: make none.
    """
    forms = METADATA if paper else ()
    files = {f"{paper}.{form}": _saved(drawing, form, dpi=PAPER_DPI, facecolor="white") for form in forms}
    return Chart(_embedded(drawing, prefix, title, description), files)


def _saved(drawing: "Figure", form: str, **look: Any) -> bytes:
    """The figure as a file; the same figure gives the same bytes."""
    written = io.BytesIO()
    drawing.savefig(written, format=form, metadata=dict.fromkeys(METADATA[form]), **look)
    return written.getvalue()


@contextmanager
def figure(width: int, height: int) -> Iterator["Figure"]:
    """A figure of this size in SVG units, under RULES instead of the user's matplotlibrc."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)  # type: ignore[arg-type]  # its stub wants every name as a literal
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        yield figure


def _embedded(drawing: "Figure", prefix: str, title: str, description: str) -> Markup:
    """The figure as an <svg> element with ids of its own, scalable, without an XML document around it."""
    root = ET.fromstring(_saved(drawing, "svg", transparent=True))  # noqa: S314  written by matplotlib
    _tidy(root)
    _rename(root, prefix)
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-text",
        "stroke-linejoin": "round",
    }
    for tag, text in (("desc", description), ("title", title)):
        element = ET.Element(tag, {"id": f"{prefix}-{'text' if tag == 'desc' else tag}"})
        element.text = text
        root.insert(0, element)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  its texts are escaped


def _tidy(root: ET.Element) -> None:
    """Drop fonts and the style sheet, which would restyle the page; round numbers; use the page's text colour."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith("}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text = element.text if element.tag == "text" else None
        element.tail = None
        if element.tag == "text":
            del element.attrib["transform"]  # a rotation by 0: no text here is rotated
        for name, value in list(element.attrib.items()):
            if name == "d":
                element.attrib[name] = _shortened(value)
            elif name in {"x", "y", "width", "height"}:
                element.attrib[name] = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", value)
            elif name == "style":
                element.attrib[name] = re.sub(r"font-family: [^;]*;? ?", "", value).replace(INK, "currentColor")


def _shortened(path: str) -> str:
    """A path of straight lines as relative steps in tenths of a unit: a third of the length.

    Steps are between rounded points, so that no error adds up.
    """
    commands: list[str] = []
    x = y = 0
    for verb, right, down in re.findall(r"([MLz])(?: (\S+) (\S+))?", path):
        if verb == "z":
            commands.append("z")
            continue
        before = (x, y)
        x, y = round(float(right) * 10), round(float(down) * 10)
        if verb == "M":
            commands.append(f"M{_tenths(x)} {_tenths(y)}")
        elif (x, y) != before or commands[-1].startswith("M"):
            commands.append(f"l{_tenths(x - before[0])} {_tenths(y - before[1])}")
    return "".join(commands)


def _tenths(number: int) -> str:
    return f"{number / 10:.1f}".removesuffix(".0")


def _rename(root: ET.Element, prefix: str) -> None:
    """Give ids that are referred to ``prefix``, turn gids of this package into classes, and drop other ids."""
    pointer = re.compile(r"url\(#([^)]*)\)")
    used: dict[str, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            for target in pointer.findall(value):
                used.setdefault(target, f"{prefix}-{len(used)}")
            element.attrib[name] = pointer.sub(lambda match: f"url(#{used[match[1]]})", value)
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name.startswith("part-"):
            element.attrib["class"] = name.removeprefix("part-")
        elif name.startswith("xtick_"):
            element.attrib["class"] = "tick"
        elif name in used:
            element.attrib["id"] = used[name]
