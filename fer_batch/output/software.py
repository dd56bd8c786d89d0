"""What computed numbers: fer-batch, the packages that decide them, and the platform."""

import platform
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from fer_batch._version import __version__
from fer_batch.types import Severity, Skipped

PACKAGES = "tensorflow keras openvino av opencv-python pillow pillow-heif simplejpeg numpy pandas".split()


@dataclass(frozen=True)
class Software:
    """What computed some numbers. Where several did, each text names all of them, joined by "and"."""

    fer_batch: str
    versions: Mapping[str, str]
    """Of Python and of those PACKAGES that are installed."""
    platform: str

    @classmethod
    @cache
    def here(cls) -> "Software":
        """That of this process."""
        return cls(__version__, _versions(), f"{platform.system()} {platform.machine()}")

    @classmethod
    def joined(cls, several: Collection["Software"]) -> "Software":
        """All of them in one; without any, that of this process."""
        if not several:
            return cls.here()
        names = dict.fromkeys(name for one in several for name in one.versions)
        return cls(
            _joined(one.fer_batch for one in several),
            {name: _joined(one.versions.get(name, "none") for one in several) for name in names},
            _joined(one.platform for one in several),
        )

    def note(self) -> Skipped | None:
        """A line of errors.csv if this is more than one; else None."""
        everything = {**self.versions, "fer-batch": self.fer_batch}
        unlike = [f"{name} {version}" for name, version in everything.items() if _AND in version]
        unlike += [self.platform] * (_AND in self.platform)
        if not unlike:
            return None
        what = "; ".join(unlike)
        reason = f"Not all was made with the same versions ({what}): numbers may differ in their last decimals."
        return Skipped("versions", reason, Severity.NOTE)


_AND = " and "


def _joined(texts: Iterable[str]) -> str:
    return _AND.join(dict.fromkeys(one for text in texts for one in text.split(_AND)))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
