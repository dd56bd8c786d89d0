"""Settings given as words."""

from dataclasses import replace

import pytest

from fer_batch.errors import UsageError
from training.config import Config, with_settings


def test_settings_take_the_place_of_their_own() -> None:
    given = ["epochs=3", "learning_rate=1e-2", "dropout=0", "stage_filters=8,16", "stage_blocks=2", "precision=float32"]
    expected = replace(
        Config(),
        epochs=3,
        learning_rate=0.01,
        dropout=0.0,
        stage_filters=(8, 16),
        stage_blocks=(2,),
        precision="float32",
    )
    assert with_settings(Config(), given) == expected
    assert with_settings(Config(), []) == Config()


@pytest.mark.parametrize(
    "setting",
    ["epochs=3.5", "epochs=", "epochs", "epochs=many", "epochs=True", "stage_filters=8,x", "stage_filters=8.0,9"],
)
def test_a_value_of_another_kind_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match="the value must look like"):
        with_settings(Config(), [setting])


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no setting 'epoch'; there are seed, epochs,"):
        with_settings(Config(), ["epoch=3"])
