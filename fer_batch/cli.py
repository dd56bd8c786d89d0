"""The command line: the only module that prints and exits. Nothing heavy is imported before it is needed."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from fer_batch._version import __version__
from fer_batch.errors import ExitCode, FerBatchError, UsageError
from fer_batch.options import CliOption, Options, ReportOptions

if TYPE_CHECKING:
    from fer_batch.pipeline.forecast import Cost
    from fer_batch.pipeline.run import Run
    from fer_batch.types import Outcome, Source

app = typer.Typer(
    name="fer-batch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Emotion timelines from the faces in photos and videos: CSV tables and an HTML report.",
    epilog="Exit codes: 0 done, 1 done, but something is missing, 2 usage, 3 nothing usable, 4 model or detector, "
    "5 output cannot be written, 130 interrupted.",
)

SOME = 3
"""Names that a message lists."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the report's path only.")]


@contextmanager
def _errors_to_exit_codes() -> Iterator[None]:
    """Print what went wrong on stderr, and exit with the code that stands for it."""
    try:
        yield
    except FerBatchError as error:
        _warn(f"error: {error}")
        raise typer.Exit(error.exit_code) from None
    except ImportError as error:
        _warn(
            f"error: a library cannot be loaded: {error}. On Debian or Ubuntu OpenCV needs: apt-get install libgl1 "
            "libglib2.0-0. Otherwise install fer-batch again."
        )
        raise typer.Exit(ExitCode.MODEL) from None
    except OSError as error:
        _warn(f"error: cannot write: {error.strerror or error}.")
        raise typer.Exit(ExitCode.OUTPUT) from None
    except KeyboardInterrupt:
        _warn("interrupted; run the same command again to continue.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _parameters(option_class: type[Any], names: Collection[str]) -> Iterator[tuple[CliOption, Parameter]]:
    """How each field of an option class, or those of these names, looks on the command line."""
    types = get_type_hints(option_class, include_extras=True)
    for field in fields(option_class):
        if names and field.name not in names:
            continue
        value_type, option = get_args(types[field.name])
        name = field.name.replace("_", "-")
        typer_option = typer.Option(
            f"--{name}/--no-{name}" if option.negatable else f"--{name}",
            help=option.help,
            metavar=option.metavar,
            exists=option.exists is not None,
            file_okay=option.exists != "folder",
            dir_okay=option.exists != "file",
        )
        given_type = str | None if option.parse else value_type
        annotation: Any = Annotated[given_type, typer_option]
        yield option, Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with one option for each field of the option classes among its parameters, in their place.

    ``Annotated[Options, "model"]`` gives the option ``--model`` only; the other fields keep their defaults.
    """
    parameters: list[Parameter] = []
    taken: dict[str, tuple[type[Any], dict[str, CliOption]]] = {}
    for parameter in signature(command).parameters.values():
        option_class, *names = get_args(parameter.annotation) or (parameter.annotation,)
        if option_class not in (Options, ReportOptions):
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
            continue
        made = list(_parameters(option_class, names))
        parameters += [made_parameter for _, made_parameter in made]
        taken[parameter.name] = option_class, {made_parameter.name: option for option, made_parameter in made}

    @wraps(command)
    def run(**values: Any) -> None:
        for name, (option_class, options) in taken.items():
            given = {field: values.pop(field) for field in options}
            parsed = {field: option.parse(given[field]) for field, option in options.items() if option.parse}
            values[name] = option_class(**given | parsed)
        command(**values)

    vars(run)["__signature__"] = Signature(parameters)
    return run


@app.command()
@_errors_to_exit_codes()
@_with_options
def analyze(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", exists=True, help="Photos, videos, folders.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", file_okay=False, help="Output folder; default: NAME-emotions. Results add up."),
    ] = None,
    *,
    options: Options,
    report_options: Annotated[ReportOptions, "thumbnails", "anonymize", "charts"],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what the run would take, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find every face, write timelines (CSV) and a report (HTML).

    Run again on the same output folder, it does only what is missing.
    """
    if dry_run:
        _print_forecast(inputs, options, as_json)
        return
    run = _analyze(inputs, options, report_options, out, verbose=not (quiet or as_json))
    if as_json:
        typer.echo(json.dumps(_as_json(run), ensure_ascii=False, indent=2))
    else:
        typer.echo(run.report)
    if not run.complete:
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


@app.command()
@_errors_to_exit_codes()
@_with_options
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write one HTML file of at most 5 MB, for sending, instead.")
    ] = False,
    *,
    report_options: ReportOptions,
) -> None:
    """Render the report again, from the tables in an output folder."""
    from fer_batch.report.render import render, render_single_file

    typer.echo((render_single_file if single_file else render)(folder, report_options, warn=_warn))


@app.command()
@_errors_to_exit_codes()
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="FORMAT[,FORMAT...]", help="What to write.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", file_okay=False, help="Where to; default: DIR/exports.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace files that were changed since they were exported.")
    ] = False,
    list_formats: Annotated[bool, typer.Option("--list", help="Print what each format is for, and stop.")] = False,
) -> None:
    """Write files for other programs, from the tables in an output folder."""
    from fer_batch import exports

    if list_formats:
        width = max(map(len, exports.REGISTRY))
        typer.echo("\n".join(f"{name:{width}}  {made.purpose}" for name, made in exports.REGISTRY.items()))
        return
    if folder is None or to is None:
        raise UsageError("Name an output folder and a format: fer-batch export DIR --to FORMAT. See --list.")
    _export(folder, exports.parse_formats(to), out, overwrite=overwrite)


@app.command()
@_errors_to_exit_codes()
@_with_options
def info(
    options: Annotated[Options, "model"],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print which versions, detector, model and device are used, and the model card."""
    from fer_batch import detection
    from fer_batch.classifiers.model_file import ModelFile
    from fer_batch.output.manifest import versions

    file = ModelFile(options.model)
    facts: dict[str, Any] = {
        "fer-batch": __version__,
        "versions": versions(),
        "detector": detection.make(detection.DEFAULT).facts,
        "model": {
            **file.facts,
            "runtime": file.load(options.batch_size).runtime,
            "why": file.choose(options.runtime)[1],
        },
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    typer.echo("\n".join(_lines(facts)))
    card = file.card
    typer.echo(f"\n{card}" if card else f"model card: there is none beside {file.path.name}", nl=not card)


@app.command()
@_errors_to_exit_codes()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder to make.")],
    quiet: Quiet = False,
) -> None:
    """Make a sample (a photo and a video of one face) and analyse it."""
    from fer_batch.demo import make_sample
    from fer_batch.output import folder as outfolder

    outfolder.claim(folder)
    make_sample(folder / "sample")
    report_options = ReportOptions(thumbnails=True, charts=True)
    typer.echo(_analyze([folder / "sample"], Options(), report_options, folder / "emotions", verbose=not quiet).report)


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    """Print the version, or run a command."""
    if version:
        typer.echo(f"fer-batch {__version__}")
        raise typer.Exit


def _analyze(
    inputs: list[Path], options: Options, report_options: ReportOptions, out: Path | None, *, verbose: bool
) -> "Run":
    from fer_batch.pipeline.run import analyze as run_batch

    with _TerminalProgress(verbose) as progress:
        run = run_batch(inputs, options, out=out, progress=progress, report_options=report_options)
    for line in run.skipped:
        _warn(f"{_SEVERITIES[line.severity]}: {line.file}: {line.reason}")
    if verbose:
        for name, place in run.moved.items():
            _warn(f"{name} was elsewhere in an earlier run; now it is {place}.")
        _say_what_is_kept(run)
    if run.ignored and verbose:
        _warn(f"{len(run.ignored)} other files are neither photos nor videos; run.json names them.")
    return run


def _export(folder: Path, formats: Sequence[str], out: Path | None, *, overwrite: bool) -> None:
    """Write these formats, print their paths, and end with SOME_LEFT_OUT where one has nothing to show."""
    from fer_batch.exports.export import export as write
    from fer_batch.output.exported import FOLDER

    made = write(folder, formats, out=out or folder / FOLDER, overwrite=overwrite, note=_warn)
    for path in made:
        typer.echo(path)
    if len(made) < len(formats):
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


_SEVERITIES = {"lost": "left out", "partial": "not whole", "note": "note"}
"""What a line of errors.csv begins with in the terminal, by its severity."""


def _say_what_is_kept(run: "Run") -> None:
    if run.kept:
        _warn(
            f"kept: {_some([outcome.source.name for outcome in run.kept])} of earlier runs; tables and report hold "
            "them too. --replace removes what is not among the inputs."
        )
    if run.removed:
        _warn(
            f"removed, as they are not among the inputs: {_some(run.removed)}. Their finished chunks are still there."
        )


def _some(names: Sequence[str]) -> str:
    """Some names, and how many others there are."""
    return ", ".join(names) if len(names) <= SOME else f"{', '.join(names[:SOME])} and {len(names) - SOME} more"


class _TerminalProgress:
    """A Progress with a bar on stderr, where that is a terminal, and a line on stdout for each finished source."""

    def __init__(self, verbose: bool) -> None:
        from tqdm import tqdm

        self._verbose = verbose
        self._bar = tqdm(unit="frame", disable=None if verbose else True, leave=False, total=0.0)

    def __enter__(self) -> "_TerminalProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin(self, source: "Source", frames: int) -> None:
        """Add a source's frames to the bar's total."""
        self._bar.set_description(_one_line(source.name), refresh=False)
        self._bar.total = (self._bar.total or 0) + frames
        self._bar.refresh()

    def advance(self, frames: int) -> None:
        """Move the bar on by so many frames."""
        self._bar.update(frames)

    def end(self, source: "Source", outcome: "Outcome | None") -> None:
        """Print a source's counts; a source without a timeline has a warning at the end of the run instead."""
        if outcome is not None and self._verbose:
            self._bar.clear()
            typer.echo(
                f"{_one_line(source.name)}: {outcome.frames} frames, {outcome.frames_with_face} with a face, "
                f"{outcome.faces} faces"
            )


def _print_forecast(inputs: list[Path], options: Options, as_json: bool) -> None:
    from fer_batch.pipeline.forecast import SPARSE_FPS, forecast

    found = forecast(inputs, options)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    for line in found.skipped:
        _warn(f"left out: {line.file}: {line.reason}")
    typer.echo(f"{found.videos} videos of {_duration(found.video_seconds)} in all, {found.photos} photos")
    typer.echo(f"as asked:      {_cost(found.asked)}")
    typer.echo(f"with --fps {SPARSE_FPS:g}:  {_cost(found.sparse)}")
    if found.smallest_face is not None:
        width, height = found.largest_frame
        typer.echo(
            f"small faces:   most below {found.smallest_face} pixels of height are missed in frames of "
            f"{width}x{height}; --min-face searches them more closely, but takes longer"
        )


def _cost(cost: "Cost") -> str:
    return f"{cost.frames} frames to analyse, about {_duration(cost.seconds)}, {cost.bytes / 1e6:.1f} MB on disk"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min {seconds:02} s" if hours else f"{minutes} min {seconds:02} s"


def _as_json(run: "Run") -> dict[str, Any]:
    return {
        "report": str(run.report),
        "timelines": {name: str(path) for name, path in run.timelines.items()},
        "skipped": [asdict(line) for line in run.skipped],
        "ignored": list(run.ignored),
    }


def _lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"


def _one_line(name: str) -> str:
    """A text without line breaks and control characters, which could change what a terminal shows."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def _warn(message: str) -> None:
    typer.echo(f"fer-batch: {_one_line(message)}", err=True)
