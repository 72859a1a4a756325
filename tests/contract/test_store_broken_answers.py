"""S3 connections that break inside an answer, and S3 servers that refuse conditional writes outright."""

import contextlib
import socket
import struct
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from globe_sms.tasks.store import S3Store, probe
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreUnavailableError
from tests.waiting import LONGEST_WAIT

WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: "1"\r\nConnection: close\r\n\r\nPAR1'
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nETag: "1"\r\n\r\nPAR1'
CUT_REFUSAL = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 200\r\n\r\n<?xml"


@contextlib.contextmanager
def answering(answers: list[bytes]) -> Generator[str]:
    """Answer each connection with the next of these bytes (later ones with the last), then reset it once read."""
    left = list(answers)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                answer = left.pop(0) if len(left) > 1 else left[0]
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer)
                    if answer is not WHOLE:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(LONGEST_WAIT)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set any credentials."""
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)


def _store(url: str) -> S3Store:
    return S3Store(S3Access.from_environment(url).client(), "bucket", "p", sleep=lambda _: None)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("broken", [CUT, CUT_REFUSAL], ids=["a body", "a refusal"])
def test_a_read_that_breaks_inside_an_answer_is_tried_again(broken: bytes, tmp_path: Path) -> None:
    """Boto3 retries requests, but not bodies."""
    with answering([broken, WHOLE]) as url:
        assert _store(url).fetch("plan.parquet", tmp_path / "plan.parquet")
    assert (tmp_path / "plan.parquet").read_bytes() == b"PAR1"
    with answering([broken, WHOLE]) as url:
        stored = _store(url).get("campaign.json")
    assert stored is not None
    assert stored.body == b"PAR1"


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("broken", [CUT, CUT_REFUSAL], ids=["a body", "a refusal"])
def test_a_read_that_always_breaks_off_is_unavailable(broken: bytes, tmp_path: Path) -> None:
    """Whichever library notices: the same call may succeed later."""
    with answering([broken]) as url:
        with pytest.raises(StoreUnavailableError, match="broke off"):
            _store(url).fetch("plan.parquet", tmp_path / "plan.parquet")
        with pytest.raises(StoreUnavailableError, match="broke off"):
            _store(url).get("campaign.json")


class _Refuses:
    """A client of a server that lacks one or both conditional writes."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._real: dict[str, bytes] = {}

    def put_object(self, **arguments: Any) -> Any:
        if self._header in arguments:
            self._refuse()
        if arguments["Key"] in self._real and "IfMatch" not in arguments:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self._real[arguments["Key"]] = arguments["Body"]
        return {"ETag": '"1"'}

    def get_object(self, *, Key: str, **_: object) -> Any:  # noqa: N803  # boto3's names
        from io import BytesIO

        return {"Body": BytesIO(self._real[Key]), "ETag": '"1"'}

    def _refuse(self) -> NoReturn:
        answer: Any = {"Error": {"Code": "NotImplemented"}, "ResponseMetadata": {"HTTPStatusCode": 501}}
        raise ClientError(answer, "PutObject")


@pytest.mark.parametrize("header", ["IfNoneMatch", "IfMatch"])
def test_a_server_without_conditional_writes_is_not_reported_as_busy(header: str) -> None:
    """Trying again later wouldn't help; another server does."""
    client = _Refuses(header)
    with pytest.raises(InputError, match=r"doesn't support conditional writes.*AWS S3, SeaweedFS, MinIO") as raised:
        probe(S3Store(client, "bucket", "p", sleep=lambda _: None))
    assert "again" not in str(raised.value)


_KEY, _SIGNATURE = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # of AWS's documentation


class _FailsToUpload:
    def upload_file(self, *_: object) -> NoReturn:
        from boto3.exceptions import S3UploadFailedError

        answer: Any = {
            "Error": {"Code": "SignatureDoesNotMatch", "Message": f"you sent {_KEY}:{_SIGNATURE}"},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }
        error = ClientError(answer, "PutObject")
        try:
            raise error
        except ClientError:
            raise S3UploadFailedError(f"Failed to upload /tmp/x to bucket/p: {error}") from error


def test_a_refused_upload_says_what_to_do_and_hides_keys_in_the_servers_words() -> None:
    """An S3 server's words may quote the request."""
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY") as raised:
        S3Store(_FailsToUpload(), "bucket", "p").put_file("results.parquet", Path("/nowhere"))
    assert 'S3 says: "you sent' in str(raised.value)
    assert _KEY not in str(raised.value)
    assert _SIGNATURE not in str(raised.value)
