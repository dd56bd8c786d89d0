"""``python -m training``: the only module here that prints. What takes long to import is imported when it is needed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_batch.emotions import VIEWS
from fer_batch.errors import ExitCode, FerBatchError, UsageError
from training.config import Config, with_settings

if TYPE_CHECKING:
    from training.evaluate import Report
    from training.fer2013 import Split

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="fer2013.csv with FER+'s fer2013new.csv beside it, or a folder: of both, of parquet, of train/ and test/.",
    ),
]

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", show_default=False, help="Any setting of config.py; may be repeated."),
]
Limit = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Only the first rows of each split: for trying.")
]


@app.callback()
def _prepare() -> None:
    """Train the emotion network on FER2013 with FER+'s votes, and measure it.

    Keras computes with the library that KERAS_BACKEND names: tensorflow, jax or torch.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must stand before TensorFlow is imported


@app.command()
def fit(
    data: Data,
    out: Annotated[Path, typer.Option(show_default=False, help="Folder of the run; one that was cut goes on.")],
    epochs: Annotated[
        int | None, typer.Option(min=1, help=f"Times that every picture is seen.  [default: {Config.epochs}]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random numbers.  [default: 0]")] = None,
    settings: Settings = None,
    start: Annotated[
        Path | None, typer.Option(show_default=False, help="A model whose weights to begin with, instead of new ones.")
    ] = None,
    teachers: Annotated[
        list[Path] | None,
        typer.Option("--teacher", show_default=False, help="A model whose shares are learnt too; may be repeated."),
    ] = None,
    limit: Limit = None,
) -> None:
    """Train, and write OUT/fer2013.keras."""
    with _errors_in_one_line():
        splits = _read(data, ("Training", "PublicTest"), limit)
        config = with_settings(Config(), settings or ())
        config = replace(config, epochs=epochs or config.epochs, seed=config.seed if seed is None else seed)

        from fer_batch.classifiers.model_file import ModelFile
        from training.run import MODEL_NAME, run

        report = run(
            config,
            splits["Training"],
            splits["PublicTest"],
            out,
            start=None if start is None else ModelFile(start),
            teachers=[ModelFile(teacher) for teacher in teachers or ()],
        )
        _show(report)
        typer.echo(out / MODEL_NAME)


@app.command()
def distil(
    data: Data,
    out: Annotated[Path, typer.Option(show_default=False, help="Folder of the runs; one that was cut goes on.")],
    settings: Settings = None,
    teacher_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set-teachers", metavar="NAME=VALUE", show_default=False, help="As --set, for all of the teachers."
        ),
    ] = None,
    limit: Limit = None,
) -> None:
    """Train several large teachers and then the student that learns from them, and write OUT/fer2013.keras.

    For a GPU: the teachers take ten times the work of a picture that the student takes.
    """
    with _errors_in_one_line():
        splits = _read(data, ("Training", "PublicTest"), limit)
        student = with_settings(Config(), settings or ())

        from training import run

        teachers = [with_settings(config, teacher_settings or ()) for config in run.teachers(student)]
        _show(run.distil(student, teachers, splits["Training"], splits["PublicTest"], out))
        typer.echo(out / run.MODEL_NAME)


@app.command()
def calibrate(
    data: Data,
    model: Annotated[Path, typer.Option(show_default=False, help="A file that fit or calibrate wrote.")],
    out: Annotated[Path, typer.Option(show_default=False, help="The new file; may be the same.")],
) -> None:
    """Fit what is fitted after training anew, on PublicTest: the weight of rare emotions, and two temperatures."""
    with _errors_in_one_line():
        from fer_batch.classifiers.model_file import ModelFile

        file = ModelFile(model)
        if out.suffix != ".keras":
            raise UsageError(f"{out} must end in .keras.")
        validation = _read(data, ("PublicTest",), None)["PublicTest"]
        if not validation.has_shares.any():
            raise UsageError(f"{data} holds no FER+ votes: put fer2013new.csv beside fer2013.csv.")

        from training import export, prediction, provenance
        from training.evaluate import UNCALIBRATED
        from training.run import calibrated

        facts = file.metadata.get("provenance", {})
        found = prediction.load(file.path)
        before = export.temperatures(found)
        trained = export.with_biases(export.with_temperatures(found, UNCALIBRATED), -provenance.biases(facts))
        changed, biases, temperatures = calibrated(trained, validation)
        export.write(changed, out, {**facts, **provenance.calibration(temperatures, biases)})
        for view, old, new, added in zip(VIEWS, before, temperatures, biases, strict=True):
            typer.echo(f"{view}: temperature {new:.4f}, was {old:.4f}; rarest emotion's logit {added.max():+.3f}")
        typer.echo(out)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", show_default=False, help="A file that fit wrote.")],
) -> None:
    """Write the model for OpenVINO, the runtime for CPUs, beside it: MODEL.xml and MODEL.bin."""
    with _errors_in_one_line():
        from fer_batch.classifiers.model_file import ModelFile

        file = ModelFile(model)

        from training import openvino_file

        typer.echo(openvino_file.write(file.path))


@app.command()
def evaluate(
    data: Data,
    model: Annotated[
        Path | None, typer.Option(show_default=False, help="A file that fit wrote; if left out, the shipped model.")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option("--json", show_default=False, help="Also write every figure to this file.")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(show_default=False, help="Also draw confusion matrices and reliability into this folder, as SVG."),
    ] = None,
) -> None:
    """Print how well a model answers on PublicTest and PrivateTest, and what its shares are worth."""
    with _errors_in_one_line():
        from fer_batch.classifiers.model_file import ModelFile
        from fer_batch.output.files import replacing

        file = ModelFile(model)
        splits = _read(data, ("PrivateTest",), None)

        from training import figures as drawing
        from training import prediction, provenance
        from training.evaluate import evaluate as measure

        made = file.metadata.get("provenance", {})
        temperatures = provenance.temperatures(made)
        report = measure(prediction.predictor(prediction.load(file.path)), splits, temperatures)
        _show(report)
        if metrics is not None:
            facts = {
                "model": {"file": file.path.name, "sha256": file.sha256},
                "data": {name: {"rows": len(split), "sha256": split.sha256} for name, split in splits.items()},
                "versions": provenance.versions(),
                **provenance.calibration(temperatures, provenance.biases(made)),
                "results": report.as_json(),
                "scores": report.scores_as_json(),
            }
            with replacing(metrics) as written:
                json.dump(facts, written, indent=2)
        if figures is not None:
            for path in drawing.write(report, figures):
                typer.echo(path)


def _read(data: Path, needed: tuple[str, ...], limit: int | None) -> "dict[str, Split]":
    from training import fer2013

    splits = fer2013.read(data)
    for name in needed:
        if name not in splits:
            raise UsageError(f"{data} holds no rows of {name}, which this needs.")
    return splits if limit is None else {name: split.head(limit) for name, split in splits.items()}


def _show(report: "Report") -> None:
    from training.evaluate import render, render_scores

    typer.echo(f"{render(report)}\n\n{render_scores(report)}")


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except FerBatchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(ExitCode.USAGE) from None


if __name__ == "__main__":
    app(prog_name="python -m training")
