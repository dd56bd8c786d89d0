"""card and methods: what a report says of the model is what its card says, and of a run what run.json says."""

from pathlib import Path

import pytest

import fer_batch
from fer_batch.emotions import EMOTIONS
from fer_batch.report import methods, model_card

SHIPPED = (Path(fer_batch.__file__).parent / "models/fer2013.md").read_text(encoding="utf-8")
RUN = {
    "fer_batch": "1.2.3",
    "started": "2026-11-23T05:40:00+00:00",
    "options": {"view": "fer2013", "min_confidence": 0.5, "min_face": 24, "fps": 5, "episode_enter": 0.5,
                "episode_leave": 0.35, "episode_shortest": 0.3, "min_quality": 0.2, "smooth": 1.0, "max_faces": 3},
    "model": {"file": "fer2013.keras", "sha256": "ab12" * 16},
    "detector": {"name": "centerface", "sha256": "09189deaaf86ff", "precision": "f32"},
    "crop": {"side": 48, "scale": 1.08},
    "counts": {"videos": 2, "photos": 1, "left_out": 1, "degraded": 0},
    "versions": {"python": "3.11.7", "openvino": "2025.2"},
}  # fmt: skip


@pytest.mark.parametrize("view", ["fer2013", "ferplus"])
def test_the_shipped_card_is_understood(view):
    found = model_card.read_accuracy(SHIPPED, view)
    assert found is not None
    assert f"| PrivateTest | `{view}` | no | {found.faces:,} | {100 * found.accuracy:.1f} |" in SHIPPED
    for row, recall in zip(found.shares, found.recalls, strict=True):
        assert sum(row) == pytest.approx(1)
        assert recall in row


def test_what_an_emotion_is_taken_for_is_in_order():
    found = model_card.read_accuracy(SHIPPED, "fer2013")
    names, shares = zip(*found.mistaken("fear"), strict=True)
    assert set(names) == set(EMOTIONS) - {"fear"}
    assert list(shares) == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1 - found.recalls[EMOTIONS.index("fear")])


@pytest.mark.parametrize(
    "text",
    ["", "# A card", "`fer2013`, PrivateTest:\n", "`fer2013`, PrivateTest:\n\n| label | anger |\n|-|-|\n| anger | x |"],
)
def test_a_card_that_says_nothing_of_it_gives_nothing(text):
    assert model_card.read_accuracy(text, "fer2013") is None


def test_the_methods_paragraph_has_every_threshold_and_version():
    text = methods.paragraph(RUN, model_card.read_accuracy(SHIPPED, "fer2013"))
    for fact in (
        "2 films and 1 photograph", "fer-batch 1.2.3", "1/5 s", "centerface", "09189deaaf86", "0.5", "24 pixels",
        "at most 3 a frame", "1.08", "48x48", "ab12ab12ab12", "70.4 %", "falls below 0.35", "lasts 0.3 s",
        "quality below 0.2", "averaged over 1.0 s", "1 file could not be read", "python 3.11.7, openvino 2025.2",
    ):  # fmt: skip
        assert fact in text
    assert "ab12" * 16 in methods.citation(RUN)
    assert "2026" in methods.citation(RUN)


def test_a_bare_run_still_gives_sentences():
    text = methods.paragraph({"fer_batch": "1"}, None)
    assert text.startswith("Facial expressions in the material were measured with fer-batch 1.")
    assert "human raters" in methods.paragraph({"options": {"view": "ferplus"}}, None)
