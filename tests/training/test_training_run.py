"""Teachers and their student: whole runs, small enough to wait for."""

from dataclasses import replace

import numpy as np
import pytest

from fer_batch.classifiers import ModelFile
from fer_batch.classifiers.model_file import read_metadata
from fer_batch.errors import UsageError
from training import network, run, teaching, train
from training.config import Config
from training.fer2013 import Split


@pytest.mark.usefixtures("few_renormalising_steps")
def test_teachers_are_trained_once_and_then_their_student(
    config: Config, splits: dict[str, Split], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = replace(config, epochs=1, views=2)
    teachers = [replace(student, seed=1), replace(student, seed=2, stage_filters=(8,), stage_blocks=(1,))]
    folders = []
    fit = train.fit

    def cut_at_the_student(config, training, validation, folder, *, start=None, answers=None):
        folders.append((folder.name, answers and [one["sha256"] for one in answers.teachers]))
        if len(folders) == 3:
            raise KeyboardInterrupt
        return fit(config, training, validation, folder, start=start, answers=answers)

    monkeypatch.setattr(train, "fit", cut_at_the_student)

    training, folder = splits["Training"], tmp_path / "run"
    before = teaching.Answers(np.full((1, len(training), 2, 7), 1 / 7), training.sha256, [{"sha256": "earlier"}])

    def distil():
        return run.distil(student, teachers, training, splits["PublicTest"], folder, answers=before)

    with pytest.raises(KeyboardInterrupt):
        distil()
    report = distil()
    taught = [ModelFile(folder / name / "fer2013.keras").sha256 for name in ("teacher0", "teacher1")]
    assert folders == [("teacher0", ["earlier"]), ("teacher1", ["earlier"]), ("run", taught), ("run", taught)]
    assert report.one("PublicTest", "fer2013", flips=False).faces == len(splits["PublicTest"])
    lineage = read_metadata(folder / "fer2013.keras")["provenance"]["teachers"]
    assert [teacher["provenance"]["config"]["seed"] for teacher in lineage] == [1, 2]
    assert [teacher["provenance"]["teachers"] for teacher in lineage] == [[{"sha256": "earlier"}]] * 2

    other = [replace(teacher, epochs=2) for teacher in teachers]
    with pytest.raises(UsageError, match=r"teacher0 holds a run with another config\.json"):
        run.distil(student, other, training, splits["PublicTest"], folder, answers=before)


def test_teachers_are_diverse_and_as_large_as_stated() -> None:
    teachers = run.teachers(Config())
    assert len({teacher.seed for teacher in teachers} | {Config.seed}) == len(teachers) + 1
    for teacher in teachers:
        assert 2.5e8 < network.multiply_adds(network.build(teacher)) < 6e8
