"""Emotion classifiers: one protocol, one file for each runtime."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fer_batch.classifiers.model_file import SHIPPED, read_card, read_metadata, sha256
from fer_batch.options import AUTO, OPENVINO, TENSORFLOW


class Classifier(Protocol):
    """Answers for many faces at once."""

    @property
    def runtime(self) -> str:
        """Library, its version and the device that computes."""

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """(N, 48, 48) uint8 faces to (N, 2, 7) float32 shares: axis 1 as in VIEWS, axis 2 as in EMOTIONS, summing to 1.

        N may be 0.
        """


class ModelFile:
    """A model that has been checked but not loaded: enough to know whether its answers are there already.

    Raises:
        ModelError: it is missing, damaged, or answers in other emotions.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or SHIPPED
        self.metadata = read_metadata(self.path)
        self.sha256 = sha256(self.path)

    @property
    def facts(self) -> dict[str, Any]:
        """The file's name and digest and where it comes from, ready for JSON."""
        return {"file": self.path.name, "sha256": self.sha256, "provenance": self.metadata.get("provenance", {})}

    @property
    def card(self) -> str | None:
        """The model card, Markdown, from the file beside the model; None: there is none.

        Raises:
            ModelError: it cannot be read.
        """
        return read_card(self.path)

    def choose(self, runtime: str) -> tuple[str, str]:
        """Which of RUNTIMES computes, and why: "auto" is TensorFlow where there is a GPU for it, else OpenVINO."""
        if runtime != AUTO:
            return runtime, "asked for"
        if any(Path("/dev").glob("nvidia[0-9]*")):
            return TENSORFLOW, "there is an NVIDIA GPU"
        if not self.path.with_suffix(".xml").is_file():
            return TENSORFLOW, f"there is no {self.path.stem}.xml for OpenVINO beside the model"
        return OPENVINO, "there is no NVIDIA GPU, and it is the fastest on CPUs"

    def load(self, batch_size: int, runtime: str = AUTO) -> Classifier:
        """The classifier, ready to predict; with TensorFlow that takes seconds.

        Raises:
            ModelError: the file does not hold a network of our shape, or is not safe to load.
        """
        if self.choose(runtime)[0] == OPENVINO:
            from fer_batch.classifiers.openvino import OpenVinoCnn

            return OpenVinoCnn(self.path.with_suffix(".xml"), self.sha256, batch_size)
        from fer_batch.classifiers.keras import KerasCnn

        return KerasCnn(self.path, batch_size)
