"""``python -m training``: the only module here that prints. Slow imports stand where they are needed."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_batch.classifiers.model_file import SHIPPED, ModelFile
from fer_batch.errors import UsageError
from fer_batch.output.files import replacing, write_json
from training.command_line import Data, Json, Limit, Model, Others, Settings, errors_in_one_line, read_splits
from training.config import Config, with_settings

if TYPE_CHECKING:
    from training.evaluate import Evaluation

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _prepare() -> None:
    """Train the emotion network on FER2013 with FER+'s votes, measure it, and write what is shipped with it.

    Keras computes with the library that KERAS_BACKEND names: tensorflow, jax or torch.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must stand before TensorFlow is imported


@app.command()
def fit(
    data: Data,
    out: Annotated[Path, typer.Option(show_default=False, help="Folder of the run; one that was cut goes on.")],
    epochs: Annotated[
        int | None, typer.Option(min=1, help=f"Times that every image is seen.  [default: {Config.epochs}]")
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
    with errors_in_one_line():
        splits = read_splits(data, ("Training", "PublicTest"), limit)
        config = with_settings(Config(), settings or ())
        config = replace(config, epochs=epochs or config.epochs, seed=config.seed if seed is None else seed)

        from training.run import MODEL_NAME, train_model

        evaluation = train_model(
            config,
            splits["Training"],
            splits["PublicTest"],
            out,
            start=None if start is None else ModelFile(start),
            teachers=[ModelFile(teacher) for teacher in teachers or ()],
        )
        _show(evaluation)
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

    For a GPU: the teachers take ten times the student's work for an image.
    """
    with errors_in_one_line():
        splits = read_splits(data, ("Training", "PublicTest"), limit)
        student = with_settings(Config(), settings or ())

        from training import run

        teachers = [with_settings(config, teacher_settings or ()) for config in run.teacher_configs(student)]
        _show(run.distil(student, teachers, splits["Training"], splits["PublicTest"], out))
        typer.echo(out / run.MODEL_NAME)


@app.command()
def calibrate(
    data: Data,
    model: Annotated[Path, typer.Option(show_default=False, help="A file that fit or calibrate wrote.")],
    out: Annotated[Path, typer.Option(show_default=False, help="The new file; may be the same.")],
) -> None:
    """Fit anew, on PublicTest, what is fitted after training: the biases of rare emotions, and two temperatures."""
    with errors_in_one_line():
        file = ModelFile(model)
        _must_be_a_model(out)
        splits = read_splits(data, ("PublicTest",))

        from training.run import calibrate_file

        for line in calibrate_file(file, splits["PublicTest"], out):
            typer.echo(line)
        typer.echo(out)


@app.command()
def combine(
    data: Data,
    models: Annotated[
        list[Path], typer.Argument(metavar="MODELS...", show_default=False, help="Files that fit or combine wrote.")
    ],
    out: Annotated[Path, typer.Option(show_default=False, help="The new file.")],
    weights: Annotated[
        list[float] | None,
        typer.Option(
            "--weight", show_default=False, help="How much each model counts, in their order; default: alike."
        ),
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Take the mean with the mirror image too: twice the work.")
    ] = False,
) -> None:
    """Write one file that answers with the mean of several models, calibrated on PublicTest as a whole."""
    with errors_in_one_line():
        files = [ModelFile(model) for model in models]
        _must_be_a_model(out)
        splits = read_splits(data, ("PublicTest",))

        from training import committee

        committee.combine(files, splits["PublicTest"], out, weights=weights or (), mirrored=mirror)
        typer.echo(out)


@app.command()
def split(
    model: Annotated[Path, typer.Argument(metavar="MODEL", show_default=False, help="A file that combine wrote.")],
    out: Annotated[Path, typer.Option(show_default=False, help="The folder to write its members to.")],
) -> None:
    """Write the members of a file that combine wrote, each as it was."""
    with errors_in_one_line():
        file = ModelFile(model)

        from training import committee

        for path in committee.split(file, out):
            typer.echo(path)


@app.command()
def widen(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODELS...", show_default=False, help="Files that fit wrote.")
    ],
    out: Annotated[Path, typer.Option(show_default=False, help="The new file, for fit's --start.")],
) -> None:
    """Write one wide network that holds several narrower ones side by side, to train it further."""
    with errors_in_one_line():
        files = [ModelFile(model) for model in models]
        _must_be_a_model(out)

        from training import widen as widening

        config = widening.widen(files, out)
        filters = ",".join(map(str, config.stage_filters))
        typer.echo(f"{out}: train it with --set stem_filters={config.stem_filters} --set stage_filters={filters}")


@app.command()
def score(
    data: Data,
    faces: Others,
    models: Annotated[
        list[Path] | None,
        typer.Option("--model", show_default=False, help="May be repeated; if left out, the shipped model."),
    ] = None,
    greedy: Annotated[
        bool, typer.Option("--committee", help="Also the committees of them, each time with the one that helps most.")
    ] = False,
    limit: Limit = None,
) -> None:
    """Print the score by which models are chosen, on PublicTest and on faces of other people."""
    with errors_in_one_line():
        files = [ModelFile(model) for model in models or (None,)]
        public = read_splits(data, ("PublicTest",), limit)["PublicTest"]
        trial_rows = read_splits(faces, ("PrivateTest",), limit)["PrivateTest"]

        from training import scoring
        from training.prediction import load, predictor

        trial = scoring.Trial(public, trial_rows)
        shares = {str(file.path): trial.ask(predictor(load(file.path))) for file in files}
        typer.echo(scoring.render_scores({name: scoring.measure(answers, trial) for name, answers in shares.items()}))
        if greedy:
            typer.echo("")
            typer.echo(scoring.render_scores({f"+ {name}": found for name, found in scoring.choose(shares, trial)}))


@app.command()
def others(
    faces: Others,
    model: Model = None,
    metrics: Json = None,
) -> None:
    """Print how a model answers on faces of other people, and how often it sees expressions in neutral ones."""
    with errors_in_one_line():
        file = ModelFile(model)
        split = read_splits(faces, ("PrivateTest",))["PrivateTest"]

        from training import others as other_people
        from training import release

        found = release.measure_file_others(file, split)
        typer.echo(other_people.render_others(found))
        if metrics is not None:
            write_json(metrics, release.metrics_as_json(file, {}) | {"others": other_people.as_json(found, split)})


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", show_default=False, help="A file that fit wrote.")],
) -> None:
    """Write the model for OpenVINO, the runtime for CPUs, beside it: MODEL.xml and MODEL.bin."""
    with errors_in_one_line():
        file = ModelFile(model)

        from training import openvino_file

        typer.echo(openvino_file.write_openvino(file.path))


@app.command()
def evaluate(
    data: Data,
    model: Model = None,
    metrics: Json = None,
    figures: Annotated[
        Path | None,
        typer.Option(show_default=False, help="Also draw confusion matrices and reliability into this folder, as SVG."),
    ] = None,
) -> None:
    """Print how well a model answers on PublicTest and PrivateTest, and how good its shares are as probabilities."""
    with errors_in_one_line():
        file = ModelFile(model)
        splits = read_splits(data, ("PrivateTest",))

        from training import figures as drawing
        from training import release

        evaluation = release.evaluate_file(file, splits)
        _show(evaluation)
        if metrics is not None:
            write_json(metrics, release.metrics_as_json(file, splits, evaluation))
        if figures is not None:
            for path in drawing.write_figures(evaluation, figures):
                typer.echo(path)


@app.command()
def robustness(data: Data, model: Model = None, metrics: Json = None) -> None:
    """Print how well a model answers on changed images of PublicTest and PrivateTest, in percent."""
    with errors_in_one_line():
        file = ModelFile(model)
        splits = read_splits(data, ("PrivateTest",))

        from training import release
        from training.robustness import render_robustness

        robust = release.measure_file_robustness(file, splits)
        typer.echo(render_robustness(robust))
        if metrics is not None:
            write_json(metrics, release.metrics_as_json(file, splits, robust=robust))


@app.command()
def selection(data: Data) -> None:
    """Print what leaving out a fifth of degraded PublicTest and PrivateTest does, for the shipped model."""
    with errors_in_one_line():
        from fer_batch.options import AUTO
        from training.evaluate import TEST_SPLITS
        from training.selection import WAYS, measure_selection, render_selection

        splits = read_splits(data, ("PrivateTest",))
        predict = ModelFile().load(256, AUTO).predict
        for name in TEST_SPLITS:
            if name in splits:
                for way in WAYS:
                    title = f"{name}, {way} degraded"
                    typer.echo(render_selection(title, measure_selection(predict, splits[name], way)))


@app.command()
def card(
    metrics: Annotated[
        list[Path],
        typer.Argument(
            metavar="METRICS_JSON...", show_default=False, help="What release, or evaluate and robustness, wrote."
        ),
    ],
    out: Annotated[Path, typer.Option(show_default=False, help="The card to write.")],
    model: Model = None,
) -> None:
    """Write the card of a model from its metrics; fer-batch finds it beside the model, with the suffix .md."""
    with errors_in_one_line():
        from training.card import CardFacts, read_metrics, render_card

        file = ModelFile(model)
        text = render_card(CardFacts.of(file, read_metrics(metrics, file)))
        with replacing(out) as written:
            written.write(text)
        typer.echo(out)


@app.command()
def release(
    run: Annotated[Path, typer.Argument(metavar="RUN", show_default=False, help="Folder of a finished run.")],
    data: Data,
    recalibrate: Annotated[bool, typer.Option("--calibrate", help="First do what calibrate does.")] = False,
    faces: Annotated[
        Path | None,
        typer.Option("--others", show_default=False, help="Also measure it on these faces of other people."),
    ] = None,
) -> None:
    """Measure a run's model, and write all that is shipped with it beside it: metrics, OpenVINO's files and card.

    OpenVINO's converter does not run under Python 3.13: use 3.11 or 3.12.
    """
    with errors_in_one_line():
        file = ModelFile(run / SHIPPED.name)
        splits = read_splits(data, ("Training", "PublicTest", "PrivateTest"))
        other_people = None if faces is None else read_splits(faces, ("PrivateTest",))["PrivateTest"]

        from training import release as releasing
        from training.robustness import render_robustness
        from training.run import calibrate_file

        if recalibrate:
            for line in calibrate_file(file, splits["PublicTest"], file.path):
                typer.echo(line)
            file = ModelFile(file.path)
        evaluation, robust, paths = releasing.release(file, splits, other_people)
        _show(evaluation)
        typer.echo(f"\n{render_robustness(robust)}\n")
        for path in paths:
            typer.echo(path)


def _must_be_a_model(out: Path) -> None:
    if out.suffix != ".keras":
        raise UsageError(f"{out} must end in .keras.")


def _show(evaluation: "Evaluation") -> None:
    from training.evaluate import render_results, render_scores

    typer.echo(f"{render_results(evaluation)}\n\n{render_scores(evaluation)}")


if __name__ == "__main__":
    app(prog_name="python -m training")
