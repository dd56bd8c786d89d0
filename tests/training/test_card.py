"""The card has every section, every figure of its inputs, and no other."""

import copy
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fer_batch.classifiers.model_file import METRICS_NAME, SHIPPED, ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import UsageError
from training import card
from training.__main__ import app
from training.card import CardFacts
from training.evaluate import QUESTIONS

SECTIONS = (
    "What it is",
    "Data and provenance",
    "Measured results",
    "Calibration",
    "Robustness",
    "Other people's faces",
    "In 8 bits",
    "Licences",
    "Intended use",
    "What it is not",
    "What it must not be used for",
    "Limits",
    "How to repeat it",
)
SHA = "c0ffee" * 10 + "beef"
CITED = (
    r"\[[^\]]*\]\([^)]*\)",  # links: papers and the law
    r"Article 5\(1\)\(f\)",
    "FER2013|fer2013|sha256",
    "32 bits|8 bits|x86",
    "95% interval",  # the level of training.metrics
)
"""What has digits in it but is no figure."""


def result(rows: str, view: str, against: str, flips: bool, faces: int, start: float) -> dict[str, Any]:
    """A result in which every figure differs; they need not fit together."""
    return {
        "rows": rows,
        "view": view,
        "against": against,
        "flips": flips,
        "faces": faces,
        "accuracy": start,
        "macro_recall": start + 0.011,
        "recall": {name: start + 0.02 + 0.013 * index for index, name in enumerate(EMOTIONS)},
        "confusion": [[faces // 50 + 7 * row + column for column in range(7)] for row in range(7)],
    }


@pytest.fixture
def facts() -> CardFacts:
    metrics = {
        "model": {"file": "small.keras", "sha256": SHA},
        "data": {
            name: {"rows": rows, "sha256": digest * 32}
            for name, rows, digest in (
                ("Training", 28123, "ab"),
                ("PublicTest", 3511, "cd"),
                ("PrivateTest", 3522, "ef"),
            )
        },
        "versions": {"python": "3.98.1", "keras": "8.7.6"},
        "results": [
            result(rows, *question, flips, faces - 100 * axis, 0.31 + 0.04 * number + 0.13 * axis + 0.001 * flips)
            for number, (rows, faces) in enumerate(
                (("PublicTest", 3511), ("PrivateTest", 3522), ("PrivateTest, unseen", 3333))
            )
            for axis, question in enumerate(QUESTIONS)
            for flips in (False, True)
        ],
        "combined": {"fer2013": 0.543, "ferplus": 0.457},
        "int8": {
            "PublicTest": {
                "moved": {"mean": 0.0123, "in_a_thousand": 0.2345, "most": 0.3456},
                "accuracy": [{"view": "fer2013", "against": "label", "f32": 0.717, "int8": 0.719}],
            }
        },
        "others": {
            "faces": {"happiness": 1501, "neutral": 1333},
            "views": [
                {
                    "view": view,
                    "recall": {"happiness": 0.871 + ahead, "neutral": 0.423 + ahead},
                    "macro_recall": 0.647 + ahead,
                    "alarms": [{"pace": [0.17, 0.37], "happiness": 1.43, "others": 2.63, "led": 0.091 + ahead}],
                }
                for view, ahead in (("combined", 0.05), ("fer2013", 0.0), ("ferplus", 0.11))
            ],
        },
        "temperatures": {"fer2013": 1.234, "ferplus": 0.8765},
        "scores": [
            {
                "rows": "PublicTest",
                "view": "fer2013",
                "against": "label",
                "faces": 3501,
                "accuracy": {"value": 0.612, "low": 0.601, "high": 0.623},
                "macro_recall": {"value": 0.512, "low": 0.501, "high": 0.523},
                "calibration_error": {"model": 0.044, "perfect": 0.022, "uncalibrated": 0.066},
            },
            {
                "rows": "PublicTest",
                "view": "ferplus",
                "against": "votes",
                "faces": 3502,
                "accuracy": None,
                "macro_recall": None,
                "calibration_error": {"model": 0.045, "perfect": 0.023, "uncalibrated": 0.067},
            },
        ],
    }
    robustness = {
        "conditions": {"clean": "as it is", "dark": "times 0.37"},
        "results": [
            {
                "rows": rows,
                "condition": condition,
                "view": view,
                "against": against,
                "faces": 3500,
                "accuracy": 0.8 - lost,
                "macro_recall": 0.7 - lost,
                "accuracy_lost": lost,
                "macro_recall_lost": lost + 0.001,
            }
            for number, rows in enumerate(("PublicTest", "PrivateTest"))
            for condition, loss in (("clean", 0.0), ("dark", 0.234))
            for axis, (view, against) in enumerate(QUESTIONS)
            for lost in [loss + 0.03 * number + 0.007 * axis]
        ],
    }
    provenance = {
        "fer_batch": "7.8.9",
        "date": "2031-01-09",
        "commit": "abc",
        "config": {"epochs": 77, "seed": 13},
        "data": {"training_sha256": "ab" * 32},
        "versions": {"python": "3.97.0"},
    }
    metadata = {
        "emotions": list(EMOTIONS),
        "views": list(VIEWS),
        "input": {"shape": [49, 49]},
        "provenance": provenance,
    }
    return CardFacts("small.keras", SHA, metadata, {**metrics, "robustness": robustness})


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


def sections(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"^## (.*)$", text, re.MULTILINE))


def figures(text: str) -> list[str]:
    """Everything with a digit in it that is no citation."""
    for cited in CITED:
        text = re.sub(cited, "", text)
    return re.findall(r"[\w.,-]*\d[\w.,]*", text)


def without_ends(figure: str) -> str:
    return figure.strip(".,-_`")


def known_figures(facts: CardFacts) -> set[str]:
    """Every figure of the inputs in each way in which a card may write it."""
    known = set()
    for leaf in leaves([dict(facts.metadata), dict(facts.metrics), facts.sha256]):
        if isinstance(leaf, str):
            known |= {leaf, leaf[:12]} | {without_ends(figure) for figure in figures(leaf)}
        elif isinstance(leaf, float):
            known |= {f"{abs(100 * leaf):.1f}", f"{leaf:.4g}", f"{leaf:.1f}"}
        elif leaf is not None:
            known |= {f"{leaf:,}", str(leaf)}
    return known


def test_every_section_is_there_in_order(facts: CardFacts) -> None:
    assert sections(card.render_card(facts)) == SECTIONS


def test_every_figure_of_the_results_is_there(facts: CardFacts) -> None:
    text = card.render_card(facts)
    for result in facts.results:
        row = [
            result["rows"],
            f"`{result['view']}`",
            result["against"],
            "yes" if result["flips"] else "no",
            f"{result['faces']:,}",
        ]
        row += [f"{100 * result['accuracy']:.1f}", f"{100 * result['macro_recall']:.1f}"]
        assert f"| {' | '.join(row)} |" in text
        if not result["flips"]:
            recalls = [f"{100 * recall:.1f}" for recall in result["recall"].values()]
            assert f"| {' | '.join([*row[:3], *recalls])} |" in text
        if not result["flips"] and result["rows"] != "PrivateTest, unseen":
            _, after = text.split(f"`{result['view']}` against the {result['against']}, {result['rows']}:\n\n")
            for name, counts, line in zip(EMOTIONS, result["confusion"], after.splitlines()[2:9], strict=True):
                assert line == f"| **{name}** | {' | '.join(map(str, counts))} |"
    assert "| dark | 56.6 (23.4) | 46.6 (23.5) | 55.9 (24.1) | 45.9 (24.2) | 55.2 (24.8) | 45.2 (24.9) |" in text
    assert "- **dark**: times 0.37" in text
    assert "| PublicTest | 0.0123 | 0.2345 | 0.3456 |" in text
    assert "| PublicTest | `fer2013` | label | 71.7 | 71.9 |" in text
    for fact in ("28,123", SHA, "2031-01-09", "abc", "77", "13", "49x49", "fer-batch 7.8.9", "python 3.98.1", "8.7.6"):
        assert fact in text


def test_the_rows_that_are_in_training_are_counted_from_the_results(facts: CardFacts) -> None:
    assert f"{3522 - 3333} rows of PrivateTest are also in Training" in " ".join(card.render_card(facts).split())


def test_there_is_no_figure_that_the_inputs_do_not_have(facts: CardFacts) -> None:
    allowed = known_figures(facts) | {str(3522 - 3333), "49x49", f"{1501 + 1333:,}"}
    assert {without_ends(figure) for figure in figures(card.render_card(facts))} <= allowed


def test_a_changed_input_changes_the_card(facts: CardFacts) -> None:
    before = card.render_card(facts)
    metrics = copy.deepcopy(dict(facts.metrics))
    metrics["results"][1]["accuracy"] = 0.9911
    after = card.render_card(replace(facts, metrics=metrics))
    changed = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert changed == [
        (
            "| PublicTest | `fer2013` | label | yes | 3,511 | 31.1 | 32.2 |",
            "| PublicTest | `fer2013` | label | yes | 3,511 | 99.1 | 32.2 |",
        )
    ]


def test_other_peoples_faces_are_shown_and_why_public_test_was_not_enough(facts: CardFacts) -> None:
    text = card.render_card(facts)
    assert "| `combined` | 69.7 | 92.1 | 47.3 |" in text
    assert "| `combined` | 0.17 to 0.37 s | 1.4 | 2.6 | 14.1 |" in text
    right = {
        result["view"]: result["accuracy"]
        for result in facts.results
        if (result["rows"], result["against"], result["flips"]) == ("PublicTest", "label", False)
    }
    assert max(right, key=lambda view: right[view]) == "combined"
    told = (
        f"`combined` is the most often right about its labels ({100 * right['combined']:.1f} %), and recognises 47.3 %"
    )
    assert told in " ".join(text.split())
    assert "where another has 53.3 %" in " ".join(text.split())


def test_without_other_peoples_faces_there_is_no_section_about_them(facts: CardFacts) -> None:
    metrics = {name: value for name, value in facts.metrics.items() if name != "others"}
    assert set(SECTIONS) - set(sections(card.render_card(replace(facts, metrics=metrics)))) == {"Other people's faces"}


def test_limits_name_the_worst_emotion_and_the_worst_condition(facts: CardFacts) -> None:
    limits = " ".join(card.render_card(facts).partition("## Limits")[2].split())
    assert "Least often anger: 63.0 % of its faces" in limits
    assert "times 0.37. It costs 27.8 points of accuracy" in limits


def test_it_says_what_the_law_and_the_licences_say(facts: CardFacts) -> None:
    text = " ".join(card.render_card(facts).split())
    for words in (
        "Regulation (EU) 2024/1689",
        "Article 5(1)(f)",
        "doi.org/10.1177/1529100619832930",
        "arXiv:1810.03993",
        "may be used commercially is legally unclear",
        "CenterFace, MIT",
        "no demographic labels",
    ):
        assert words in text


def test_an_emotion_without_a_face_has_no_recall(facts: CardFacts) -> None:
    metrics = copy.deepcopy(dict(facts.metrics))
    for result in metrics["results"]:
        result["recall"]["anger"] = None
    text = card.render_card(replace(facts, metrics=metrics))
    assert "| PublicTest | `fer2013` | label | - | 34.3 |" in text
    assert "Least often disgust" in text


def test_other_training_rows_are_told(facts: CardFacts) -> None:
    assert "above are the rows that this file was trained on" in card.render_card(facts)
    metrics = copy.deepcopy(dict(facts.metrics))
    metrics["data"]["Training"]["sha256"] = "00" * 32
    assert "above are not the rows" in card.render_card(replace(facts, metrics=metrics))


def test_without_training_or_votes_the_card_is_shorter_and_whole(facts: CardFacts) -> None:
    metrics = copy.deepcopy(dict(facts.metrics))
    del metrics["data"]["Training"]
    metrics["results"] = [
        result for result in metrics["results"] if result["view"] == "fer2013" and result["rows"] == "PrivateTest"
    ]
    text = card.render_card(replace(facts, metrics=metrics))
    assert sections(text) == SECTIONS
    assert "are also in Training" not in text


def test_a_json_without_scores_gives_a_card_without_calibration(facts: CardFacts) -> None:
    metrics = {name: value for name, value in facts.metrics.items() if name not in ("scores", "temperatures")}
    assert sections(card.render_card(replace(facts, metrics=metrics))) == tuple(
        name for name in SECTIONS if name != "Calibration"
    )


def test_intervals_calibration_and_temperatures_are_shown_and_other_keys_are_passed_over(facts: CardFacts) -> None:
    metrics = {**facts.metrics, "later": {"width": 0.777}}
    text = card.render_card(replace(facts, metrics=metrics))
    figures = "61.2 (60.1 to 62.3) | 51.2 (50.1 to 52.3) | 4.4 | 2.2 | 6.6"
    assert f"| PublicTest | `fer2013` | label | 3,501 | {figures} |" in text
    assert "| PublicTest | `ferplus` | votes | 3,502 | - | - | 4.5 | 2.3 | 6.7 |" in text
    assert "`fer2013` 1.234, `ferplus` 0.8765" in " ".join(text.split())
    assert "777" not in text
    untouched = {**metrics, "temperatures": {"fer2013": 1.0, "ferplus": 1.0}}
    assert "no temperature was fitted" in card.render_card(replace(facts, metrics=untouched))


def test_the_view_between_the_two_is_described_by_its_parts_and_what_it_is_nearer_to(facts: CardFacts) -> None:
    scores = [
        {**facts.metrics["scores"][0], "rows": "PrivateTest", "view": "combined", "against": against,
         "calibration_error": {"model": error, "perfect": 0.02, "uncalibrated": 0.07}}
        for against, error in (("label", 0.031), ("votes", 0.014))
    ]  # fmt: skip
    text = " ".join(card.render_card(replace(facts, metrics={**facts.metrics, "scores": scores})).split())
    assert "weighted 54.3 % and 45.7 %" in text
    assert "closer to what raters say: on PrivateTest they are 1.4 points from the raters' shares and 3.1 from" in text


@pytest.fixture
def files(facts: CardFacts, tmp_path: Path) -> tuple[Path, Path]:
    """The figures on disk, as if measured with the shipped model: those of evaluate, and those of robustness."""
    paths = (tmp_path / "metrics.json", tmp_path / "robustness.json")
    measured = {**facts.metrics, "model": {"file": SHIPPED.name, "sha256": ModelFile().sha256}}
    for path, other in zip(paths, ({"robustness"}, {"results", "scores", "temperatures", "combined"}), strict=True):
        path.write_text(json.dumps({name: value for name, value in measured.items() if name not in other}))
    return paths


def write_card(*arguments: object):
    return CliRunner().invoke(app, ["card", *map(str, arguments)])


def test_the_command_writes_the_card(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "card.md"
    done = write_card(*files, "--model", SHIPPED, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out}\n"
    text = out.read_text(encoding="utf-8")
    file = ModelFile()
    assert text == card.render_card(CardFacts.of(file, card.read_metrics(files, file)))
    assert file.sha256 in text
    assert str(SHIPPED.parent) not in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"model": {}}'])
def test_figures_that_are_damaged_are_one_line(damage: str, files: tuple[Path, Path], tmp_path: Path) -> None:
    for path in files:
        whole = path.read_text()
        path.write_text(damage)
        refused = write_card(*files, "--out", tmp_path / "card.md")
        assert refused.exit_code == 2, refused.output
        assert refused.stderr.startswith(f"error: {path}")
        assert len(refused.stderr.splitlines()) == 1
        assert not (tmp_path / "card.md").exists()
        path.write_text(whole)


def test_figures_that_are_not_there_are_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    refused = write_card(files[0], "--out", tmp_path / "card.md")
    assert refused.exit_code == 2
    assert "also needs robustness" in refused.stderr
    files[1].unlink()
    refused = write_card(*files, "--out", tmp_path / "card.md")
    assert refused.exit_code == 2
    assert "cannot be read" in refused.stderr


def test_figures_of_another_model_are_refused(files: tuple[Path, Path], facts: CardFacts) -> None:
    files[1].write_text(json.dumps(facts.metrics))
    with pytest.raises(UsageError, match="another model"):
        card.read_metrics(files, ModelFile())


def test_the_shipped_card_and_metrics_are_about_the_shipped_model() -> None:
    file = ModelFile()
    assert file.card is not None
    assert f"| sha256 | `{file.sha256}` |" in file.card
    assert sections(file.card) == SECTIONS
    assert file.metrics is not None
    metrics = card.read_metrics([SHIPPED.with_name(METRICS_NAME)], file)
    assert metrics["data"]["Training"]["sha256"] == file.metadata["provenance"]["data"]["training_sha256"]
    assert file.card == card.render_card(CardFacts.of(file, metrics))


def test_biases_are_told_where_there_are_any(facts: CardFacts) -> None:
    biases = {view: dict.fromkeys(EMOTIONS, 0.0) for view in ("fer2013", "ferplus")}
    assert "answered too rarely" not in card.render_card(replace(facts, metrics={**facts.metrics, "biases": biases}))
    biases["ferplus"]["disgust"] = 0.159
    text = card.render_card(replace(facts, metrics={**facts.metrics, "biases": biases}))
    assert "answered too rarely" in " ".join(text.split())
    assert "disgust +0.16" in " ".join(text.split())


def test_models_that_a_run_began_with_and_learnt_from_are_told(facts: CardFacts) -> None:
    lineage = {"start": [{"sha256": "ab" * 32}], "teachers": [{"sha256": "cd" * 32}, {"sha256": "ef" * 32}]}
    metadata = {**facts.metadata, "provenance": {**facts.provenance, **lineage}}
    text = card.render_card(replace(facts, metadata=metadata))
    assert "| began with | `the model of sha256 abababababab…` |" in text
    assert "cdcdcdcdcdcd…, the model of sha256 efefefefefef…" in text
    assert "began with" not in card.render_card(facts)
    metadata = {**facts.metadata, "provenance": {"members": [{"sha256": "ab" * 32}], "mirrored": True}}
    text = card.render_card(replace(facts, metadata=metadata))
    assert "| mean of | `100.0 % the model of sha256 abababababab…` |" in text
    assert "| mirrored | `each image and its mirror image` |" in text
