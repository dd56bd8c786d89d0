"""The texts of the report: every text that its readers see comes from one file, templates/strings.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fer_batch.report import formatting

TEMPLATES = (Path(__file__).parents[1] / "templates", Path(__file__).parents[2] / "templates")
"""Where the wheel puts the templates, and where the checkout has them."""

FILE = "strings.toml"


def say(key: str, *, n: int | None = None, **values: object) -> str:
    """The text of a key, with the values that it names in braces; of a key that ends in ``_html``, markup.

    ``n`` is a count: it chooses between a text's forms ``one`` and ``other``. In markup values are escaped.

    Raises:
        KeyError: there is no such text, or the text names another value.
    """
    if n is not None:
        values["n"] = formatting.count(n)
        if key not in texts():
            key += ".one" if n == 1 else ".other"
    if key not in texts():
        raise KeyError(f"{FILE} has no text {key}")
    text = texts()[key]
    return (Markup(text) if "_html" in key else text).format(**values)  # noqa: S704  our own


def label(emotion: str) -> str:
    """An emotion's name by itself, as a reader sees it."""
    return say(f"emotions.{emotion}.label")


def word(emotion: str) -> str:
    """An emotion's name within a sentence."""
    return say(f"emotions.{emotion}.word")


def section(name: str) -> dict[str, str]:
    """The texts of one section, by their keys within it."""
    return {key.removeprefix(f"{name}."): text for key, text in texts().items() if key.startswith(f"{name}.")}


@cache
def texts() -> Mapping[str, str]:
    """Every text by its key, as in ``video.about``; one with two forms has two keys."""
    path = next(path for folder in TEMPLATES if (path := folder / FILE).is_file())
    return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value
