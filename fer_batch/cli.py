"""The command line: the only module that exits. Nothing heavy is imported before it is needed."""

import json
import logging
import os
import shlex
import sys
import webbrowser
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_type_hints

import typer
from typer.core import TyperGroup

from fer_batch._version import __version__
from fer_batch.errors import ExitCode, FerBatchError, UsageError, why
from fer_batch.options import GROUPS, AnnotateOptions, CliOption, Options, ReportOptions
from fer_batch.terminal import (
    Meter,
    TerminalProgress,
    count,
    duration,
    interruptible,
    make_streams_safe,
    print_line,
    some,
    start_log,
    warn,
    write_traceback,
)

if TYPE_CHECKING:
    from fer_batch.annotations.config import Setting
    from fer_batch.pipeline.forecast import Cost
    from fer_batch.pipeline.run import Run
    from fer_batch.types import Skipped


class _Commands(TyperGroup):
    """The commands; a file or folder in the place of a command is told what to write."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and exit."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # help that cannot be printed; commands tell of their own errors
            warn(f"error: Cannot print on standard output: {why(error)}.")
            sys.exit(ExitCode.OUTPUT)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names."""
        if args and args[0] not in self.commands and os.path.exists(args[0]):
            ctx.fail(f"{args[0]} is an input, not a command. Write: fer-batch analyze {shlex.join(args)}")
        return super().resolve_command(ctx, args)


class _Program(typer.Typer):
    """The program: nothing that it prints, and nobody who stops reading it, ends it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and exit."""
        make_streams_safe()
        logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns where there is no home folder to write to
        return super().__call__(*args, **kwargs)


app = _Program(
    name="fer-batch",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Emotion timelines from the faces in photos and videos: CSV tables and an HTML report.",
    epilog="Exit codes: 0 done, 1 done, but something is missing, 2 usage, 3 nothing usable, 4 model or detector, "
    "5 output cannot be written, 70 unexpected, 130 interrupted.",
)

WORTH_TELLING = 0.9
"""``--dry-run`` tells what sampling spares if it takes less than this part of the time."""

RESULTS = "What comes out"
"""Heads options in the help, beside those of GROUPS."""

OpenIt = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the report's path only.")]


@contextmanager
def _errors_to_exit_codes() -> Iterator[None]:
    """Print what went wrong on stderr, and exit with the code that stands for it."""
    try:
        with interruptible():
            yield
    except FerBatchError as error:
        warn(f"error: {error}")
        raise typer.Exit(error.exit_code) from None
    except ImportError as error:
        warn(
            f"error: a library cannot be loaded: {error}. On Debian or Ubuntu OpenCV needs: apt-get install libgl1 "
            "libglib2.0-0. Otherwise install fer-batch again."
        )
        raise typer.Exit(ExitCode.MODEL) from None
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        warn(f"error: cannot read or write{name}: {why(error)}.")
        raise typer.Exit(ExitCode.OUTPUT) from None
    except KeyboardInterrupt:
        warn("interrupted; run the same command again to continue.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except MemoryError:
        warn("error: there is not enough memory. Close other programs, or give --workers 1.")
        raise typer.Exit(ExitCode.UNEXPECTED) from None
    except Exception as error:
        log = write_traceback(error)
        warn(f"error: unexpected {type(error).__name__}: {error}. Please report it, with {log}.")
        raise typer.Exit(ExitCode.UNEXPECTED) from None


def _parameters(option_class: type[Any], names: Collection[str]) -> Iterator[tuple[CliOption, Parameter]]:
    """How each field of an option class, or those of these names, looks on the command line."""
    types = get_type_hints(option_class, include_extras=True)
    for field in fields(option_class):
        if names and field.name not in names:
            continue
        value_type, option = get_args(types[field.name])
        name = field.name.replace("_", "-")
        groups = (group for group, members in GROUPS.items() if field.name in members)
        typer_option = typer.Option(
            f"--{name}/--no-{name}" if option.negatable else f"--{name}",
            help=option.help,
            metavar=option.metavar,
            exists=option.exists is not None,
            file_okay=option.exists != "folder",
            dir_okay=option.exists != "file",
            rich_help_panel=None if option_class is AnnotateOptions else next(groups, None),
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
        if option_class not in (AnnotateOptions, Options, ReportOptions):
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
            continue
        made = list(_parameters(option_class, names))
        parameters += [made_parameter for _, made_parameter in made]
        taken[parameter.name] = option_class, {made_parameter.name: option for option, made_parameter in made}

    @wraps(command)
    def run(**values: Any) -> None:
        if (context := values.get("context")) is not None:
            values |= _from_file(context, values)
        for name, (option_class, options) in taken.items():
            given = {field: values.pop(field) for field in options}
            parsed = {field: option.parse(given[field]) for field, option in options.items() if option.parse}
            values[name] = option_class(**given | parsed)
        command(**values)

    vars(run)["__signature__"] = Signature(parameters)
    return run


_NEVER_KEPT = frozenset("restart replace media shard".split())
"""Options that a file of options cannot have: they are for one run."""

_EXPORT = "Also write files for other programs."


def _keepable() -> dict[str, "Setting"]:
    """The options that a file of options may have, by the names of their parameters."""
    from fer_batch.annotations.config import Setting

    found = {"export_formats": Setting("export", str, None, _EXPORT)}
    for option_class in (Options, ReportOptions):
        types = get_type_hints(option_class, include_extras=True)
        for field in fields(option_class):
            value_type, option = get_args(types[field.name])
            kind = str if option.parse else next(iter(get_args(value_type)), value_type)
            if field.name not in _NEVER_KEPT:
                found[field.name] = Setting(field.name.replace("_", "-"), kind, field.default, option.help)
    return found


def _from_file(context: typer.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file of options, for options that the command line does not give; and write such a file.

    ``context.obj`` says then where each option comes from that has not its default.

    Raises:
        UsageError: there is something wrong in it.
        OutputRefused: the file to write is there, with other options.
    """
    from fer_batch.annotations import config
    from fer_batch.media.remote import is_remote

    settings = _keepable()
    path = values["config"] or config.find([path for path in values["inputs"] if not is_remote(path)])
    in_file = config.read(path, settings.values()) if path else {}
    sources = {name: context.get_parameter_source(name) for name in settings}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    found = {name: in_file[one.name] for name, one in settings.items() if one.name in in_file and name not in given}
    context.obj = dict.fromkeys(given, "command line") | dict.fromkeys(found, path.name if path else "")
    if found and not values["quiet"]:
        warn(f"options from {path}: {', '.join(settings[name].name for name in found)}.")
    if (target := values["save_config"]) is not None:
        chosen = {**values, **found}
        config.write(target, {one: chosen[name] for name, one in settings.items()})
        warn(f"wrote {target}.")
    return found


def _example(command: str) -> str:
    return f"Example: fer-batch {command}"


def _input(text: str) -> Path:
    """A path that exists, or a URL."""
    from fer_batch.media.remote import is_remote, parse

    if not text:  # an empty variable of the shell: the working directory is written as a dot
        raise typer.BadParameter("An input is empty. Name a file or a folder.")
    try:
        given = parse(text)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None
    if not is_remote(given) and not os.path.exists(given):
        raise typer.BadParameter(f"Path '{text}' does not exist.")
    return cast("Path", given)


def _output(text: str) -> Path:
    """A path of a folder that is there or may be made, or a URL."""
    from fer_batch.media.remote import is_remote, parse

    try:
        given = parse(text)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None
    if not is_remote(given) and given.is_file():
        raise typer.BadParameter(f"Directory '{text}' is a file.")
    return cast("Path", given)


@app.command(epilog=_example("analyze holiday/ interview.mp4 --out results"))
@_errors_to_exit_codes()
@_with_options
def analyze(
    context: typer.Context,
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", parser=_input, help="Photos, videos, folders; also by URL.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIRECTORY",
            parser=_output,
            help="Output folder, also by URL; default: NAME-emotions. Results add up.",
            rich_help_panel=RESULTS,
        ),
    ] = None,
    *,
    options: Options,
    report_options: Annotated[ReportOptions, "title", "thumbnails", "anonymize", "charts"],
    export_formats: Annotated[
        str | None,
        typer.Option("--export", metavar="FORMAT,...", help=_EXPORT, rich_help_panel=RESULTS),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Take options from this file; default: fer-batch.toml beside the inputs. The command line wins.",
        ),
    ] = None,
    save_config: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the options of this run into a file for --config.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what the run would take, and do nothing.")] = False,
    repeat: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="RUN.JSON",
            help="Take the options of an earlier run, and say whether the tables are the same.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    quiet: Quiet = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every step on stderr.")] = False,
    log: Annotated[
        Path | None, typer.Option("--log", dir_okay=False, help="Write every step, and errors in full, to this file.")
    ] = None,
) -> None:
    """Find every face, write timelines (CSV) and a report (HTML).

    Run again on the same output folder, it does only what is missing.
    """
    start_log(log, verbose=verbose)
    if repeat is not None:
        from fer_batch.media.remote import is_remote
        from fer_batch.pipeline.repeat import differences, options_of

        if is_remote(out):
            raise UsageError("--repeat compares files on this machine: choose a folder for --out.")
        options = options_of(repeat, options, inputs, out)
    if dry_run:
        _print_forecast(inputs, options, as_json)
        return
    formats: Sequence[str] = ()
    if export_formats is not None:
        from fer_batch.exports import parse_formats

        formats = parse_formats(export_formats)
    del config, save_config  # _with_options has read and written them
    verbosely = not (quiet or as_json)
    run = _analyze(inputs, options, report_options, out, verbose=verbosely, exports=formats, origins=context.obj or {})
    if as_json:
        print_line(json.dumps(_as_json(run), ensure_ascii=False, indent=2))
    else:
        print_line(run.report)
    if repeat is not None:
        found = differences(repeat, run.folder)
        warn("\n".join(found) if found else f"the same files, model and tables as {repeat} describes.")
        if found:
            raise typer.Exit(ExitCode.SOME_LEFT_OUT)
    if not run.complete or len(run.exported) < len(formats):
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


@app.command(epilog=_example("report results --thumbnails"))
@_errors_to_exit_codes()
@_with_options
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write one HTML file of at most 5 MB, for sending, instead.")
    ] = False,
    open_it: OpenIt = False,
    *,
    report_options: ReportOptions,
) -> None:
    """Render the report again, from the tables in an output folder."""
    from fer_batch.report.render import render, render_single_file

    with _counting_pages() as rendered:
        path = (render_single_file if single_file else render)(folder, report_options, warn=warn, progress=rendered)
    print_line(path)
    if open_it:
        webbrowser.open(path.resolve().as_uri())


@app.command(epilog=_example("merge node1 node2 --out study"))
@_errors_to_exit_codes()
def merge(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", exists=True, file_okay=False, help="Output folders.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIRECTORY", parser=_output, help="The folder to write, also by URL."),
    ],
) -> None:
    """Join output folders, such as those of --shard, into one with one report. No media is opened."""
    from fer_batch.pipeline.merge import merge as join

    with _counting_pages() as rendered:
        merged = join(folders, out, rendered)
    _say_what_is_amiss(merged.skipped)
    for note in merged.export_notes:
        warn(note)
    print_line(merged.report)
    if not merged.complete:
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


@contextmanager
def _counting_pages() -> Iterator[Callable[[int, int], None]]:
    """To be called with how many pages of a report there are, and are to be: a meter shows it."""
    meter = Meter("page", silent=False)

    def rendered(pages: int, of: int) -> None:
        meter.expect(of - meter.total)
        meter.advance(pages - meter.done)

    try:
        yield rendered
    finally:
        meter.close()


@app.command(epilog=_example("serve results --open"))
@_errors_to_exit_codes()
def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Default: any that is free.")] = 0,
    open_it: OpenIt = False,
) -> None:
    """Show the report by a server of its own, which nobody but this machine can reach, until it is interrupted.

    For browsers that play no videos in pages opened from the disk.
    """
    from fer_batch.report.serve import make_server

    server, address = make_server(folder, port)
    print_line(address)
    if open_it:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


@app.command(epilog=_example("export results --to xlsx,elan"))
@_errors_to_exit_codes()
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="FORMAT,...", help="What to write.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", file_okay=False, help="Where to; default: DIR/exports.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace files that were changed since they were exported.")
    ] = False,
    locale: Annotated[
        str | None,
        typer.Option("--locale", metavar="LOCALE", help="For excel-csv: en, fr, de-CH or another; default: de."),
    ] = None,
    list_formats: Annotated[bool, typer.Option("--list", help="Print what each format is for, and stop.")] = False,
) -> None:
    """Write files for other programs, from the tables in an output folder."""
    from fer_batch import exports
    from fer_batch.exports.export import export as write
    from fer_batch.output.exported import FOLDER

    if list_formats:
        width = max(map(len, exports.REGISTRY))
        print_line("\n".join(f"{name:{width}}  {made.purpose}" for name, made in exports.REGISTRY.items()))
        return
    if folder is None or to is None:
        raise UsageError("Name an output folder and a format: fer-batch export DIR --to FORMAT. See --list.")
    formats = exports.parse_formats(to)
    made = write(folder, formats, out=out or folder / FOLDER, overwrite=overwrite, locale=locale, note=warn)
    for path in made:
        print_line(path)
    if len(made) < len(formats):
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


@app.command(epilog=_example("annotate results --out annotated"))
@_errors_to_exit_codes()
@_with_options
def annotate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", file_okay=False, help="Where to; default: DIR/annotated or DIR/anonymized."),
    ] = None,
    *,
    options: AnnotateOptions,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace files that were changed since they were written.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the files' paths only.")] = False,
) -> None:
    """Write the videos and photos anew: faces boxed, with their emotions, or hidden (--anonymize).

    Run again, it makes only what is missing.
    """
    from fer_batch.pipeline.annotate import annotate as write

    meter = Meter("frame", silent=quiet)
    try:
        made = write(folder, options, out=out, overwrite=overwrite, meter=meter, note=warn)
    finally:
        meter.close()
    for path in made.files:
        print_line(path)
    if options.anonymize and not quiet:
        warn("Look at the result before you share it. Voices, clothes and places may still tell who somebody is.")
    if not made.complete:
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


FillIn = Annotated[
    Path | None, typer.Option("--out", "-o", dir_okay=False, help="The file to write; default: in this folder.")
]


@app.command(epilog=_example("people results --thumbnails"))
@_errors_to_exit_codes()
@_with_options
def people(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    out: FillIn = None,
    names: Annotated[
        Path | None,
        typer.Option("--people", exists=True, dir_okay=False, help="Take names from this people.csv, not from DIR."),
    ] = None,
    *,
    report_options: Annotated[ReportOptions, "thumbnails", "media"],
) -> None:
    """Write a people.csv to fill in: a row for each face, with its name, if any, and what tells which one it is."""
    from fer_batch.report.to_fill_in import write_people

    print_line(write_people(folder, out or Path("people.csv"), report_options, names, note=warn))


@app.command(epilog=_example("events results"))
@_errors_to_exit_codes()
def events(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    out: FillIn = None,
) -> None:
    """Write an events.csv to fill in: a row for each video, with its length."""
    from fer_batch.report.to_fill_in import write_events

    print_line(write_events(folder, out or Path("events.csv")))


@app.command(epilog=_example("info"))
@_errors_to_exit_codes()
@_with_options
def info(
    options: Annotated[Options, "model"],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print which versions, detector, model and device are used, and the model card."""
    from fer_batch import detection
    from fer_batch.classifiers.model_file import ModelFile
    from fer_batch.output.software import Software

    file = ModelFile(options.model)
    precision = file.precision(options.runtime)
    facts: dict[str, Any] = {
        "fer-batch": __version__,
        "versions": Software.here().versions,
        "detector": detection.make(detection.DEFAULT).facts,
        "model": {
            **file.facts,
            "runtime": file.load(options.batch_size).runtime,
            "why": file.choose(options.runtime)[1],
            "precision": precision.name,
            "precision_why": precision.why,
        },
    }
    if as_json:
        print_line(json.dumps(facts, indent=2))
        return
    facts["model"]["provenance"] = "told by --json"  # it is of hundreds of lines
    print_line("\n".join(_lines(facts)))
    card = file.card
    print_line(f"\n{card}" if card else f"model card: there is none beside {file.path.name}", end="" if card else "\n")


@app.command(epilog=_example("demo try-it"))
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
    print_line(_analyze([folder / "sample"], Options(), report_options, folder / "emotions", verbose=not quiet).report)


@app.callback(invoke_without_command=True)
@_errors_to_exit_codes()
def main(version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    """Print the version, or run a command."""
    if version:
        print_line(f"fer-batch {__version__}")
        raise typer.Exit


def _analyze(
    inputs: list[Path],
    options: Options,
    report_options: ReportOptions,
    out: Path | None,
    *,
    verbose: bool,
    exports: Sequence[str] = (),
    origins: Mapping[str, str] | None = None,
) -> "Run":
    from fer_batch.pipeline.run import analyze as run_batch

    with TerminalProgress(verbose) as progress:
        run = run_batch(
            inputs,
            options,
            out=out,
            progress=progress,
            report_options=report_options,
            exports=exports,
            origins=origins or {},
        )
    _say_what_is_amiss(run.skipped)
    for note in run.export_notes:
        warn(note)
    if verbose:
        _say_what_is_kept(run)
    if run.ignored and verbose:
        warn(f"{len(run.ignored)} other files are neither photos nor videos; run.json names them.")
    return run


def _say_what_is_amiss(lines: Sequence["Skipped"]) -> None:
    """The lines of errors.csv on stderr."""
    notes: dict[str, list[str]] = {}
    for line in lines:
        if line.is_note:  # many files may have the same one
            notes.setdefault(line.reason, []).append(line.file)
        else:
            warn(f"{_SEVERITIES[line.severity]}: {line.file}: {line.reason}")
    for reason, files in notes.items():
        warn(f"note: {some(files)}: {reason}")


_SEVERITIES = {"lost": "left out", "partial": "not whole"}
"""What a line of errors.csv begins with in the terminal, by its severity."""


def _say_what_is_kept(run: "Run") -> None:
    """What a run left as it was, what it took away, and what is elsewhere now."""
    for name, place in run.moved.items():
        warn(f"{name} was elsewhere in an earlier run; now it is {place}.")
    if run.unchanged:
        warn(f"unchanged, and not analysed again: {some(run.unchanged)}.")
    if run.kept:
        warn(
            f"kept: {some([outcome.source.name for outcome in run.kept])} of earlier runs; tables and report hold them "
            "too. --replace removes what is not among the inputs."
        )
    if run.removed:
        warn(f"removed, as they are not among the inputs: {some(run.removed)}. Their finished chunks are still there.")


def _print_forecast(inputs: list[Path], options: Options, as_json: bool) -> None:
    from fer_batch.pipeline.forecast import SPARSE_FPS, forecast

    found = forecast(inputs, options)
    if as_json:
        print_line(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    for line in found.skipped:
        warn(f"left out: {line.file}: {line.reason}")
    length = duration(found.video_seconds)
    print_line(f"{count(found.videos, 'video')} of {length} in all, {count(found.photos, 'photo')}")
    print_line(f"as asked:      {_cost(found.asked)}")
    if found.sparse.frames < found.asked.frames:
        spared = found.sparse.seconds < WORTH_TELLING * found.asked.seconds
        how_long = "" if spared else "about as long" if found.tried else "not longer"
        print_line(f"with --fps {SPARSE_FPS:g}:  {_cost(found.sparse, how_long)}")
    if not found.tried:
        print_line(
            "not measured:  trying a part takes longer than a tenth of the run; these times are those of usual machines"
        )
    if found.smallest_face is not None:
        width, height = found.largest_frame
        print_line(
            f"small faces:   most below {found.smallest_face} pixels of height are missed in frames of "
            f"{width}x{height}; --min-face searches them more closely, but takes longer"
        )


def _cost(cost: "Cost", how_long: str = "") -> str:
    how_long = how_long or f"about {duration(cost.seconds)}"
    return f"{count(cost.frames, 'frame')} to analyse, {how_long}, {cost.bytes / 1e6:.1f} MB on disk"


def _as_json(run: "Run") -> dict[str, Any]:
    return {
        "report": str(run.report),
        "timelines": {name: str(path) for name, path in run.timelines.items()},
        "skipped": [asdict(line) for line in run.skipped],
        "ignored": list(run.ignored),
        "exports": [str(path) for path in run.exported],
    }


def _lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, item in enumerate(value, 1):
                yield from _lines({f"{name} {number}": item}, indent)
        else:
            yield f"{indent}{name}: {value}"
