"""Teachers and their student: whole runs, small enough to wait for."""

from dataclasses import replace

import pytest

from fer_batch.classifiers.model_file import read_metadata
from fer_batch.errors import UsageError
from training import network, run, train
from training.config import Config
from training.fer2013 import Split


@pytest.mark.usefixtures("few_renormalising_steps")
def test_teachers_are_trained_once_and_then_their_student(
    config: Config, splits: dict[str, Split], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = replace(config, epochs=1)
    teachers = [replace(student, seed=1), replace(student, seed=2, stage_filters=(8,), stage_blocks=(1,))]
    folders = []
    fit_network = train.fit_network

    def cut_at_the_student(config, training, validation, folder, *, start=None, teachers=()):
        folders.append(folder.name)
        if teachers and len(folders) == 3:
            raise KeyboardInterrupt
        return fit_network(config, training, validation, folder, start=start, teachers=teachers)

    monkeypatch.setattr(train, "fit_network", cut_at_the_student)

    def distil():
        return run.distil(student, teachers, splits["Training"], splits["PublicTest"], tmp_path / "run")

    with pytest.raises(KeyboardInterrupt):
        distil()
    evaluation = distil()
    assert folders == ["teacher0", "teacher1", "run", "run"]
    assert evaluation.result("PublicTest", "fer2013", flips=False).faces == len(splits["PublicTest"])
    lineage = read_metadata(tmp_path / "run" / "fer2013.keras")["provenance"]["teachers"]
    assert [teacher["provenance"]["config"]["seed"] for teacher in lineage] == [1, 2]

    other = [replace(teacher, epochs=2) for teacher in teachers]
    with pytest.raises(UsageError, match=r"teacher0 holds a run with another config\.json"):
        run.distil(student, other, splits["Training"], splits["PublicTest"], tmp_path / "run")


def test_teachers_are_diverse_and_as_large_as_stated() -> None:
    teachers = run.teacher_configs(Config())
    assert len({teacher.seed for teacher in teachers} | {Config.seed}) == len(teachers) + 1
    for teacher in teachers:
        assert 2.5e8 < network.multiply_adds(network.build(teacher)) < 6e8
