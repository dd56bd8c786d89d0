"""Frozen dataclasses as values that JSON can hold, and back: exactly, floats included."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from fer_batch.types import FolderFiles


def to_plain(value: Any) -> Any:
    """The value as dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` of which :func:`to_plain` made ``value``.

    Sequences become tuples, those of paths :class:`FolderFiles`; arrays float64.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: no value of this type gives that.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (some,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else from_plain(some, value)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(from_plain(argument, item) for argument, item in zip(arguments, value, strict=True))
    if kind == Sequence[Path]:
        return FolderFiles(Path(), value)
    if origin in (tuple, Sequence):
        return tuple(from_plain(arguments[0], item) for item in value)
    if origin in (dict, Mapping):
        return {name: from_plain(arguments[1], item) for name, item in value.items()}
    if kind is np.ndarray:
        return np.array(value, np.float64)
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: from_plain(hint, value[name]) for name, hint in _hints(kind).items()})
    if isinstance(kind, type) and issubclass(kind, Enum | Path):
        return kind(value)
    if kind is not Any and not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(f"{value!r} is no {kind}")
    return value


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
