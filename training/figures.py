"""Confusion matrices and reliability diagrams as SVG files; the same evaluation gives the same bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.emotions import EMOTIONS
from fer_batch.output.files import replacing
from fer_batch.report.texts import label
from training.evaluate import TEST_SPLITS, Evaluation, Result, Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULES: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": "fer-batch", "font.size": 9}
DARK = 0.55
"""Part of a row from which a cell is so dark that its number is written in white."""
BLUE = "#0072B2"
GREY = "#757575"


def write_figures(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write every figure without flips, ``confusion-…`` and ``reliability-…``; returns the files.

    Raises:
        OutputError: one cannot be written.
    """
    drawn = [
        (f"confusion-{result.rows}-{result.view}-{result.against}.svg", draw_confusion(result))
        for result in evaluation.results
        if not result.flips and result.rows in TEST_SPLITS
    ]
    drawn += [
        (f"reliability-{score.rows}-{score.view}-{score.against}.svg", draw_reliability(score))
        for score in evaluation.scores
    ]
    for name, text in drawn:
        with replacing(folder / name) as file:
            file.write(text)
    return [folder / name for name, _ in drawn]


def draw_confusion(result: Result) -> str:
    """SVG: for each true emotion (a row), in percent, how its faces were answered; a row without faces stays empty."""
    parts = result.confusion / np.maximum(result.confusion.sum(axis=1, keepdims=True), 1)
    labels = [label(emotion) for emotion in EMOTIONS]
    with _figure(5.4, 5.0) as figure:
        axes = figure.add_axes((0.2, 0.17, 0.77, 0.75))
        axes.pcolormesh(parts, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
        axes.set(
            xlim=(0, len(labels)),
            ylim=(len(labels), 0),
            xlabel="Answer",
            ylabel="Truth",
            title=f"{result.view} against the {result.against}, {result.rows}: {result.faces:,} faces, rows in %",
        )
        middles = np.arange(len(labels)) + 0.5
        axes.set_xticks(middles, labels, rotation=35, ha="right")
        axes.set_yticks(middles, labels)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (row, column), part in np.ndenumerate(parts):
            if result.confusion[row].any():
                colour = "white" if part > DARK else "black"
                axes.text(column + 0.5, row + 0.5, f"{100 * part:.1f}", ha="center", va="center", color=colour)
        return _svg(figure)


def draw_reliability(score: Score) -> str:
    """SVG: accuracy over confidence, a point for each bin; those of a calibrated model are on the diagonal.

    Against votes, accuracy is the part of the raters who agree; against both, the mean of that and of labels. Crosses
    are without the model's temperature.
    """
    with _figure(4.6, 4.6) as figure:
        axes = figure.add_axes((0.13, 0.11, 0.84, 0.81))
        axes.plot((0, 1), (0, 1), color=GREY, linewidth=0.8)
        for name, bins, marker, colour in (
            ("as it answers", score.reliability, "o", BLUE),
            ("without temperature", score.uncalibrated_reliability, "x", "black"),
        ):
            legend = f"{name}: error {100 * bins.error:.1f} %, by chance {100 * bins.expected:.1f} %"
            axes.plot(bins.confidence, bins.accuracy, marker, color=colour, label=legend, markersize=5)
        axes.set(
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
            xlabel="Confidence: the answer's share",
            ylabel="Accuracy" if score.accuracy else "Opinions that agree",
            title=f"{score.view}, {score.rows}: {score.faces:,} faces against the {score.against}",
        )
        axes.legend(loc="lower right", frameon=False)
        return _svg(figure)


@contextmanager
def _figure(width: float, height: float) -> Iterator["Figure"]:
    """A figure of this size in inches, drawn by RULES and not by the user's matplotlibrc, without a window."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)  # type: ignore[arg-type]  # its stub wants every name as a literal
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        yield figure


def _svg(figure: "Figure") -> str:
    """The figure as SVG, without creator and date."""
    written = io.StringIO()
    figure.savefig(written, format="svg", facecolor="white", metadata=dict.fromkeys(("Creator", "Date")))
    return written.getvalue()
