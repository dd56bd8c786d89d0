"""What a report says of the model is what its metrics say, and of a run what run.json says."""

import copy
import json

import pytest

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS
from fer_batch.report import methods, model_card
from fer_batch.report.pages import base

SHIPPED = json.loads(ModelFile().metrics)
CARD = ModelFile().card
RUN = {
    "fer_batch": "1.2.3",
    "started": "2026-11-23T05:40:00+00:00",
    "options": {"view": "fer2013", "min_confidence": 0.5, "min_face": 24, "fps": 5, "episode_enter": 0.5,
                "episode_leave": 0.35, "episode_shortest": 0.3, "episode_gap": 0.2,
                "min_quality": 0.2, "smooth": 1.0, "max_faces": 3},
    "model": {"file": "fer2013.keras", "sha256": "ab12" * 16},
    "detector": {"name": "centerface", "sha256": "09189deaaf86ff", "precision": "f32"},
    "crop": {"side": 48, "scale": 1.08},
    "counts": {"videos": 2, "photos": 1, "left_out": 1, "degraded": 0},
    "versions": {"python": "3.11.7", "openvino": "2025.2"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("view", "against"),
    [("fer2013", "label"), ("ferplus", "majority"), ("combined", "label"), ("combined", "majority")],
)
def test_the_shipped_metrics_are_understood_and_agree_with_the_card(view, against):
    found = model_card.read_accuracy(SHIPPED, view, against)
    assert found is not None
    if against == "label" or view == "ferplus":
        assert found == model_card.read_accuracy(SHIPPED, view)
    assert f"| PrivateTest | `{view}` | {against} | no | {found.faces:,} | {100 * found.accuracy:.1f} |" in CARD
    for row, recall in zip(found.shares, found.recalls, strict=True):
        assert sum(row) == pytest.approx(1)
        assert recall in row


def test_what_an_emotion_is_taken_for_is_in_order():
    found = model_card.read_accuracy(SHIPPED, "fer2013")
    names, shares = zip(*found.mistaken("fear"), strict=True)
    assert set(names) == set(EMOTIONS) - {"fear"}
    assert list(shares) == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1 - found.recalls[EMOTIONS.index("fear")])


def test_the_order_of_the_emotions_is_that_of_the_metrics():
    backwards = copy.deepcopy(SHIPPED)
    backwards["emotions"].reverse()
    for result in backwards["results"]:
        result["confusion"] = [row[::-1] for row in result["confusion"][::-1]]
    assert model_card.read_accuracy(backwards, "fer2013") == model_card.read_accuracy(SHIPPED, "fer2013")


@pytest.mark.parametrize(
    "results", [None, [], [{}], [{"rows": "PrivateTest", "view": "fer2013", "against": "label", "flips": False}]]
)
@pytest.mark.parametrize("confusion", [None, [], [[0] * 7] * 7, [[1] * 6] * 7, [["x"] * 7] * 7])
def test_metrics_that_say_nothing_of_it_give_nothing(results, confusion):
    metrics = {"emotions": list(EMOTIONS), "results": [{**result, "confusion": confusion} for result in results or ()]}
    assert model_card.read_accuracy(metrics, "fer2013") is None
    assert model_card.read_accuracy({}, "fer2013") is None


def test_the_methods_paragraph_has_every_threshold_and_version():
    text = methods.paragraph(RUN, model_card.read_accuracy(SHIPPED, "fer2013"))
    for fact in (
        "2 videos and 1 photo", "fer-batch 1.2.3", "1/5 s", "centerface", "09189deaaf86", "0.5", "24 pixels",
        "at most 3 a frame", "1.08", "48x48", "ab12ab12ab12", "72.9 %", "falls below 0.35", "lasts 0.3 s",
        "quality below 0.2", "averaged over 1.0 s", "1 file could not be read", "python 3.11.7, openvino 2025.2",
    ):  # fmt: skip
        assert fact in text
    assert "ab12" * 16 in methods.citation(RUN)
    assert "2026" in methods.citation(RUN)


def test_the_methods_paragraph_tells_what_is_summed_up_and_over_whom():
    statistics = {"groups": 2, "intervals": "Student's t over persons", "fewest_persons": 5}
    counts = {**RUN["counts"], "faces_left_out": {"spurious": 1, "quality": 6}}
    run = {**RUN, "counts": counts, "statistics_over_people": statistics}
    text = methods.paragraph({**run, "options": {**RUN["options"], "baseline": [0, 2.5]}}, None)
    assert "1 face that was found in a single frame was not summed up." in text
    assert "each face's own mean between 0 and 2.5 s" in text
    assert "95 % intervals (Student's t over persons) are given from 5 persons on." in text
    assert "95 % intervals" not in methods.paragraph({**run, "statistics_over_people": "none: nobody is named"}, None)


def test_the_methods_paragraph_tells_what_the_default_view_is_a_mean_of():
    run = {**RUN, "options": {**RUN["options"], "view": "combined"}}
    parts = {"name": "combined", "parts": {"fer2013": 0.5, "ferplus": 0.5}}
    by_raters = model_card.read_accuracy(SHIPPED, "combined", "majority")
    text = methods.paragraph({**run, "view": parts}, model_card.read_accuracy(SHIPPED, "combined"), by_raters)
    assert "FER2013 (Goodfellow et al. 2013), weighted 50.0 %" in text
    assert "(FER+, Barsoum et al. 2016), weighted 50.0 %" in text
    assert f"({by_raters.faces:,} faces)" in text.replace("(FER+, ", "(")


def test_a_bare_run_still_gives_sentences():
    text = methods.paragraph({"fer_batch": "1"}, None)
    assert text.startswith("Facial expressions in the material were measured with fer-batch 1.")
    assert "human raters" in methods.paragraph({"options": {"view": "ferplus"}}, None)


def test_models_within_a_model_are_told_one_by_one() -> None:
    members = [{"sha256": "ab", "config": {"seed": 1}}, {"sha256": "cd", "part": 0.25}]
    assert base.facts({"members": members, "names": ["a", "b"]}) == (
        ("members 1: sha256", "ab"),
        ("members 1: config: seed", "1"),
        ("members 2: sha256", "cd"),
        ("members 2: part", "0.25"),
        ("names", "a, b"),
    )
