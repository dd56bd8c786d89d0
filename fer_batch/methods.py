"""Pure: what to write of a run in a paper, from run.json."""

from collections.abc import Mapping
from typing import Any

from fer_batch import words
from fer_batch.card import Accuracy
from fer_batch.emotions import EMOTIONS


def paragraph(run: Mapping[str, Any], accuracy: Accuracy | None) -> str:
    """A Methods paragraph with every version and threshold that has a part in the numbers."""
    options, counts = run.get("options", {}), run.get("counts", {})
    model, detector = run.get("model", {}), run.get("detector", {})
    versions, crop = run.get("versions", {}), run.get("crop", {})
    films, photographs = counts.get("films", 0), counts.get("photographs", 0)
    media = [words.plural(films, "film")] * bool(films) + [words.plural(photographs, "photograph")] * bool(photographs)
    fps = options.get("fps")
    looked = f"The first frame of every 1/{fps:g} s of film was looked at. " if fps else "Every frame was looked at. "
    sentences = [
        f"Facial expressions in {' and '.join(media) or 'the material'} were measured with fer-batch "
        f"{run.get('fer_batch', '?')}. {looked if films else ''}"
        f"Faces were found by {detector.get('name', 'the detector')} (sha256 {_short(detector)}, precision "
        f"{detector.get('precision', 'unknown')}) and kept if the detector's score was at least "
        f"{options.get('min_confidence')} and the face at least {options.get('min_face')} pixels high"
        + (f", at most {options['max_faces']} a frame" if options.get("max_faces") else "")
        + ". "
        + (
            f"A square of {crop['scale']} times the box's height, reduced to {crop['side']}x{crop['side']} grey pixels,"
            if {"scale", "side"} <= crop.keys()
            else "A grey square about each face"
        )
        + f" was shown to a convolutional neural network ({model.get('file', 'unknown')}, sha256 {_short(model)}), "
        f"which gives {_answer(options.get('view'))}.",
    ]
    if accuracy is not None:
        least = min(range(7), key=lambda at: accuracy.recalls[at])
        sentences.append(
            f"On {words.count(accuracy.faces)} faces of FER2013's PrivateTest, by which nothing was chosen, "
            f"this answer was right for {words.percent(accuracy.accuracy)} % (least for {EMOTIONS[least]}: "
            f"{words.percent(accuracy.recalls[least])} %)."
        )
    if films:
        sentences.append(
            "Means are over time, each frame weighing its duration; faces were followed from frame to frame by their "
            "place, not recognised."
        )
        if "episode_enter" in options:
            sentences.append(
                f"An episode begins when an expression's share reaches {options['episode_enter']}, ends when it falls "
                f"below {options['episode_leave']}, and lasts {options['episode_shortest']} s or longer."
            )
    if options.get("min_quality"):
        sentences.append(f"Faces of a quality below {options['min_quality']} were not summed up.")
    if options.get("smooth"):
        sentences.append(f"Shares were averaged over {options['smooth']} s.")
    left, degraded = counts.get("left_out", 0), counts.get("degraded", 0)
    sentences.append(f"{words.plural(left, 'file')} could not be read, {words.count(degraded)} only in part.")
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    if software:
        sentences.append(f"Software: {software}.")
    return " ".join(sentences)


def citation(run: Mapping[str, Any]) -> str:
    """How to cite fer-batch, and what it stands on."""
    year = str(run.get("started", ""))[:4]
    return (
        f"fer-batch (version {run.get('fer_batch', '?')}{', used ' + year if year else ''}): emotion timelines from "
        f"the faces in photographs and films. Model {run.get('model', {}).get('file', '')}, sha256 "
        f"{run.get('model', {}).get('sha256', 'unknown')}."
    )


def _short(facts: Mapping[str, Any]) -> str:
    return str(facts.get("sha256", "unknown"))[:12]


def _answer(view: object) -> str:
    if view == "ferplus":
        return "the expected share of human raters who would choose each of seven emotions (FER+, Barsoum et al. 2016)"
    return "its belief in each of the seven labels of FER2013 (Goodfellow et al. 2013)"
