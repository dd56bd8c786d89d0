"""What a model file says of itself, read without loading a machine-learning library.

A ``.keras`` file is a zip archive; ours carry one more member, which names the emotions and views in the order of the
outputs and tells where the model comes from. A file without it, or with other names, is refused: numbers under the
wrong names would be worse than none.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from fer_batch.classifiers.base import Classifier
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError, why
from fer_batch.openvino_net import F32, INT8, Cpu, Precision
from fer_batch.options import AUTO, OPENVINO, TENSORFLOW

METADATA_MEMBER = "fer_batch.json"
CARD_SUFFIX = ".md"
METRICS_NAME = "metrics.json"
"""The file beside a model that holds every figure measured with it; `python -m training release` writes it."""

SHIPPED = Path(__file__).parents[1] / "models" / "fer2013.keras"
"""Made by ``python -m training fit`` in this repository; its metadata holds the configuration and the data's hash."""


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
        return _read_beside(self.path.with_suffix(CARD_SUFFIX))

    @property
    def metrics(self) -> str | None:
        """Every figure measured with this model, JSON, from METRICS_NAME beside it; None: there is none of this model.

        Raises:
            ModelError: the file cannot be read.
        """
        text = _read_beside(self.path.with_name(METRICS_NAME))
        try:
            return text if text and json.loads(text)["model"]["sha256"] == self.sha256 else None
        except (ValueError, LookupError, TypeError):  # another program's file of that name
            return None

    def choose(self, runtime: str) -> tuple[str, str]:
        """Which of RUNTIMES computes, and why: "auto" is TensorFlow where there is a GPU for it, else OpenVINO."""
        if runtime != AUTO:
            return runtime, "asked for"
        if any(Path("/dev").glob("nvidia[0-9]*")):
            return TENSORFLOW, "there is an NVIDIA GPU"
        if not self.path.with_suffix(".xml").is_file():
            return TENSORFLOW, f"there is no {self.path.stem}.xml for OpenVINO beside the model"
        return OPENVINO, "there is no NVIDIA GPU, and it is the fastest on CPUs"

    def precision(self, runtime: str) -> Precision:
        """What that one of RUNTIMES computes in, and why. It is the same for every call on one machine.

        Shares in 8 bits differ a little from those in 32, so it is part of what decides them.
        """
        if self.choose(runtime)[0] == TENSORFLOW:
            return Precision(F32, "TensorFlow computes")
        return Cpu.here().precision([INT8] if self.path.with_suffix(".int8.xml").is_file() else [])

    def load(self, batch_size: int, runtime: str = AUTO) -> Classifier:
        """The classifier, ready to predict; with TensorFlow that takes seconds.

        Raises:
            ModelError: the file does not hold a network of our shape, or is not safe to load.
        """
        if self.choose(runtime)[0] == OPENVINO:
            from fer_batch.classifiers.openvino import OpenVinoCnn

            return OpenVinoCnn(self.path, self.sha256, batch_size, self.precision(OPENVINO).name)
        from fer_batch.classifiers.keras import KerasCnn

        return KerasCnn(self.path, batch_size)


def read_metadata(path: Path) -> dict[str, Any]:
    """The model's own description: ``emotions``, ``views``, ``input`` and ``provenance``.

    Raises:
        ModelError: the file is missing, is not a ``.keras`` file of ours, or answers in other emotions or views.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read(METADATA_MEMBER))
    except FileNotFoundError:
        raise ModelError(f"There is no model at {path}.") from None
    except KeyError:
        raise ModelError(
            f"{path} does not say which emotions it answers in (no {METADATA_MEMBER} inside). "
            "Make it with `python -m training fit`."
        ) from None
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise ModelError(f"{path} is not a .keras model file: {error}") from error
    for key, expected in (("emotions", EMOTIONS), ("views", VIEWS)):
        found = metadata.get(key) if isinstance(metadata, dict) else None
        if not isinstance(found, list) or tuple(found) != expected:
            has = ", ".join(map(str, found)) if isinstance(found, list) else "unknown ones"
            raise ModelError(f"{path} answers in these {key}: {has}; but fer-batch needs: {', '.join(expected)}.")
    return dict(metadata)


def sha256(path: Path) -> str:
    """Hex digest of the whole file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {why(error)}.") from error


def _read_beside(path: Path) -> str | None:
    """The text of a file that may lie beside a model; None: there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        what = "model card" if path.suffix == CARD_SUFFIX else "file"
        raise ModelError(f"The {what} {path} cannot be read: {error}") from error
