"""However often frames are looked at, each is told of once, and in the end all have been."""

from hypothesis import given
from hypothesis import strategies as st

from fer_batch.pipeline.progress import ProgressCounter
from fer_batch.types import Kind, Outcome, Source

VIDEO = Source(Kind.VIDEO, "film", (), "film")


class Listener:
    """A Progress that adds up what it is told."""

    def __init__(self) -> None:
        self.promised = self.told = 0

    def begin(self, source: Source, frames: int) -> None:
        assert frames > 0
        self.promised += frames

    def advance(self, frames: int) -> None:
        assert frames > 0
        self.told += frames
        assert self.told <= self.promised

    def end(self, source: Source, outcome: Outcome | None) -> None:
        raise AssertionError("not this one's business")

    def rendered(self, pages: int, of: int) -> None:
        raise AssertionError("not this one's business")

    def waiting(self, reason: str) -> None:
        raise AssertionError("not this one's business")


def test_a_chunk_that_is_begun_again_is_told_of_from_where_it_was() -> None:
    listener = Listener()
    count = ProgressCounter(listener)
    count.begin(VIDEO, {"a": 100})
    count.scanned("a", 60)
    count.retry("a")
    told = []
    for _ in range(5):
        count.scanned("a", 20)
        told.append(listener.told)
    assert told == [60, 60, 60, 80, 100]


def test_a_chunk_that_is_given_up_is_done_with() -> None:
    listener = Listener()
    count = ProgressCounter(listener)
    count.begin(VIDEO, {"a": 100, "b": 50})
    count.scanned("a", 60)
    count.end("a")
    assert (listener.promised, listener.told) == (150, 100)


def test_chunks_that_take_the_place_of_others_are_not_announced_twice() -> None:
    listener = Listener()
    count = ProgressCounter(listener)
    count.begin(VIDEO, {"a": 100, "b": 50, "c": 50})
    count.scanned("a", 100)
    count.end("a")
    count.scanned("b", 20)
    count.begin(VIDEO, {"all": 200}, instead_of="abc")
    assert (listener.promised, listener.told) == (320, 120)
    count.scanned("c", 50)  # its process has not heard of it yet
    assert listener.told == 120
    count.scanned("all", 200)
    count.end("all")
    assert listener.told == listener.promised
    count.begin(VIDEO, {"d": 10})
    count.begin(VIDEO, {"e": 3}, instead_of="d")
    assert (listener.promised, listener.told) == (330, 327)


events = st.lists(
    st.one_of(
        st.tuples(st.just("looked"), st.sampled_from("abc"), st.integers(0, 40)),
        st.tuples(st.sampled_from(["again", "end"]), st.sampled_from("abc"), st.just(0)),
    )
)


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3), events)
def test_in_the_end_as_many_have_been_told_of_as_were_announced(
    frames: list[int], events: list[tuple[str, str, int]]
) -> None:
    listener = Listener()
    count = ProgressCounter(listener)
    count.begin(VIDEO, dict(zip("abc", frames, strict=True)))
    for event, key, looked in events:
        match event:
            case "looked":
                count.scanned(key, looked)
            case "again":
                count.retry(key)
            case "end":
                count.end(key)
    for key in "abc":
        count.end(key)
    assert listener.told == listener.promised == sum(frames)


@given(st.integers(0, 200), st.lists(st.integers(0, 100), max_size=3), st.booleans())
def test_what_headers_promise_is_told_once_and_settled(expected: int, planned: list[int], plan: bool) -> None:
    listener = Listener()
    count = ProgressCounter(listener)
    count.expect(VIDEO, expected)
    assert listener.promised == expected
    if plan:
        frames = dict(zip("abc", planned, strict=False))
        count.begin(VIDEO, frames)
        assert listener.promised == max(expected, sum(frames.values()))
        for key in frames:
            count.end(key)
    count.settle(VIDEO)
    assert listener.told == listener.promised
