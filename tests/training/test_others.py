"""Other people's faces: recalls are those of the answers, and false alarms those that the faces' pace gives."""

import numpy as np
import pytest

from fer_batch.emotions import EMOTIONS, NEUTRAL, TABLE_VIEWS
from fer_batch.errors import UsageError
from training.fer2013 import VOTES, Split
from training.others import PACES, measure_others, render_others

HAPPINESS, SURPRISE = EMOTIONS.index("happiness"), EMOTIONS.index("surprise")


def split(labels: np.ndarray) -> Split:
    """Images that carry their row's number in the first two pixels."""
    images = np.zeros((len(labels), 48, 48), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    return Split(images, labels, np.zeros((len(labels), len(VOTES)), int))


def test_a_model_that_knows_neutral_faces_sees_no_expression_in_them() -> None:
    labels = np.repeat([NEUTRAL, HAPPINESS, SURPRISE], [40, 30, 5])

    def predict(images: np.ndarray) -> np.ndarray:
        rows = images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]
        return np.repeat(np.eye(7)[labels[rows]][:, np.newaxis], 2, axis=1)

    for result in measure_others(predict, split(labels)):
        assert result.recall == {"happiness": 1.0, "neutral": 1.0}
        assert result.macro_recall == 1
        assert [(found.happiness, found.others, found.led) for found in result.alarms] == [(0, 0, 0)] * len(PACES)


def test_each_view_is_judged_by_what_it_sees_and_slower_changes_alarm_more() -> None:
    """Half of the neutral faces look surprised to one output, and none to the other."""
    labels = np.full(40, NEUTRAL)

    def predict(images: np.ndarray) -> np.ndarray:
        shares = np.repeat(np.eye(7)[labels][:, np.newaxis], 2, axis=1)
        shares[::2, 0] = np.eye(7)[SURPRISE]
        return shares

    found = {result.view: result for result in measure_others(predict, split(labels))}
    assert tuple(found) == TABLE_VIEWS
    assert found["fer2013"].recall == {"neutral": 0.5}
    assert found["ferplus"].recall == {"neutral": 1.0}
    assert [alarms.others for alarms in found["ferplus"].alarms] == [0, 0]
    quick, slow = found["fer2013"].alarms
    assert (quick.happiness, slow.happiness) == (0, 0)
    assert 0 < quick.others < slow.others
    assert quick.led == pytest.approx(0.5, abs=0.05)
    assert "surprise" not in render_others(tuple(found.values()))


def test_too_few_neutral_faces_are_refused() -> None:
    with pytest.raises(UsageError, match="There are 3 neutral faces of other people, and 20 are needed"):
        measure_others(lambda _: np.empty(0), split(np.full(3, NEUTRAL)))
