"""Figures say what the evaluation says, the same way each time."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from fer_batch.emotions import EMOTIONS, TABLE, VIEWS
from fer_batch.errors import OutputError
from fer_batch.report import texts
from training import figures
from training.evaluate import Evaluation, evaluate
from training.fer2013 import Split


@pytest.fixture(scope="module")
def evaluation(splits: dict[str, Split]) -> Evaluation:
    """A classifier that takes every fifth face for anger, and is never quite sure."""

    def predict(faces: np.ndarray) -> np.ndarray:
        answers = np.where(np.arange(len(faces)) % 5 == 0, 0, np.arange(len(faces)) % len(EMOTIONS))
        shares = 0.3 / 7 + 0.7 * np.eye(len(EMOTIONS))[answers]
        return np.stack([shares] * len(VIEWS), axis=1)

    return evaluate(predict, splits)


def words(svg: str) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]


def test_every_single_look_is_drawn(evaluation: Evaluation, tmp_path: Path) -> None:
    paths = figures.write_figures(evaluation, tmp_path / "new")
    kinds = ["fer2013-label", "ferplus-majority", "combined-label", "combined-majority"]
    expected = [f"confusion-{rows}-{kind}" for rows in ("PublicTest", "PrivateTest") for kind in kinds]
    kinds[2:2], kinds[4:] = ["ferplus-votes"], ["combined-majority", "combined-votes", "combined-both"]
    expected += [f"reliability-{rows}-{kind}" for rows in ("PublicTest", "PrivateTest") for kind in kinds]
    assert [path.stem for path in paths] == expected
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)


def test_a_confusion_matrix_has_its_numbers_and_names(evaluation: Evaluation) -> None:
    result = evaluation.result("PublicTest", "fer2013", flips=False)
    said = words(figures.draw_confusion(result))
    assert {texts.label(emotion.name) for emotion in TABLE} <= set(said)
    parts = 100 * result.confusion / result.confusion.sum(axis=1, keepdims=True)
    cells = [word for word in said if word.replace(".", "").isdigit()]
    assert cells == [f"{part:.1f}" for part in parts.ravel()]
    assert "80.0" in cells
    assert "fer2013 against the label, PublicTest: 70 faces, rows in %" in said


def test_a_class_without_a_face_has_no_numbers(splits: dict[str, Split]) -> None:
    happy = splits["PublicTest"].take(splits["PublicTest"].labels == 3)
    alone = evaluate(lambda faces: np.full((len(faces), 2, 7), 1 / 7), {"PublicTest": happy})
    said = words(figures.draw_confusion(alone.result("PublicTest", "fer2013", flips=False)))
    assert len([word for word in said if word.replace(".", "").isdigit()]) == len(EMOTIONS)


def test_a_reliability_diagram_says_how_far_off(evaluation: Evaluation) -> None:
    score = evaluation.score("PublicTest", "fer2013", "label")
    said = words(figures.draw_reliability(score))
    error, expected = (100 * one for one in (score.reliability.error, score.reliability.expected))
    assert f"as it answers: error {error:.1f} %, by chance {expected:.1f} %" in said
    assert "Accuracy" in said
    assert "Opinions that agree" in words(figures.draw_reliability(evaluation.score("PublicTest", "ferplus", "votes")))


def test_the_same_report_gives_the_same_bytes_without_a_date(evaluation: Evaluation) -> None:
    for draw in (
        lambda: figures.draw_confusion(evaluation.result("PublicTest", "fer2013", flips=False)),
        lambda: figures.draw_reliability(evaluation.score("PublicTest", "fer2013", "label")),
    ):
        first = draw()
        assert first == draw()
        assert "dc:date" not in first


def test_a_folder_that_cannot_be_written_is_said(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(OutputError, match="Cannot write"):
        figures.write_figures(evaluation, tmp_path / "taken")
