"""Pure: what a paper can say about a run, from run.json."""

from collections.abc import Iterator, Mapping
from typing import Any

from fer_batch.emotions import COMBINED, EMOTIONS
from fer_batch.options import DEFAULT_MIN_FACE
from fer_batch.report import formatting
from fer_batch.report.model_card import Accuracy
from fer_batch.report.texts import say, word
from fer_batch.types import Reason


def paragraph(run: Mapping[str, Any], accuracy: Accuracy | None, by_raters: Accuracy | None = None) -> str:
    """A Methods paragraph with every version and threshold that the numbers depend on.

    ``accuracy`` is that of the view that the tables show; ``by_raters`` that of the view ``combined`` compared with
    the majority of raters.
    """
    options, counts = run.get("options", {}), run.get("counts", {})
    model, detector = run.get("model", {}), run.get("detector", {})
    versions, crop = run.get("versions", {}), run.get("crop", {})
    videos, photos = counts.get("videos", 0), counts.get("photos", 0)
    sentences = [say("methods.measured", media=_media(videos, photos), version=run.get("fer_batch", "?"))]
    if videos:
        fps = options.get("fps")
        sentences.append(say("methods.some_frames", fps=f"{fps:g}") if fps else say("methods.every_frame"))
    if options.get("as_video"):
        sentences.append(say("methods.as_video", fps=f"{options['as_video']:g}"))
    if options.get("cropped"):
        sentences.append(say("methods.cropped"))
    most = options.get("max_faces")
    sentences.append(
        say(
            "methods.found",
            detector=detector.get("name", say("methods.the_detector")),
            sha256=_short(detector),
            precision=detector.get("precision", say("methods.unknown")),
            score=options.get("min_confidence"),
            height=options.get("min_face") or DEFAULT_MIN_FACE,
            at_most=say("methods.at_most", most=most) if most else "",
        )
    )
    is_known = {"scale", "side"} <= crop.keys()
    square = say("methods.square", scale=crop["scale"], side=crop["side"]) if is_known else say("methods.some_square")
    name = model.get("file", say("methods.unknown"))
    sentences.append(say("methods.classified", square=square, model=name, sha256=_short(model), answer=_answer(run)))
    sentences += _right(accuracy, by_raters)
    sentences += _summed_up(run)
    degraded = formatting.count(counts.get("degraded", 0))
    sentences.append(say("methods.left_out", n=counts.get("left_out", 0), degraded=degraded))
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    if software:
        sentences.append(say("methods.software", software=software))
    return " ".join(sentences)


def _summed_up(run: Mapping[str, Any]) -> Iterator[str]:
    """Which faces, over what, and with which intervals."""
    options, counts, people = run.get("options", {}), run.get("counts", {}), run.get("statistics_over_people")
    left_out = counts.get("faces_left_out", {})
    if counts.get("videos"):
        yield say("methods.means")
        if "episode_enter" in options:
            enter, leave = options["episode_enter"], options["episode_leave"]
            shortest, gap = options["episode_shortest"], options.get("episode_gap")
            yield say("methods.episodes", enter=enter, leave=leave, shortest=shortest, gap=gap)
    if spurious := left_out.get(Reason.SPURIOUS, 0):
        yield say("methods.spurious", n=spurious)
    if options.get("min_quality"):
        gone = left_out.get(Reason.QUALITY, 0)
        everything = formatting.count(gone + counts.get("faces", 0))
        yield say("methods.quality", least=options["min_quality"], left_out=formatting.count(gone), all=everything)
    if options.get("smooth"):
        yield say("methods.smooth", seconds=options["smooth"])
    if options.get("baseline"):
        start, stop = options["baseline"]
        yield say("methods.baseline", start=f"{start:g}", stop=f"{stop:g}")
    if isinstance(people, Mapping) and people.get("groups"):
        yield say("methods.groups", intervals=people["intervals"], fewest=people["fewest_persons"])


def citation(run: Mapping[str, Any]) -> str:
    """How to cite fer-batch and its model."""
    model = run.get("model", {})
    year = str(run.get("started", ""))[:4]
    return say(
        "methods.cite",
        version=run.get("fer_batch", "?"),
        used=say("methods.used", year=year) if year else "",
        model=model.get("file", ""),
        sha256=model.get("sha256", say("methods.unknown")),
    )


def _answer(run: Mapping[str, Any]) -> str:
    """What the shares are, as a phrase."""
    view = run.get("options", {}).get("view")
    labels, raters = say("methods.answer_fer2013"), say("methods.answer_ferplus")
    parts = run.get("view", {}).get("parts", {})
    if view == COMBINED and {"fer2013", "ferplus"} <= parts.keys():
        first, second = (formatting.percent(parts[name]) for name in ("fer2013", "ferplus"))
        return say("methods.answer_combined", first=first, second=second, labels=labels, raters=raters)
    return raters if view == "ferplus" else labels


def _right(accuracy: Accuracy | None, by_raters: Accuracy | None) -> Iterator[str]:
    """How often the answer was right, where that is known."""
    if accuracy is not None:
        least = min(range(7), key=lambda emotion: accuracy.recalls[emotion])
        yield say(
            "methods.right",
            faces=formatting.count(accuracy.faces),
            percent=formatting.percent(accuracy.accuracy),
            emotion=word(EMOTIONS[least]),
            least=formatting.percent(accuracy.recalls[least]),
        )
    if by_raters is not None:
        percent = formatting.percent(by_raters.accuracy)
        yield say("methods.as_raters", faces=formatting.count(by_raters.faces), percent=percent)


def _media(videos: int, photos: int) -> str:
    """What was analysed, as a phrase."""
    counts = say("counts.videos", n=videos), say("counts.photos", n=photos)
    if videos and photos:
        return say("methods.videos_and_photos", videos=counts[0], photos=counts[1])
    return counts[0] if videos else counts[1] if photos else say("methods.no_media")


def _short(facts: Mapping[str, Any]) -> str:
    return str(facts.get("sha256", say("methods.unknown")))[:12]
