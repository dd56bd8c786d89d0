"""OpenVINO without its telemetry: the one way in which this package imports it."""

import sys
from typing import Any

TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """The ``openvino`` package, which sends nothing anywhere.

    As it comes, importing it tells Google Analytics that it was imported. Where the package that does so cannot be
    imported, OpenVINO takes a stub of its own: so we see to it that it cannot.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault(TELEMETRY, None)  # Python's own way to say "not to be imported"
    import openvino

    return openvino
