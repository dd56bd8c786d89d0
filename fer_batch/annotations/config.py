"""fer-batch.toml: options that somebody keeps in a file. What the command line says wins over it."""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_batch.annotations.user_csv import suggestion
from fer_batch.errors import OutputError, OutputRefused, UsageError, why

NAME = "fer-batch.toml"
"""Of the file that is read without being asked for, where it is beside the inputs."""


Value = str | bool | int | float | Path


@dataclass(frozen=True)
class Setting:
    """An option that the file may have."""

    name: str
    """As on the command line, without the hyphens before it."""
    kind: type[Value]
    default: Any
    help: str

    def value(self, written: object, folder: Path) -> Value:
        """The value of what the file says; paths are relative to its folder.

        Raises:
            ValueError: it is of another kind.
        """
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(self.kind, "a text")
        numbers = (int, float) if self.kind is float else (int,)
        if self.kind in (str, Path) and isinstance(written, str):
            return self._existing(folder / written) if self.kind is Path else written
        if self.kind is bool and isinstance(written, bool):
            return written
        if self.kind in (int, float) and isinstance(written, numbers) and not isinstance(written, bool):
            return self.kind(written)
        raise ValueError(f"'{self.name}' must be {wanted}, as on the command line; got {_as_toml(written)}.")

    def _existing(self, path: Path) -> Path:
        if not os.path.isfile(path):
            raise ValueError(f"'{self.name}': there is no file {path}.")
        return path


def find(inputs: Sequence[Path]) -> Path | None:
    """The file of options that lies in an input folder, or beside an input; None: there is none.

    Raises:
        UsageError: there are several.
    """
    folders = [folder for path in inputs for folder in (path, path.absolute().parent)]
    found = {path.resolve(): path for folder in folders if os.path.isfile(path := folder / NAME)}
    if len(found) > 1:
        raise UsageError(f"There are {len(found)} files {NAME} beside the inputs. Name one of them with --config.")
    return next(iter(found.values()), None)


def read(path: Path, settings: Iterable[Setting]) -> dict[str, Value]:
    """The options in a file, by their names on the command line.

    Raises:
        UsageError: the file cannot be read, has an option that is not among ``settings``, or a wrong value.
    """
    known = {setting.name: setting for setting in settings}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {why(error)}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8, as files of options are.") from error
    except ValueError as error:
        raise UsageError(f'{path} is no TOML: {error}. Lines must be like `fps = 10` or `view = "ferplus"`.') from error
    options: dict[str, Value] = {}
    for written, value in content.items():
        setting = known.get(written.replace("_", "-"))
        if setting is None:
            near = suggestion(written.replace("_", "-"), list(known))
            remedy = "`fer-batch analyze --help` lists them all."
            raise UsageError(f"{path}: there is no option '{written}' for such a file.{near} {remedy}")
        try:
            options[setting.name] = setting.value(value, path.parent)
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from error
    return options


def write(path: Path, values: Mapping[Setting, Any]) -> None:
    """Write a file of options: those that have other values than their defaults, and the others as comments.

    Raises:
        OutputRefused: there is such a file with other content.
        OutputError: it cannot be written.
    """
    lines = ["# Options of `fer-batch analyze`. What the command line says wins.", ""]
    for setting, value in values.items():
        text = f"{setting.name} = {_text(value, path.absolute().parent)}".rstrip()
        lines += [f"# {setting.help}", text if value != setting.default else f"# {text}", ""]
    text = "\n".join(lines)
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
            raise OutputRefused(f"{path} is there already, with other options. Move it, or choose another name.")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {why(error)}. Choose another --save-config.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _text(value: Value | None, folder: Path) -> str:
    """A value as TOML has it; paths are relative to the file."""
    if isinstance(value, Path):
        return json.dumps(Path(os.path.relpath(value.absolute(), folder)).as_posix(), ensure_ascii=False)
    return "" if value is None else _as_toml(value)


def _as_toml(value: object) -> str:
    """A value as the file has it, or much like that."""
    return json.dumps(value, ensure_ascii=False, default=str)
