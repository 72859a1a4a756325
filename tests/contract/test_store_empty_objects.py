"""On some servers an S3 write that breaks off between head and body leaves an empty object; it counts as absent."""

import json
import socket
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.waiting import await_event


@pytest.fixture
def client(s3_access: S3Access) -> Any:
    return s3_access.client()


@pytest.fixture
def prefix() -> str:
    return f"stores/{uuid.uuid4().hex}"


@pytest.fixture
def s3_store(client: Any, prefix: str) -> S3Store:
    return S3Store(client, "tests", prefix)


def test_a_writer_that_dies_after_its_head_leaves_no_object(client: Any, s3_store: S3Store, prefix: str) -> None:
    """A process killed between head and body; SeaweedFS creates an empty object."""
    key = f"{prefix}/receipts/000000-0-accepted"
    url = urlsplit(client.generate_presigned_url("put_object", Params={"Bucket": "tests", "Key": key}))
    with socket.create_connection((str(url.hostname), int(url.port or 80))) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 500\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")  # it has read the head and waits for the body
    await_event(lambda: _sizes(client, prefix) == [0], "the empty object")
    assert s3_store.get("receipts/000000-0-accepted") is None
    assert list(s3_store.list("receipts/")) == []
    assert s3_store.put_if_absent("receipts/000000-0-accepted", b"whole") is not None


def test_an_empty_object_is_absent_for_every_method(
    client: Any, s3_store: S3Store, prefix: str, tmp_path: Path
) -> None:
    """Reading, listing and both ways to put a missing key."""
    for name in ("claims/0", "plan"):
        client.put_object(Bucket="tests", Key=f"{prefix}/{name}", Body=b"")
    file = tmp_path / "file"
    file.write_bytes(b"plan")
    assert s3_store.get("claims/0") is None
    assert not s3_store.fetch("plan", tmp_path / "copy")
    assert list(s3_store.list("")) == []
    assert s3_store.put_if_absent("claims/0", b"ours") is not None
    assert s3_store.put_if_absent("claims/0", b"theirs") is None
    assert s3_store.put_file_if_absent("plan", file)
    assert not s3_store.put_file_if_absent("plan", file)
    assert list(s3_store.list("")) == ["claims/0", "plan"]


def test_a_run_whose_own_renewal_emptied_the_document_keeps_its_lease(
    client: Any, s3_store: S3Store, prefix: str
) -> None:
    """It writes the document that it knows, and nothing is lost."""
    stop = StopSignal()
    with Campaign(s3_store, "a", stop=stop) as campaign:
        campaign.open({"message": "Hi"})
        client.put_object(Bucket="tests", Key=f"{prefix}/a/campaign.json", Body=b"")
        campaign.update(canary_failed=True)
        stored = s3_store.get("a/campaign.json")
        assert stored is not None
        document = json.loads(stored.body)
        assert (document["settings"], document["canary_failed"]) == ({"message": "Hi"}, True)
        assert document["lease"]["run"] == campaign.owner.run
    assert stop.stop is None


def _sizes(client: Any, prefix: str) -> list[int]:
    return [item["Size"] for item in client.list_objects_v2(Bucket="tests", Prefix=prefix).get("Contents", ())]
