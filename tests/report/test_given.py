"""given: the lines of people.csv and events.csv reach the pages as they were written, with what they are about."""

import json

from fer_batch.output.results import Results
from fer_batch.report.given import given
from tests.report.test_report import a_folder, a_video, write_output


def test_lines_have_their_fields_and_say_what_they_are_about(tmp_path):
    out = write_output(tmp_path / "out", [a_video("sub/a.mp4", {0: range(5)}, 5), a_folder("holiday", {"b.jpg": 1})])
    assert given(Results.read(out)) == ""
    (out / "inputs").mkdir()
    (out / "inputs/people.csv").write_text(
        "file;face_id;person;time;thumbnail\nsub/a.mp4;0;Ann, E.;1,5;x,y.jpg\nb.jpg;0;<Ben>;;\ngone.mp4;0;;;\n"
    )
    (out / "inputs/events.csv").write_text("file,label,start,stop\n,hello,0:00:01.5,2\n")
    run = json.loads((out / "run.json").read_text())
    run["inputs"] = {name: {"copy": f"inputs/{name}.csv", "sha256": "ab" * 32} for name in ("people", "events")}
    (out / "run.json").write_text(json.dumps(run))
    text = given(Results.read(out))
    assert "<" not in text
    assert json.loads(text) == {
        "people": [
            {
                "file": "sub/a.mp4",
                "at": "sub/a.mp4",
                "face_id": "0",
                "person": "Ann, E.",
                "time": "1.5",
                "thumbnail": "x,y.jpg",
            },
            {"file": "b.jpg", "at": "holiday/b.jpg", "face_id": "0", "person": "<Ben>"},
            {"file": "gone.mp4", "face_id": "0"},
        ],
        "events": [{"label": "hello", "start": "0:00:01.5", "stop": "2"}],
    }
