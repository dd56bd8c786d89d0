"""fer-batch.toml: options that somebody keeps in a file. What the command line says wins over it."""

import json
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_batch.annotations.user_csv import suggestion
from fer_batch.errors import OutputRefused, UsageError

NAME = "fer-batch.toml"
"""Of the file that is read without being asked for, where it is beside the inputs."""


@dataclass(frozen=True)
class Setting:
    """An option as a file of options has it."""

    name: str
    """As on the command line, without the hyphens before it."""
    value: str | bool | int | float | Path | None
    default: str | bool | int | float | Path | None
    help: str


def find(inputs: Sequence[Path]) -> Path | None:
    """The file of options that lies in an input folder, or beside an input; None: there is none.

    Raises:
        UsageError: there are several.
    """
    folders = [folder for path in inputs for folder in (path, path.absolute().parent)]
    found = {path.resolve(): path for folder in folders if (path := folder / NAME).is_file()}
    if len(found) > 1:
        raise UsageError(f"There are {len(found)} files {NAME} beside the inputs. Name one of them with --config.")
    return next(iter(found.values()), None)


def read(path: Path, known: Collection[str]) -> Mapping[str, str | bool]:
    """The options in a file, by their names on the command line; whatever is no boolean as a text.

    Raises:
        UsageError: the file cannot be read, or has an option that is not among ``known``.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # of TOML, or of its encoding
        raise UsageError(f'{path} is no TOML: {error}. Lines must be like `fps = 10` or `view = "ferplus"`.') from error
    options: dict[str, str | bool] = {}
    for written, value in content.items():
        name = written.replace("_", "-")
        if name not in known:
            near = suggestion(name, list(known))
            raise UsageError(
                f"{path}: there is no option '{written}'.{near} `fer-batch analyze --help` lists them all."
            )
        if not isinstance(value, str | bool | int | float):
            raise UsageError(f"{path}: '{written}' must be one value, as on the command line; got {value}.")
        options[name] = value if isinstance(value, bool) else f"{value}"
    return options


def write(path: Path, settings: Iterable[Setting]) -> None:
    """Write a file of options: those that have other values than their defaults, and the others as comments.

    Raises:
        OutputRefused: there is such a file with other content.
        OSError: it cannot be written.
    """
    lines = ["# Options of `fer-batch analyze`. What the command line says wins.", ""]
    for setting in settings:
        lines.append(f"# {setting.help}")
        is_chosen = setting.value != setting.default
        value = _text(setting.value if is_chosen else setting.default, path.absolute().parent)
        lines += [f"{'' if is_chosen else '# '}{setting.name} = {value}", ""]
    text = "\n".join(lines)
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        raise OutputRefused(f"{path} is there already, with other options. Choose another --save-config, or move it.")
    path.write_text(text, encoding="utf-8")


def _text(value: str | bool | int | float | Path | None, folder: Path) -> str:
    """A value as TOML has it; paths are relative to the file."""
    if isinstance(value, Path):
        return json.dumps(Path(os.path.relpath(value.absolute(), folder)).as_posix(), ensure_ascii=False)
    return json.dumps("" if value is None else value, ensure_ascii=False)
