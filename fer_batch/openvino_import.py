"""OpenVINO without its telemetry, and on one thread: the one way in which this package uses it."""

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


def compile_model(core: Any, model: Any, precision: str) -> Any:
    """A model for the CPU, on one thread: the same input gives the same bytes, whatever else the machine does.

    OpenVINO would tie that thread to a core, and every process to the same one: two then share it, each half as fast.
    """
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    return core.compile_model(model, "CPU", settings)
