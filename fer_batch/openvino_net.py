"""OpenVINO, imported without its telemetry and run on one thread. No other module imports it."""

import sys
from typing import Any

import numpy as np

TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """The ``openvino`` package without its telemetry.

    By default the package ``openvino_telemetry`` reports every import to Google Analytics. Where that package cannot be
    imported, OpenVINO uses a stub that sends nothing; this function makes it impossible to import.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault(TELEMETRY, None)  # Python then raises ImportError for it
    import openvino

    return openvino


class CompiledNet:
    """A model compiled for one thread of the CPU, so that the same input always gives the same bytes.

    Inputs and outputs are arrays of OpenVINO's own memory: copies would take a tenth of a small net's time.

    Args:
        core: ``openvino.Core()``.
        model: an ``openvino.Model`` with one input and fixed shapes.
        precision: of the computation, ``f32`` or ``bf16``.
    """

    def __init__(self, core: Any, model: Any, precision: str) -> None:
        # Pinning would put the threads of all processes on the same core.
        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.input: np.ndarray = self._request.get_input_tensor().data
        """Write the net's input into this array."""
        self._outputs = tuple(self._request.get_output_tensor(index).data for index in range(len(model.outputs)))

    def __call__(self) -> tuple[np.ndarray, ...]:
        """The outputs for what :attr:`input` holds; the next call overwrites them."""
        self._request.infer()
        return self._outputs
