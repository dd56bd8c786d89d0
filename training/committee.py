"""Several models in one file, answering with the mean of their shares, and a model that also looks into a mirror.

The mean over networks trained alike from other random numbers is right more often than each of them (Hansen and Salamon
1990, doi:10.1109/34.58871), and so is the mean over an image and its mirror image. A member may count for more than
another: one that is sure of itself where it is wrong, as on dark images, must count for less. All stands inside the
model file, so that every runtime computes it. What is fitted after training, biases and temperatures, is fitted for the
whole. The members stay whole within it, and :func:`members` gives them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import UsageError
from training import export, prediction, provenance
from training.fer2013 import Split
from training.metrics import SMALLEST_SHARE
from training.run import calibrate_model

MEMBER = "member"
"""The layers of a committee that are its members are named so, with a number behind."""


@dataclass(frozen=True)
class Member:
    """A model of a committee."""

    model: keras.Model
    """From (N, 48, 48) grey levels to ``{view: (N, 7) shares}``."""
    facts: Mapping[str, Any]
    """Digest of the file that it came from, its provenance, and its part in the mean."""

    @property
    def part(self) -> float:
        """Its part in the mean."""
        return float(self.facts["part"])


def members(file: ModelFile) -> list[Member]:
    """The members of a committee's file, or the one model of another file.

    Raises:
        ModelError: the file does not hold a network of ours.
    """
    model, made = prediction.load(file.path), file.metadata.get("provenance", {})
    facts = made.get("members")
    if facts is None:
        return [Member(model, {"sha256": file.sha256, "provenance": made, "part": 1.0})]
    return [Member(model.get_layer(f"{MEMBER}{number}"), one) for number, one in enumerate(facts)]


def combine(
    files: Sequence[ModelFile],
    validation: Split,
    out: Path,
    *,
    weights: Sequence[float] = (),
    mirrored: bool = False,
) -> None:
    """Write a committee of all the members of ``files``, its biases and temperatures fitted to ``validation``.

    ``weights``, one for each of ``files``, say for how much each counts; without, all count alike.

    Raises:
        UsageError: ``validation`` has no FER+ votes, a member would stand in it twice, or ``weights`` are not one
            positive number for each file.
        ModelError: a file does not hold a network of ours.
        OutputError: ``out`` cannot be written.
    """
    if not validation.has_shares.any():
        raise UsageError("PublicTest has no FER+ votes: put fer2013new.csv beside fer2013.csv.")
    weights = weights or [1.0] * len(files)
    if len(weights) != len(files) or min(weights) <= 0:
        raise UsageError("Give each model a weight above 0, in the order of the models, or none at all.")
    found = [
        Member(member.model, {**member.facts, "part": member.part * weight / sum(weights)})
        for file, weight in zip(files, weights, strict=True)
        for member in members(file)
    ]
    if len({member.facts["sha256"] for member in found}) < len(found):
        raise UsageError("A model is named twice, or is also a member of another one.")
    model, biases, temperatures = calibrate_model(
        build([one.model for one in found], [one.part for one in found], mirrored), validation
    )
    facts = {
        **provenance.made_with(),
        "members": [dict(member.facts) for member in found],
        "mirrored": mirrored,
        **provenance.calibration(temperatures, biases),
    }
    data = [member.facts["provenance"].get("data") for member in found]
    export.write_model(model, out, {**facts, "data": data[0]} if data[0] and data == data[:1] * len(data) else facts)


def split(file: ModelFile, folder: Path) -> list[Path]:
    """Write each member of a committee into ``folder``, as it was before; returns the files.

    Raises:
        UsageError: the file holds one model only.
        ModelError: it does not hold a network of ours.
        OutputError: a file cannot be written.
    """
    if "members" not in file.metadata.get("provenance", {}):
        raise UsageError(f"{file.path.name} holds one model, no committee.")
    paths = []
    for number, member in enumerate(members(file)):
        paths.append(folder / f"{MEMBER}{number}.keras")
        export.write_model(member.model, paths[-1], member.facts["provenance"])
    return paths


def build(models: Sequence[keras.Model], parts: Sequence[float], mirrored: bool) -> keras.Model:
    """The mean of the shares of ``models``, and with ``mirrored`` of each image and its mirror image too.

    ``parts`` of the models in the mean sum to 1.

    Behind the means stand the same layers as behind a network: logits, here the logarithms of the means, and
    temperatures, so that :mod:`training.export` sets them alike.
    """
    faces = keras.Input((CROP_SIDE, CROP_SIDE), name="faces")
    seen = ops.concatenate([faces, ops.flip(faces, axis=2)], axis=0) if mirrored else faces
    answers = []
    for number, model in enumerate(models):
        model.name = f"{MEMBER}{number}"
        answers.append(model(seen))
    shares = {}
    for view in VIEWS:
        mean = sum(part * answer[view] for part, answer in zip(parts, answers, strict=True))
        if mirrored:
            mean = ops.mean(ops.reshape(mean, (2, -1, len(EMOTIONS))), axis=0)
        logits = ops.log(ops.maximum(mean, SMALLEST_SHARE))
        logits = layers.Dense(len(EMOTIONS), kernel_initializer="identity", name=f"{view}_logits")(logits)
        logits = layers.Rescaling(1.0, name=f"{view}_temperature")(logits)
        shares[view] = layers.Softmax(name=f"{view}_shares")(logits)
    return keras.Model(faces, shares, name="committee")
