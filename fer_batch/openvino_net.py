"""OpenVINO without its telemetry, on one thread, in a precision that is fast. No other module imports it."""

import platform
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
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


F32, BF16, INT8 = "f32", "bf16", "int8"
"""Precisions in which a net can be computed."""


@dataclass(frozen=True)
class Precision:
    """What a net is computed in, and why."""

    name: str
    """F32, BF16 or INT8."""
    why: str


@dataclass(frozen=True)
class Cpu:
    """What of a CPU decides which precision is fast on it: only facts, no times, so that it is always the same."""

    is_x86: bool
    has_bf16: bool
    """Whether OpenVINO computes in bfloat16 on it."""
    is_amd: bool
    has_amx: bool
    """Whether it multiplies matrices of bfloat16 (Intel's AMX)."""

    @classmethod
    def here(cls) -> "Cpu":
        """That of this machine. AMX is known on Linux only."""
        core = import_openvino().Core()
        try:
            described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            described = ""
        return cls(
            platform.machine().lower() in ("x86_64", "amd64"),
            "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
            "AMD" in core.get_property("CPU", "FULL_DEVICE_NAME") + described,
            " amx_bf16 " in described,
        )

    def precision(self, offered: Collection[str]) -> Precision:
        """The fastest precision of those that a net has beside F32.

        Measured: int8 (the classifier) takes a third of f32's time on an AMD EPYC with AVX512-VNNI, and half of it with
        OpenVINO held to AVX2. bf16 (the detector, 640x480) takes half of it on that EPYC, and 1.7 times as long as f32
        on an Intel Xeon with AVX512-BF16 but without AMX.
        """
        if INT8 in offered and self.is_x86:
            return Precision(INT8, "8 bits are faster than f32 on every x86 CPU")
        if BF16 not in offered:
            return Precision(F32, "8 bits are for x86 CPUs" if INT8 in offered else "it has no other")
        if not self.has_bf16:
            return Precision(F32, "the CPU has no bf16")
        if self.has_amx:
            return Precision(BF16, "the CPU has AMX")
        if self.is_amd:
            return Precision(BF16, "AMD's bf16 is faster than f32")
        return Precision(F32, "without AMX, Intel's bf16 is slower than f32")


class CompiledNet:
    """A model compiled for one thread of the CPU, so that the same input always gives the same bytes.

    Inputs and outputs are arrays of OpenVINO's own memory: copies would take a tenth of a small net's time.

    Args:
        core: ``openvino.Core()``.
        model: an ``openvino.Model`` with one input and fixed shapes.
        precision: of the computation. INT8 needs a model that is quantised; what is not in it is computed in f32.
    """

    def __init__(self, core: Any, model: Any, precision: str) -> None:
        # Pinning would put the threads of all processes on the same core.
        hint = F32 if precision == INT8 else precision
        settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.input: np.ndarray = self._request.get_input_tensor().data
        """Write the net's input into this array."""
        self._outputs = tuple(self._request.get_output_tensor(index).data for index in range(len(model.outputs)))

    def __call__(self) -> tuple[np.ndarray, ...]:
        """The outputs for what :attr:`input` holds; the next call overwrites them."""
        self._request.infer()
        return self._outputs
