"""The order in which people expect names: IMG_2 before IMG_10. Every list of names is sorted by it."""

import re

_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[tuple[str | int, ...], ...], str]:
    """The key by which to sort a name, or a path with slashes: numbers in it by their value, letter case ignored.

    A folder comes before the names in it. Different names have different keys.
    """
    return tuple(tuple(_parts(part)) for part in name.split("/")), name


def _parts(name: str) -> list[str | int]:
    """Texts and numbers in turn, beginning with a text."""
    return [int(part) if at % 2 else part for at, part in enumerate(_DIGITS.split(name.casefold()))]
