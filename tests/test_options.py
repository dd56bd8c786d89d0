"""Options: every default is good, and what is out of range is refused by the name that the command line gives it."""

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from fer_batch.cli import analyze
from fer_batch.errors import UsageError
from fer_batch.options import Options, interval, rectangle

NAN = float("nan")

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"view": "ckplus"}, "--view"),
    ({"view": ""}, "--view"),
    ({"fps": 0.0}, "--fps"),
    ({"fps": -1.0}, "--fps"),
    ({"fps": NAN}, "--fps"),
    ({"start": -0.1}, "--start"),
    ({"start": NAN}, "--start"),
    ({"end": 0.0}, "--end"),
    ({"start": 5.0, "end": 5.0}, "--end"),
    ({"start": 5.0, "end": 4.0}, "--end"),
    ({"end": NAN}, "--end"),
    ({"min_confidence": 0.0}, "--min-confidence"),
    ({"min_confidence": 1.01}, "--min-confidence"),
    ({"min_confidence": NAN}, "--min-confidence"),
    ({"min_face": 0}, "--min-face"),
    ({"min_quality": -0.01}, "--min-quality"),
    ({"min_quality": 1.01}, "--min-quality"),
    ({"min_quality": NAN}, "--min-quality"),
    ({"max_faces": 0}, "--max-faces"),
    ({"baseline": (-1.0, 1.0)}, "--baseline"),
    ({"baseline": (1.0, 1.0)}, "--baseline"),
    ({"baseline": (0.0, NAN)}, "--baseline"),
    ({"region": (-1, 0, 5, 5)}, "--region"),
    ({"region": (0, 0, 5, 5), "cropped": True}, "--region"),
    ({"as_video": 0.0}, "--as-video"),
    ({"as_video": NAN}, "--as-video"),
    ({"region": (0, 0, 0, 5)}, "--region"),
    ({"region": (0, 0, 5, -5)}, "--region"),
    ({"smooth": 0.0}, "--smooth"),
    ({"smooth": NAN}, "--smooth"),
    ({"episode_enter": 0.0}, "--episode-enter"),
    ({"episode_enter": 1.01, "episode_leave": 1.0}, "--episode-enter"),
    ({"episode_enter": NAN}, "--episode-enter"),
    ({"episode_leave": 0.0}, "--episode-leave"),
    ({"episode_enter": 0.5, "episode_leave": 0.51}, "--episode-leave"),
    ({"episode_leave": NAN}, "--episode-leave"),
    ({"episode_shortest": -0.1}, "--episode-shortest"),
    ({"episode_shortest": NAN}, "--episode-shortest"),
    ({"episode_gap": -0.1}, "--episode-gap"),
    ({"detect_every": 0}, "--detect-every"),
    ({"detect_every": -1}, "--detect-every"),
    ({"workers": -1}, "--workers"),
    ({"batch_size": 0}, "--batch-size"),
    ({"engine": "slurm"}, "--engine"),
    ({"ray_address": "auto"}, "--ray-address"),
    ({"shard": (0, 4)}, "--shard"),
    ({"shard": (5, 4)}, "--shard"),
]


@pytest.mark.parametrize(("values", "option"), REFUSED)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_option(values: dict[str, Any], option: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Options(**values)
    assert str(refusal.value).startswith(f"{option} must")
    assert re.search(r"; got [^ ()\[\]]*\.$", str(refusal.value))


def test_an_episode_that_would_end_above_its_begin_is_told_though_the_end_is_a_default() -> None:
    said = r"^--episode-leave is 0\.35 if it is not given: with --episode-enter 0\.3, give --episode-leave too"
    with pytest.raises(UsageError, match=said):
        Options(episode_enter=0.3)
    with pytest.raises(UsageError, match=r"at most --episode-enter, 0\.3; got 0\.4\."):
        Options(episode_enter=0.3, episode_leave=0.4)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"view": "ferplus"},
        {"fps": 0.1},
        {"start": 0.0},
        {"start": 0.0, "end": 0.1},
        {"min_confidence": 1.0},
        {"min_face": 1},
        {"max_faces": 1},
        {"episode_enter": 1.0, "episode_leave": 1.0, "episode_shortest": 0.0},
        {"episode_enter": 0.35},
        {"smooth": 0.1},
        {"region": (0, 0, 1, 1)},
        {"as_video": 0.1, "cropped": True},
        {"baseline": (0.0, 0.1)},
        {"detect_every": 1},
        {"workers": 0},
        {"batch_size": 1},
        {"engine": "ray", "ray_address": "auto"},
    ],
)
def test_defaults_and_the_edges_of_every_range_are_taken(values: dict[str, Any]) -> None:
    taken = Options(**values).as_json()
    assert taken == Options().as_json() | values


def test_the_command_line_has_every_option_with_the_same_default() -> None:
    parameters = signature(analyze).parameters
    assert {field.name: parameters[field.name].default for field in fields(Options)} == {
        field.name: getattr(Options(), field.name) for field in fields(Options)
    }


def test_json_names_the_model_without_its_folder() -> None:
    assert Options(model=Path("/home/somebody/models/mine.keras")).as_json()["model"] == "mine.keras"


@pytest.mark.parametrize("option", ["as_video", "fps", "start", "end", "smooth", "episode_shortest", "episode_gap"])
def test_infinity_is_out_of_every_range(option: str) -> None:
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}"):
        Options(**{option: float("inf")})


def test_an_interval_is_two_numbers() -> None:
    assert interval("0-2.5") == (0.0, 2.5)
    assert interval(None) is None


@pytest.mark.parametrize("text", ["", "5", "1-2-3", "a-b", "1,5-2", "-1-2", "0:10-0:20"])
def test_what_is_no_interval_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"--baseline must be two times in seconds, like 0-10"):
        interval(text)


def test_a_rectangle_is_four_whole_numbers() -> None:
    assert rectangle("100,50,640,480") == (100, 50, 640, 480)
    assert rectangle(None) is None


@pytest.mark.parametrize("text", ["", "5", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,2,3,4", "1 2 3 4"])
def test_what_is_no_rectangle_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"--region must be x,y,width,height in whole pixels, like 100,50,640,480"):
        rectangle(text)
