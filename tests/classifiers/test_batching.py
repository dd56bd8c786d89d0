"""Faces on their way to the model: in full batches, and every answer goes back to where its face came from."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.classifiers.batching import SMALL_BATCH, Batcher, predict, sizes
from fer_batch.types import Box, Detection, FrameTime, ScannedFrames


def crop(number: int) -> np.ndarray:
    """A face that holds its number."""
    face = np.zeros((48, 48), np.uint8)
    face[0, :2] = divmod(number, 256)
    return face


def answer(crops: np.ndarray) -> np.ndarray:
    """Shares that hold the faces' numbers and each share's own place."""
    numbers = crops[:, 0, 0].astype(np.float32) * 256 + crops[:, 0, 1]
    return (numbers[:, np.newaxis, np.newaxis] + np.arange(14).reshape(2, 7) / 16).astype(np.float32)


class Model:
    """Answers, and remembers how many faces it was asked about at a time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (48, 48)
        self.asked.append(len(crops))
        return answer(crops)


class Scene:
    """Makes scanned frames whose faces are numbered."""

    def __init__(self) -> None:
        self.faces = 0
        self.frames = 0

    def scanned(self, *faces_per_frame: int) -> ScannedFrames:
        count = sum(faces_per_frame)
        numbers = range(self.faces, self.faces + count)
        times = tuple(FrameTime("video", self.frames + index) for index in range(len(faces_per_frame)))
        self.faces += count
        self.frames += len(faces_per_frame)
        return ScannedFrames(
            times,
            np.ones(len(times), bool),
            np.full((len(times), 2), (640, 480 + self.frames)),
            np.full((len(times), 16, 16), self.frames % 256, np.uint8),
            np.repeat(np.arange(len(faces_per_frame)), faces_per_frame),
            np.array([Detection(Box(number, 1, 2, 3), 0.5).as_row() for number in numbers]).reshape(count, 19),
            np.array([crop(number) for number in numbers], np.uint8).reshape(count, 48, 48),
        )


def is_answered(seen: ScannedFrames, answers: ScannedFrames) -> bool:
    """Whether ``answers`` are the scanned frames with the shares of all their faces."""
    return (
        answers.times == seen.times
        and np.array_equal(answers.sizes, seen.sizes)
        and np.array_equal(answers.scenes, seen.scenes)
        and np.array_equal(answers.owners, seen.owners)
        and np.array_equal(answers.faces, seen.faces, equal_nan=True)
        and len(answers.crops) == 0
        and answers.shares is not None
        and answers.shares.dtype == np.float32
        and np.array_equal(answers.shares, answer(seen.crops))
    )


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def batcher(model: Model) -> Batcher[str]:
    """One for batches of four."""
    return Batcher(model, 4)


def test_nothing_is_answered_before_a_batch_is_full(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    early, late = scene.scanned(2, 1), scene.scanned(0, 1, 2)
    assert list(batcher.add("a", early)) == []
    assert model.asked == []
    ((key, answers),) = batcher.add("a", late)
    assert model.asked == [4]
    assert key == "a"
    assert is_answered(early, answers)


def test_the_rest_is_answered_in_the_end_and_once(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    seen = scene.scanned(3)
    assert list(batcher.add("a", seen)) == []
    ((_, answers),) = batcher.flush()
    assert is_answered(seen, answers)
    assert list(batcher.flush()) == []
    assert model.asked == [3]


def test_with_nothing_to_answer_the_model_is_not_asked(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    assert list(batcher.flush()) == []
    blank = scene.scanned(0, 0)
    ((_, answers),) = batcher.add("a", blank)
    assert is_answered(blank, answers)
    assert answers.shares.shape == (0, 2, 7)
    assert answers.faces.shape == (0, Detection.ROW_LENGTH)
    assert model.asked == []


def test_frames_without_faces_keep_their_place(batcher: Batcher[str], scene: Scene) -> None:
    seen = [scene.scanned(1), scene.scanned(0), scene.scanned(3)]
    assert list(batcher.add("a", seen[0])) == []
    assert list(batcher.add("a", seen[1])) == []
    found = [answers for _, answers in batcher.add("a", seen[2])]
    assert len(found) == 3
    assert all(map(is_answered, seen, found))


def test_faces_of_several_chunks_share_a_batch(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    seen = {key: scene.scanned(1) for key in "abcd"}
    found = [pair for key in "abcd" for pair in batcher.add(key, seen[key])]
    assert model.asked == [4]
    assert [key for key, _ in found] == list("abcd")
    assert all(is_answered(seen[key], answers) for key, answers in found)


def test_what_fills_several_batches_is_asked_about_at_once(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    seen = scene.scanned(9)
    assert list(batcher.add("a", seen)) == []
    assert model.asked == [8]
    ((_, answers),) = batcher.flush()
    assert model.asked == [8, 1]
    assert is_answered(seen, answers)


def test_it_knows_what_waits(batcher: Batcher[str], scene: Scene) -> None:
    assert not batcher.holds("a")
    list(batcher.add("a", scene.scanned(3)))
    assert batcher.holds("a")
    assert not batcher.holds("b")
    list(batcher.add("b", scene.scanned(2)))
    assert not batcher.holds("a")
    assert batcher.holds("b")
    list(batcher.flush())
    assert not batcher.holds("b")


def test_what_is_dropped_is_not_answered_and_leaves_no_gap(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    kept, void, more = scene.scanned(1), scene.scanned(2), scene.scanned(3)
    list(batcher.add("a", kept))
    list(batcher.add("b", void))
    batcher.drop("b")
    assert not batcher.holds("b")
    found = list(batcher.add("a", more))
    assert model.asked == [4]
    assert [key for key, _ in found] == ["a", "a"]
    assert all(map(is_answered, [kept, more], (answers for _, answers in found)))


def test_what_was_half_answered_can_be_dropped(batcher: Batcher[str], model: Model, scene: Scene) -> None:
    void, kept = scene.scanned(6), scene.scanned(4)
    assert list(batcher.add("b", void)) == []
    batcher.drop("b")
    ((key, answers),) = batcher.add("a", kept)
    assert key == "a"
    assert is_answered(kept, answers)
    assert model.asked == [4, 4]
    batcher.drop("unknown")
    assert list(batcher.flush()) == []


counts = st.lists(st.integers(0, 7), max_size=5)
steps = st.lists(st.tuples(st.sampled_from("abc"), counts | st.none()), max_size=12)
"""Keys with the faces in each frame of what is added; None: what waits under the key is dropped."""


@given(st.integers(1, 9), steps)
def test_every_face_gets_its_own_answer_in_the_order_in_which_it_came(
    size: int, steps: Sequence[tuple[str, list[int] | None]]
) -> None:
    scene, model = Scene(), Model()
    batcher: Batcher[str] = Batcher(model, size)
    expected: list[tuple[str, ScannedFrames]] = []
    found: list[tuple[str, ScannedFrames]] = []
    for key, faces in steps:
        if faces is None:
            batcher.drop(key)
            expected[len(found) :] = [pair for pair in expected[len(found) :] if pair[0] != key]
            continue
        seen = scene.scanned(*faces)
        expected.append((key, seen))
        found.extend(batcher.add(key, seen))
        waiting = {key for key, _ in expected[len(found) :]}
        assert {key for key in "abc" if batcher.holds(key)} == waiting
        assert all(count % size == 0 for count in model.asked)
        if all(faces is not None for _, faces in steps):
            assert scene.faces - sum(model.asked) < size
    found.extend(batcher.flush())
    assert [key for key, _ in found] == [key for key, _ in expected]
    assert all(is_answered(seen, answers) for (_, seen), (_, answers) in zip(expected, found, strict=True))


def filling(size: int) -> Callable[[np.ndarray], np.ndarray]:
    """A net that takes only batches of known sizes, whatever fills them up."""

    def call(batch: np.ndarray) -> np.ndarray:
        assert len(batch) in sizes(size)
        return answer(batch)

    return call


@given(st.integers(0, 70), st.sampled_from([1, 5, SMALL_BATCH, SMALL_BATCH + 1, 32]))
def test_any_number_of_faces_goes_through_batches_of_fixed_sizes(count: int, size: int) -> None:
    faces = crops(range(count))
    np.testing.assert_array_equal(predict(faces, sizes(size), filling(size)), answer(faces))


def crops(numbers: Iterable[int]) -> np.ndarray:
    return np.array([crop(number) for number in numbers], np.uint8).reshape(-1, 48, 48)
