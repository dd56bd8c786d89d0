"""Face detectors: their protocol (base.py), one file for each detector, and a registry of their names.

A detector from another package is named ``package.module:factory``. The factory takes no arguments.
"""

from collections.abc import Callable
from importlib import import_module

from fer_batch.detection.base import Detector
from fer_batch.errors import UsageError

DEFAULT = "centerface"


def _centerface() -> Detector:
    from fer_batch.detection.centerface import CenterFace

    return CenterFace()


REGISTRY: dict[str, Callable[[], Detector]] = {"centerface": _centerface}


def make(name: str) -> Detector:
    """Make the detector of that name: one of REGISTRY, or ``package.module:factory``.

    Raises:
        UsageError: there is no detector of that name.
        DetectorError: its weights cannot be used.
    """
    module, _, factory = name.partition(":")
    if factory:
        try:
            detector: Detector = getattr(import_module(module), factory)()
        except (ImportError, AttributeError) as error:
            raise UsageError(f"There is no detector {name}: {error}.") from error
        return detector
    if name not in REGISTRY:
        raise UsageError(f"There is no detector {name}; there is {', '.join(sorted(REGISTRY))}.")
    return REGISTRY[name]()
