"""Every shape in which people hold the data set gives the same rows; what is damaged is refused with a reason."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS
from training import fer2013
from training.fer2013 import FOLDERS, SPLITS, VOTES, DataError, Split

SIZES = {"Training": 14, "PublicTest": 7, "PrivateTest": 7}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """All rows in official order: usage, emotion, image and votes."""
    random = np.random.default_rng(3)
    count = sum(SIZES.values())
    rows = pd.DataFrame(random.integers(0, 11, (count, len(VOTES))), columns=list(VOTES))
    rows["usage"] = np.repeat(list(SIZES), list(SIZES.values()))
    rows["emotion"] = random.permutation(count) % len(EMOTIONS)
    rows["pixels"] = list(random.integers(0, 256, (count, CROP_SIDE, CROP_SIDE), np.uint8))
    return rows


def write_csv(table: pd.DataFrame, folder: Path) -> Path:
    pixels = [" ".join(map(str, image.ravel())) for image in table["pixels"]]
    rows = pd.DataFrame({"emotion": table["emotion"], "pixels": pixels, "Usage": table["usage"]})
    rows.to_csv(folder / "fer2013.csv", index=False)
    votes = table[list(VOTES)].copy()
    votes.insert(0, "Image name", [f"fer{row:07d}.png" for row in table.index])
    votes.insert(0, "Usage", table["usage"])
    votes.to_csv(folder / "fer2013new.csv", index=False)
    return folder


def write_parquet(table: pd.DataFrame, folder: Path) -> Path:
    rows = table.drop(columns="pixels")
    rows["image"] = [encode(image) for image in table["pixels"]]
    for number, usage in enumerate(SPLITS):
        rows[rows["usage"] == usage].to_parquet(folder / f"{number}-{usage}.parquet")
    return folder


def write_folders(table: pd.DataFrame, folder: Path) -> Path:
    names = {code: name for name, code in FOLDERS.items()}
    for half in ("train", "test"):
        for name in FOLDERS:
            (folder / half / name).mkdir(parents=True)
    for row, (usage, code, image) in enumerate(zip(table["usage"], table["emotion"], table["pixels"], strict=True)):
        half = "train" if usage == "Training" else "test"
        (folder / half / names[code] / f"{usage}_{row:05d}.png").write_bytes(encode(image))
    return folder


def encode(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def split_of(table: pd.DataFrame, usage: str) -> Split:
    rows = table[table["usage"] == usage]
    return Split(np.stack(list(rows["pixels"])), rows["emotion"].to_numpy(), rows[list(VOTES)].to_numpy(np.uint8))


def assert_same(found: Split, expected: Split) -> None:
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.votes, expected.votes)
    assert found.images.dtype == np.uint8


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_the_rows_come_back_in_their_order(
    write: Callable[[pd.DataFrame, Path], Path], table: pd.DataFrame, tmp_path: Path
) -> None:
    splits = fer2013.read_data_set(write(table, tmp_path))
    assert list(splits) == list(SPLITS)
    for usage, split in splits.items():
        assert_same(split, split_of(table, usage))


def test_the_csv_itself_is_as_good_as_its_folder(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(table, tmp_path)
    assert_same(fer2013.read_data_set(tmp_path / "fer2013.csv")["Training"], split_of(table, "Training"))


def test_kaggles_other_csv_is_read_too(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = pd.read_csv(write_csv(table, tmp_path) / "fer2013.csv")
    other = rows[["emotion", "Usage", "pixels"]].rename(columns={"Usage": " Usage", "pixels": " pixels"})
    other.to_csv(tmp_path / "icml_face_data.csv", index=False)
    assert_same(fer2013.read_data_set(tmp_path / "icml_face_data.csv")["Training"], split_of(table, "Training"))


def test_without_ferplus_nobody_has_voted(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(table, tmp_path)
    (tmp_path / "fer2013new.csv").unlink()
    training = fer2013.read_data_set(tmp_path)["Training"]
    assert not training.votes.any()
    assert not training.has_shares.any()
    assert (training.majority == -1).all()


def test_the_folder_tree_holds_the_same_images_by_emotion(table: pd.DataFrame, tmp_path: Path) -> None:
    splits = fer2013.read_data_set(write_folders(table, tmp_path))
    for usage in SPLITS:
        expected = split_of(table, usage)
        in_folder_order = expected.take(np.argsort(expected.labels, kind="stable"))
        unvoted = Split(in_folder_order.images, in_folder_order.labels, np.zeros_like(in_folder_order.votes))
        assert_same(splits[usage], unvoted)


def test_a_tree_without_the_splits_names_has_no_public_test(table: pd.DataFrame, tmp_path: Path) -> None:
    write_folders(table, tmp_path)
    for file in list(tmp_path.rglob("*.png")):
        file.rename(file.with_name(f"im{file.stem.split('_')[1]}.png"))
    splits = fer2013.read_data_set(tmp_path)
    assert {usage: len(split) for usage, split in splits.items()} == {"Training": 14, "PrivateTest": 14}


def test_images_of_another_size_are_brought_to_48(table: pd.DataFrame, tmp_path: Path) -> None:
    write_folders(table, tmp_path)
    (tmp_path / "train" / "happy" / "Training_99999.png").write_bytes(encode(np.full((96, 96), 77, np.uint8)))
    training = fer2013.read_data_set(tmp_path)["Training"]
    assert training.images.shape == (15, CROP_SIDE, CROP_SIDE)
    assert (training.images[training.labels == FOLDERS["happy"]][-1] == 77).all()


def test_the_digest_tells_rows_and_not_files(table: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("csv", "parquet"):
        (tmp_path / name).mkdir()
    training = fer2013.read_data_set(write_csv(table, tmp_path / "csv"))["Training"]
    assert training.sha256 == fer2013.read_data_set(write_parquet(table, tmp_path / "parquet"))["Training"].sha256
    changed = [np.array(values) for values in (training.images, training.labels, training.votes)]
    for at in range(3):
        others = [np.array(values) for values in changed]
        others[at].flat[0] = (int(others[at].flat[0]) + 1) % 7
        assert Split(*others).sha256 != training.sha256


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return damage


def keep_lines(file: str, count: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines(keepends=True)
        (folder / file).write_text("".join(lines[:count]))

    return damage


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (edit("fer2013.csv", "pixels", "dots"), "no column 'pixels'"),
        (edit("fer2013.csv", "Usage", "Use"), "no column 'Usage'"),
        (edit("fer2013.csv", " ", " 300 "), "300"),
        (edit("fer2013.csv", " ", " x"), "invalid literal"),
        (edit("fer2013.csv", " ", " 7 "), "cannot reshape"),
        (edit("fer2013new.csv", "NF", "N"), "NF"),
        (edit("fer2013new.csv", "Training", "PublicTest"), "same order"),
        (keep_lines("fer2013new.csv", 20), "same order"),
        (keep_lines("fer2013.csv", 0), "No columns"),
        (keep_lines("fer2013.csv", 1), "need at least one array"),
    ],
)
def test_a_damaged_csv_is_refused(
    damage: Callable[[Path], None], reason: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    damage(write_csv(table, tmp_path))
    with pytest.raises(DataError, match=reason):
        fer2013.read_data_set(tmp_path)


@pytest.mark.parametrize("code", [-1, 7])
def test_an_unknown_emotion_is_refused(code: int, table: pd.DataFrame, tmp_path: Path) -> None:
    write_parquet(table.assign(emotion=code), tmp_path)
    with pytest.raises(DataError, match="not one of 0 to 6"):
        fer2013.read_data_set(tmp_path)


def test_rows_of_no_official_split_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(table.assign(usage="train"), tmp_path)
    with pytest.raises(DataError, match="no rows of Training, PublicTest, PrivateTest"):
        fer2013.read_data_set(tmp_path)


def test_a_file_that_is_no_image_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    write_folders(table, tmp_path)
    (tmp_path / "train" / "sad" / "Training_77777.png").write_bytes(b"a note")
    with pytest.raises(DataError, match="cannot be decoded"):
        fer2013.read_data_set(tmp_path)


def test_a_missing_emotion_folder_is_named(table: pd.DataFrame, tmp_path: Path) -> None:
    write_folders(table, tmp_path)
    for file in (tmp_path / "test" / "fear").iterdir():
        file.unlink()
    (tmp_path / "test" / "fear").rmdir()
    with pytest.raises(DataError, match="fear"):
        fer2013.read_data_set(tmp_path)


@pytest.mark.parametrize("name", ["nothing.csv", "nothing", "empty"])
def test_where_there_is_nothing_the_shapes_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected fer2013\.csv .* parquet .* folder tree"):
        fer2013.read_data_set(tmp_path / name)


def voted(**votes: int) -> Split:
    row = np.zeros((1, len(VOTES)), np.uint8)
    for name, count in votes.items():
        row[0, VOTES.index(name)] = count
    return Split(np.zeros((1, CROP_SIDE, CROP_SIDE), np.uint8), np.zeros(1, np.int64), row)


@pytest.mark.parametrize(
    ("votes", "majority"),
    [
        ({"happiness": 6, "neutral": 4}, "happiness"),
        ({"anger": 3, "disgust": 2, "fear": 2, "contempt": 2, "unknown": 1}, "anger"),
        ({"happiness": 5, "neutral": 5}, None),
        ({"contempt": 6, "neutral": 4}, None),
        ({"contempt": 5, "neutral": 5}, None),
        ({"unknown": 7, "sadness": 3}, None),
        ({"NF": 10}, None),
        ({}, None),
    ],
)
def test_the_majority_is_one_of_the_seven_and_alone(votes: dict[str, int], majority: str | None) -> None:
    expected = -1 if majority is None else EMOTIONS.index(majority)
    assert voted(**votes).majority.tolist() == [expected]


def test_shares_are_of_those_who_chose_one_of_the_seven() -> None:
    split = voted(anger=3, neutral=1, contempt=4, unknown=2)
    assert dict(zip(EMOTIONS, split.shares[0].tolist(), strict=True)) == {
        **dict.fromkeys(EMOTIONS, 0.0),
        "anger": 0.75,
        "neutral": 0.25,
    }
    assert split.has_shares.tolist() == [True]
    nobody = voted(contempt=6, NF=4)
    assert not nobody.shares.any()
    assert nobody.has_shares.tolist() == [False]


def test_the_first_rows(table: pd.DataFrame) -> None:
    split = split_of(table, "Training")
    assert_same(split.head(3), split.take(np.array([0, 1, 2])))
    assert_same(split.head(99), split)
