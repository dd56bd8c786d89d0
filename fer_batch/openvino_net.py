"""OpenVINO without its telemetry, and on one thread: the one way in which this package uses it."""

import sys
from typing import Any

import numpy as np

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


class CompiledNet:
    """A model compiled for the CPU, on one thread: the same input gives the same bytes, whatever else the machine does.

    Its arrays are filled and read in place, which spares copies that take a tenth as long as a small net.

    Args:
        core: OpenVINO's.
        model: OpenVINO's too, with one input, and only fixed shapes.
        precision: in which it computes, ``f32`` or ``bf16``.
    """

    def __init__(self, core: Any, model: Any, precision: str) -> None:
        # It would tie that thread to a core, and every process to the same one: two then share it, each half as fast.
        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.input: np.ndarray = self._request.get_input_tensor().data
        """What the net looks at, to be written into."""
        self._outputs = tuple(self._request.get_output_tensor(at).data for at in range(len(model.outputs)))

    def __call__(self) -> tuple[np.ndarray, ...]:
        """The outputs for what :attr:`input` holds; the next call writes over them."""
        self._request.infer()
        return self._outputs
