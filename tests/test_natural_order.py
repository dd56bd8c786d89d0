"""The order of names."""

import re

from hypothesis import given
from hypothesis import strategies as st

from fer_batch.natural_order import natural

names = st.text("aB/é0123456789²\u0661-", max_size=8)


@given(st.integers(0, 10**40), st.integers(0, 10**40))
def test_numbers_count_by_their_value(first: int, second: int) -> None:
    assert (natural(f"IMG_{first}.jpg") < natural(f"IMG_{second}.jpg")) == (first < second)


def test_names_as_cameras_and_people_write_them() -> None:
    expected = ["day 1", "day 1/9.jpg", "Day 1/010.jpg", "day 2", "day 10", "img1.jpg", "IMG_2.jpg", "IMG_10.jpg"]
    assert sorted(set(expected), key=natural) == expected
    assert sorted(["1a", "01", "1", "a", "", "²"], key=natural) == ["", "01", "1", "1a", "a", "²"]


@given(st.lists(names, unique=True))
def test_any_names_have_one_order(given_names: list[str]) -> None:
    in_order = sorted(given_names, key=natural)
    assert in_order == sorted(set(given_names), key=natural)
    plain = [name for name in in_order if not re.search(r"\d|/", name)]
    assert plain == sorted(plain, key=lambda name: (name.casefold(), name))
