"""Media and results on an SFTP server: what the same files give on disk."""

import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import fer_batch
from fer_batch import Options
from fer_batch.errors import OutputError
from fer_batch.output import mirror
from tests.helpers.buckets import SECRET, folder_of_copies, small_study, tables  # noqa: F401
from tests.helpers.quick import quick  # noqa: F401

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.filterwarnings("ignore")]  # of the libraries' own

HERE = Options(workers=0)


SERVER = """
import asyncio, asyncssh, sys

folder, word = sys.argv[1:]

class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("somebody", word)

class Files(asyncssh.SFTPServer):
    def __init__(self, channel):
        super().__init__(channel, chroot=folder)

async def serve():
    keys = [asyncssh.generate_private_key("ssh-ed25519")]
    server = await asyncssh.listen("127.0.0.1", 0, server_factory=Server, server_host_keys=keys, sftp_factory=Files)
    print(server.get_port(), flush=True)
    await server.wait_closed()

asyncio.run(serve())
"""


@pytest.fixture
def server(study: Path) -> Iterator[str]:
    """Serves the folder above the study to whoever knows the password."""
    pytest.importorskip("asyncssh")
    pytest.importorskip("paramiko")
    from fsspec.implementations.sftp import SFTPFileSystem

    with subprocess.Popen([sys.executable, "-c", SERVER, str(study.parent), SECRET], stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        yield f"sftp://somebody:{SECRET}@127.0.0.1:{int(serving.stdout.readline())}"
        for system in SFTPFileSystem._cache.values():
            system.client.close()
        SFTPFileSystem.clear_instance_cache()
        serving.kill()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # Paramiko leaves sockets of denied connections open


@pytest.fixture(autouse=True)
def mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mirror, "root", lambda: tmp_path / "mirrors")
    return tmp_path / "mirrors"


def test_media_and_results_on_a_server_are_those_on_disk(study: Path, server: str, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "local")
    run = fer_batch.analyze([f"{server}/study"], HERE, out=f"{server}/out/results")
    there = study.parent / "out" / "results"
    assert tables(there) == tables(tmp_path / "local")
    assert not [path for path in there.rglob("*") if path.name == ".lock" or path.suffix == ".part"]
    assert SECRET not in str(run)
    assert not any(SECRET.encode() in path.read_bytes() for path in there.rglob("*") if path.is_file())
    again = fer_batch.analyze([f"{server}/study"], HERE, out=f"{server}/out/results")
    assert len(again.unchanged) == len(again.outcomes) == 3


def test_what_cannot_be_read_there_is_a_line(study: Path, server: str, tmp_path: Path) -> None:
    run = fer_batch.analyze([f"{server}/study/gone.mp4", f"{server}/study/p0"], HERE, out=tmp_path / "out")
    assert [outcome.source.name for outcome in run.outcomes] == ["a film.mp4"]
    errors = pd.read_csv(tmp_path / "out" / "errors.csv")
    assert errors[["file", "reason"]].values.tolist() == [["gone.mp4", "Cannot be read: there is no such object."]]
    with pytest.raises(OutputError, match="access is denied") as error:
        fer_batch.analyze([study], HERE, out=server.replace(SECRET, "wr0ng") + "/out")
    assert "wr0ng" not in str(error.value)
