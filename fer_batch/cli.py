"""The command line: the only module that prints and exits. Nothing heavy is imported before it is needed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_batch._version import __version__
from fer_batch.emotions import VIEWS
from fer_batch.errors import ExitCode, FerBatchError
from fer_batch.options import RUNTIMES, Options, ReportOptions, interval, rectangle

if TYPE_CHECKING:
    from fer_batch.pipeline.forecast import Cost
    from fer_batch.pipeline.run import Run
    from fer_batch.types import Outcome, Source

app = typer.Typer(
    name="fer-batch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Emotion timelines from the faces in photographs and films: CSV tables and an HTML report.",
    epilog="Exit codes: 0 done, 1 done with some inputs left out, 2 usage, 3 nothing usable, 4 model or detector, "
    "5 output cannot be written, 130 interrupted.",
)

Out = Annotated[
    Path | None, typer.Option("--out", "-o", file_okay=False, help="Output folder; default: NAME-emotions.")
]
Charts = Annotated[bool, typer.Option("--charts", help="Save every chart as SVG and PNG too, for papers.")]
Thumbnails = Annotated[
    bool, typer.Option("--thumbnails/--no-thumbnails", help="Show pictures of faces in the report; default: none.")
]
Anonymize = Annotated[bool, typer.Option("--anonymize", help="Blur the faces in thumbnails beyond recognition.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the report's path only.")]


@app.command()
def analyze(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", exists=True, help="Photographs, films, folders.")],
    out: Out = None,
    view: Annotated[
        str,
        typer.Option(
            metavar="|".join(VIEWS),
            help="fer2013: belief in each of the data set's labels; ferplus: expected share of human raters.",
        ),
    ] = Options.view,
    fps: Annotated[float | None, typer.Option(help="Frames a second to look at, at most; default: all.")] = Options.fps,
    start: Annotated[float | None, typer.Option(help="Begin so many seconds into each film.")] = Options.start,
    end: Annotated[float | None, typer.Option(help="Stop before this second of each film.")] = Options.end,
    min_confidence: Annotated[
        float, typer.Option(help="Lowest detector score of a face, 0 to 1.")
    ] = Options.min_confidence,
    min_face: Annotated[int, typer.Option(help="Lowest height of a face, in pixels.")] = Options.min_face,
    min_quality: Annotated[
        float, typer.Option(help="Lowest quality of a face in the summaries, 0 to 1; timelines keep all.")
    ] = Options.min_quality,
    max_faces: Annotated[
        int | None, typer.Option(help="Most faces a frame, surest first; default: all.")
    ] = Options.max_faces,
    people: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV that says who is who: file,face_id,person,role,group."),
    ] = Options.people,
    events: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="CSV that says what happens when: file,label,start,stop,offset."
        ),
    ] = Options.events,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="START-STOP", help="Seconds in which faces look as usual: changes from that are added."),
    ] = None,
    smooth: Annotated[
        float | None,
        typer.Option(help="Average shares over so many seconds, in columns beside the raw ones and for episodes."),
    ] = Options.smooth,
    episode_enter: Annotated[
        float, typer.Option(help="Share with which an episode of an expression begins.")
    ] = Options.episode_enter,
    episode_leave: Annotated[float, typer.Option(help="Share below which it ends.")] = Options.episode_leave,
    episode_shortest: Annotated[float, typer.Option(help="Shortest episode, in seconds.")] = Options.episode_shortest,
    region: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="Look only at this rectangle, in pixels of the upright picture."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Look into folders within folders.")
    ] = Options.recursive,
    follow_links: Annotated[
        bool, typer.Option("--follow-links/--no-follow-links", help="Follow symbolic links, wherever they lead.")
    ] = Options.follow_links,
    detect_every: Annotated[
        int | None,
        typer.Option(help="Most frames of a film between two looks at the whole frame; default: half a second's."),
    ] = Options.detect_every,
    workers: Annotated[
        int | None, typer.Option(help="Processes that look at media; default: one for each core; 0: none beside this.")
    ] = Options.workers,
    batch_size: Annotated[int, typer.Option(help="Faces in one call of the model.")] = Options.batch_size,
    model: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A model of your own (.keras).")
    ] = Options.model,
    runtime: Annotated[str, typer.Option(metavar="|".join(RUNTIMES), help="What runs the model.")] = Options.runtime,
    restart: Annotated[bool, typer.Option("--restart", help="Look at everything again.")] = Options.restart,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the work folder, from which a later run goes on.")
    ] = Options.keep,
    thumbnails: Thumbnails = ReportOptions.thumbnails,
    anonymize: Anonymize = ReportOptions.anonymize,
    charts: Charts = ReportOptions.charts,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find every face, write timelines (CSV) and a report (HTML).

    Run again on the same output folder, it does only what is missing.
    """
    with _errors_to_exit_codes():
        options = Options(
            view=view,
            fps=fps,
            start=start,
            end=end,
            min_confidence=min_confidence,
            min_face=min_face,
            min_quality=min_quality,
            max_faces=max_faces,
            people=people,
            events=events,
            baseline=interval(baseline),
            smooth=smooth,
            episode_enter=episode_enter,
            episode_leave=episode_leave,
            episode_shortest=episode_shortest,
            region=rectangle(region),
            recursive=recursive,
            follow_links=follow_links,
            detect_every=detect_every,
            workers=workers,
            batch_size=batch_size,
            model=model,
            runtime=runtime,
            restart=restart,
            keep=keep,
        )
        asked = ReportOptions(charts=charts, thumbnails=thumbnails, anonymize=anonymize)
        if dry_run:
            _print_forecast(inputs, options, as_json)
            return
        run = _analyze(inputs, options, asked, out, say=not (quiet or as_json))
        if as_json:
            typer.echo(json.dumps(_as_json(run), ensure_ascii=False, indent=2))
        else:
            typer.echo(run.report)
    if run.skipped:
        raise typer.Exit(ExitCode.SOME_LEFT_OUT)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An output folder.")],
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write one HTML file of at most 5 MB, for sending, instead.")
    ] = False,
    thumbnails: Thumbnails = ReportOptions.thumbnails,
    anonymize: Anonymize = ReportOptions.anonymize,
    media: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="For thumbnails: the folder that media lie in."),
    ] = ReportOptions.media,
    charts: Charts = ReportOptions.charts,
) -> None:
    """Render the report again, from the tables in an output folder."""
    with _errors_to_exit_codes():
        from fer_batch.report.render import render, render_single_file

        asked = ReportOptions(charts=charts, thumbnails=thumbnails, anonymize=anonymize, media=media)
        typer.echo((render_single_file if single_file else render)(folder, asked, tell=_warn))


@app.command()
def info(
    model: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A model of your own (.keras).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which versions, detector, model and device are used, and print the model card."""
    with _errors_to_exit_codes():
        from fer_batch import detection
        from fer_batch.classifiers.model_file import ModelFile
        from fer_batch.output.manifest import versions

        file = ModelFile(model)
        facts: dict[str, Any] = {
            "fer-batch": __version__,
            "versions": versions(),
            "detector": detection.make(detection.DEFAULT).facts,
            "model": {
                **file.facts,
                "runtime": file.load(Options.batch_size).runtime,
                "why": file.choose(Options.runtime)[1],
            },
        }
        if as_json:
            typer.echo(json.dumps(facts, indent=2))
            return
        typer.echo("\n".join(_lines(facts)))
        card = file.card
        typer.echo(f"\n{card}" if card else f"model card: none lies beside {file.path.name}", nl=not card)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder to make.")],
    quiet: Quiet = False,
) -> None:
    """Make a sample (a photograph and a film of one face) and analyse it."""
    with _errors_to_exit_codes():
        from fer_batch.demo import make_sample
        from fer_batch.output import folder as outfolder

        asked = ReportOptions(thumbnails=True, charts=True)
        outfolder.claim(folder)
        make_sample(folder / "sample")
        typer.echo(_analyze([folder / "sample"], Options(), asked, folder / "emotions", say=not quiet).report)


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    """Show the version, or go on to a command."""
    if version:
        typer.echo(f"fer-batch {__version__}")
        raise typer.Exit


def _analyze(inputs: list[Path], options: Options, asked: ReportOptions, out: Path | None, *, say: bool) -> "Run":
    from fer_batch.pipeline.run import analyze as run_batch

    with _Bar(say) as progress:
        run = run_batch(inputs, options, out=out, progress=progress, asked=asked)
    for one in run.skipped:
        kept = "not whole" if one.rows_kept else "left out"
        _warn(f"{kept}: {one.file}: {one.reason}")
    if run.ignored and say:
        _warn(f"{len(run.ignored)} other files are neither photographs nor films; run.json names them.")
    return run


class _Bar:
    """Progress on stderr while a terminal is there to see it; a line on stdout for each finished source."""

    def __init__(self, say: bool) -> None:
        from tqdm import tqdm

        self._say = say
        self._bar = tqdm(unit="frame", disable=None if say else True, leave=False, total=0.0)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin(self, source: "Source", frames: int) -> None:
        """Add a source's frames to what is to be done."""
        self._bar.set_description(_one_line(source.name), refresh=False)
        self._bar.total = (self._bar.total or 0) + frames
        self._bar.refresh()

    def advance(self, frames: int) -> None:
        """Move on."""
        self._bar.update(frames)

    def end(self, source: "Source", outcome: "Outcome | None") -> None:
        """Say what came of a source."""
        if outcome is not None and self._say:
            self._bar.clear()
            typer.echo(
                f"{_one_line(source.name)}: {outcome.frames} frames, {outcome.frames_with_face} with a face, "
                f"{outcome.faces} faces"
            )


@contextmanager
def _errors_to_exit_codes() -> Iterator[None]:
    """Turn an error of ours into its message and exit code."""
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
        _warn("interrupted; run the same command again to go on.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _print_forecast(inputs: list[Path], options: Options, as_json: bool) -> None:
    from fer_batch.pipeline.forecast import SPARSE_FPS, forecast

    found = forecast(inputs, options)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    for one in found.skipped:
        _warn(f"left out: {one.file}: {one.reason}")
    typer.echo(f"{found.videos} films of {_duration(found.video_seconds)} in all, {found.photos} photographs")
    typer.echo(f"as asked:      {_cost(found.asked)}")
    typer.echo(f"with --fps {SPARSE_FPS:g}:  {_cost(found.sparse)}")


def _cost(cost: "Cost") -> str:
    return f"{cost.frames} frames to look at, about {_duration(cost.seconds)}, {cost.bytes / 1e6:.1f} MB on disk"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min {seconds:02} s" if hours else f"{minutes} min {seconds:02} s"


def _as_json(run: "Run") -> dict[str, Any]:
    return {
        "report": str(run.report),
        "timelines": {name: str(path) for name, path in run.timelines.items()},
        "skipped": [asdict(one) for one in run.skipped],
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
    """A name as a terminal may show it: without line breaks and control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def _warn(message: str) -> None:
    typer.echo(f"fer-batch: {_one_line(message)}", err=True)
