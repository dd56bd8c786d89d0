"""A small study, and a bucket that holds it on an S3 server of this machine."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_batch.pipeline import staging
from tests.helpers import media

SECRET = "s3cr3t"


@pytest.fixture(autouse=True, name="copies")
def folder_of_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the local copies; nothing is left in it."""
    monkeypatch.setattr(staging, "root", lambda: tmp_path / "staged")
    yield tmp_path / "staged"
    assert not list((tmp_path / "staged").rglob("*.mp4"))


@pytest.fixture(name="study")
def small_study(tmp_path: Path) -> Path:
    folder = tmp_path / "served" / "study"
    for number in range(2):
        path = folder / f"p{number}" / "a film.mp4"
        path.parent.mkdir(parents=True)
        images = [np.full((48, 64, 3), 60 + 5 * number + step, np.uint8) for step in range(8)]
        media.write_video(path, range(0, 320, 40), images)
    (folder / "holiday").mkdir()
    for number in range(18):
        media.write_photo(folder / "holiday" / f"{number}.png", np.full((48, 64, 3), 60 + 9 * number, np.uint8))
    (folder / "notes.txt").touch()
    return folder


@pytest.fixture(name="bucket")
def bucket_with_study(study: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket with the study, on a server of its own."""
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()  # of another test's server
    servers = pytest.importorskip("moto.server")
    import boto3
    import requests

    serving = servers.ThreadedMotoServer(port=0)
    serving.start()
    host, port = serving.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="lab")
    for path in study.rglob("*.*"):
        client.upload_file(str(path), "lab", path.relative_to(study.parent).as_posix())
    yield client
    requests.post(f"http://{host}:{port}/moto-api/reset-auth", data=b"inf", timeout=10)
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # all servers of a process share their buckets
    serving.stop()


def deny(bucket: Any, *keys: str) -> None:
    """From now on the server asks who somebody is, and lets nobody read these objects, until the fixture is gone."""
    import boto3
    import requests

    users = boto3.client("iam")
    users.create_user(UserName="somebody")
    access = users.create_access_key(UserName="somebody")["AccessKey"]
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    objects = [f"arn:aws:s3:::lab/{key}" for key in keys]
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": objects}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    users.put_user_policy(UserName="somebody", PolicyName="lab", PolicyDocument=policy)
    os.environ |= {"AWS_ACCESS_KEY_ID": access["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": access["SecretAccessKey"]}
    requests.post(f"{bucket.meta.endpoint_url}/moto-api/reset-auth", data=b"0", timeout=10)


def tables(out: Path) -> dict[str, bytes]:
    paths = [*(out / "timelines").rglob("*.csv"), *out.glob("*.csv")]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}
