"""run.json names what a run was made of."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

import fer_batch
from fer_batch.options import Options
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401


@pytest.mark.usefixtures("quick", "no_report")
def test_a_run_names_the_digest_of_every_input_and_both_clocks(tmp_path: Path) -> None:
    film, photo = media.write_video(tmp_path / "film.mp4"), media.write_photo(tmp_path / "photos" / "a.png")
    (tmp_path / "mine.csv").write_text("file,label,start,stop,offset\nfilm.mp4,talk,10.2,10.5,10\n")
    options = Options(events=tmp_path / "mine.csv", baseline=(10, 10.4), workers=0)
    out = fer_batch.analyze([film, photo.parent], options, out=tmp_path / "out").folder
    for _ in range(2):  # a run from the copies says the same
        run = json.loads((out / "run.json").read_text())
        files = pd.read_csv(out / "files.csv")
        assert files["source"].tolist() == [source["name"] for source in run["sources"]]
        digests = dict(zip(files["file"], files["sha256"], strict=True))
        assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (film, photo)}
        assert (out / run["inputs"]["events"]["copy"]).read_bytes() == (tmp_path / "mine.csv").read_bytes()
        assert run["inputs"]["events"]["sha256"] == hashlib.sha256((tmp_path / "mine.csv").read_bytes()).hexdigest()
        (video,) = (source for source in run["sources"] if source["kind"] == "video")
        assert video["offset"] == 10
        assert video["baseline"] == {"clock": [10, 10.4], "video": [0, 0.4]}
        copied = Options(events=out / run["inputs"]["events"]["copy"], baseline=(10, 10.4), workers=0)
        fer_batch.analyze([film, photo.parent], copied, out=out)
    fer_batch.analyze([film, photo.parent], Options(workers=0), out=out)
    assert not list((out / "inputs").glob("*"))
    assert json.loads((out / "run.json").read_text())["inputs"] == {}
