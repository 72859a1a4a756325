"""The sandbox's S3 server: it supports what the ledger needs, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from globe_sms.deployments.sandbox.flaky_s3_proxy import FlakyProxy, Trouble
from globe_sms.deployments.sandbox.s3_server import S3Server, find_program
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.vocabulary.errors import InputError
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One server for all tests of this module."""
    with S3Server("lists") as running:
        yield running


@pytest.fixture
def client(server: S3Server) -> Iterator[Any]:
    """A boto3 client that does not retry."""
    made = server.client()
    yield made
    made.close()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key for this test only."""
    return f"{request.node.name}/object"


def status_of(call: Callable[..., Any], **arguments: Any) -> int:
    """Return the HTTP status of a call, successful or not."""
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def sockets_of(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    descriptors: list[str] = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            descriptors.append(str(entry.readlink()))
    return {name.removeprefix("socket:[").removesuffix("]") for name in descriptors if name.startswith("socket:")}


def socket_files_of(pid: int) -> list[Path]:
    """Return the files on which a process listens."""
    inodes = sockets_of(pid)
    lines = [line.split() for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]]
    return [Path(fields[7]) for fields in lines if len(fields) == 8 and fields[6] in inodes]


def test_a_second_put_if_absent_loses(client: Any, key: str) -> None:
    """412, and the first object stays."""
    assert status_of(client.put_object, Bucket="lists", Key=key, Body=b"1", IfNoneMatch="*") == 200
    assert status_of(client.put_object, Bucket="lists", Key=key, Body=b"2", IfNoneMatch="*") == 412
    assert client.get_object(Bucket="lists", Key=key)["Body"].read() == b"1"


def test_a_stale_compare_and_swap_loses(client: Any, key: str) -> None:
    """412 for the old ETag, 200 for the current one."""
    first = client.put_object(Bucket="lists", Key=key, Body=b"1")["ETag"]
    assert status_of(client.put_object, Bucket="lists", Key=key, Body=b"2", IfMatch=first) == 200
    assert status_of(client.put_object, Bucket="lists", Key=key, Body=b"3", IfMatch=first) == 412
    assert client.get_object(Bucket="lists", Key=key)["Body"].read() == b"2"


def test_a_wrong_secret_is_refused(server: S3Server) -> None:
    """403, like AWS."""
    stranger = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key="wrong",
        region_name="us-east-1",
    )
    assert status_of(stranger.put_object, Bucket="lists", Key="x", Body=b"") == 403
    stranger.close()


def test_a_request_without_a_key_is_refused(server: S3Server) -> None:
    """Anonymous access is off."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.endpoint}/lists/x", timeout=LONGEST_WAIT)  # noqa: S310 - our own endpoint
    with caught.value as answer:
        assert answer.code == 403


def test_an_unknown_bucket_is_refused(client: Any) -> None:
    """A write to a misspelled bucket doesn't create it."""
    assert status_of(client.put_object, Bucket="listss", Key="x", Body=b"") == 404


def test_more_buckets_can_be_made(server: S3Server, client: Any) -> None:
    """For tests that need their own."""
    server.create_bucket("another")
    assert status_of(client.put_object, Bucket="another", Key="x", Body=b"") == 200


def test_the_server_listens_on_loopback_only(server: S3Server) -> None:
    """Neither the S3 port nor an internal one is open to the network."""
    sockets = sockets_of(server.pid)
    listening = [
        fields[1]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/{server.pid}/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[9] in sockets
    ]
    assert len(listening) >= 5
    assert all(local.startswith("0100007F:") for local in listening)


def test_a_killed_server_comes_back_with_its_objects(key: str) -> None:
    """At the same endpoint with the same keys; meanwhile, connections are refused."""
    with S3Server() as own:
        client = own.client()
        client.put_object(Bucket=own.bucket, Key=key, Body=b"kept")
        own.kill()
        with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
            client.get_object(Bucket=own.bucket, Key=key)
        own.start_again()

        def reads() -> bool:
            # It accepts new objects before it has found its old volumes, and answers 500 for those until then.
            with suppress(ClientError):
                return client.get_object(Bucket=own.bucket, Key=key)["Body"].read() == b"kept"
            return False

        await_event(reads, "the object from before the kill")
        client.close()


def test_a_stopped_server_leaves_nothing() -> None:
    """No process, folder or socket file is left; stopping twice is fine."""
    with S3Server() as own:
        files = socket_files_of(own.pid)
        assert len(files) >= 7
        own.suspend()
        own.stop()
    assert not Path(f"/proc/{own.pid}").exists()
    assert not own.folder.exists()
    assert not [path for path in files if path.exists()]


def test_the_sandbox_does_not_outlive_its_owner(tmp_path: Path) -> None:
    """When the owner is killed, both servers and all folders are removed."""
    program = """
import threading
from globe_sms.deployments.sandbox.sandbox import Sandbox
with Sandbox() as sandbox:
    print(sandbox.s3.pid, sandbox.gateway.pid, flush=True)
    threading.Event().wait()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as owner:
        assert owner.stdout
        pids = owner.stdout.readline().split()
        assert len(list(tmp_path.iterdir())) == 2
        owner.send_signal(signal.SIGKILL)
    for pid in pids:
        await_event(lambda each=pid: not Path(f"/proc/{int(each)}").exists(), "a server's end")
    await_event(lambda: not list(tmp_path.iterdir()), "the folders' end")


def test_the_sandbox_points_the_environment_at_itself() -> None:
    """It sets every variable that globe-sms needs, and none names another machine."""
    with Sandbox(calls_per_second=20) as sandbox:
        environment = sandbox.environment
        assert environment.keys() == {
            *("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "GLOBE_SMS_ENDPOINT"),
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"),
        }
        assert environment["GLOBE_SMS_ENDPOINT"].startswith("http://127.0.0.1:")
        assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert sandbox.gateway.is_up()
        client = sandbox.s3.client()
        assert status_of(client.put_object, Bucket=sandbox.bucket, Key="x", Body=b"") == 200
        client.close()


def test_without_the_extra_the_command_to_install_it_is_named(tmp_path: Path) -> None:
    """It's an input error, and nothing is started."""
    with pytest.raises(InputError, match=r"pip install 'globe-sms\[sandbox\]'"):
        find_program(python=tmp_path / "python", path=str(tmp_path))


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FlakyProxy]:
    """A proxy to the server that works until a test adds trouble."""
    with FlakyProxy(server.endpoint) as running:
        yield running


@pytest.fixture
def road(server: S3Server, proxy: FlakyProxy) -> Iterator[Any]:
    """A client that uses the proxy."""
    made = server.client(endpoint=proxy.endpoint)
    yield made
    made.close()


def test_a_proxy_without_trouble_changes_nothing(road: Any, key: str) -> None:
    """Signatures, conditions, odd keys and larger bodies come through."""
    odd, body = f"{key} b/ü+%&=?#", os.urandom(300_000)
    assert status_of(road.put_object, Bucket="lists", Key=odd, Body=body, IfNoneMatch="*") == 200
    assert status_of(road.put_object, Bucket="lists", Key=odd, Body=body, IfNoneMatch="*") == 412
    assert road.get_object(Bucket="lists", Key=odd)["Body"].read() == body
    assert road.head_object(Bucket="lists", Key=odd)["ContentLength"] == 300_000


@pytest.mark.parametrize(("kind", "stored"), [("slow_down", False), ("cut", False), ("lose_answer", True)])
def test_trouble_hits_the_selected_requests(
    road: Any, client: Any, proxy: FlakyProxy, key: str, kind: Any, *, stored: bool
) -> None:
    """Writes to one path fail, others pass; only the lost answer leaves an object behind."""
    proxy.set_trouble(Trouble(kind, method="PUT", path_holds="receipts"))
    troubled = f"{key}/receipts/0"
    if kind == "slow_down":
        assert status_of(road.put_object, Bucket="lists", Key=troubled, Body=b"1") == 503
    else:
        with pytest.raises(ConnectionClosedError):
            road.put_object(Bucket="lists", Key=troubled, Body=b"1")
    assert status_of(road.put_object, Bucket="lists", Key=f"{key}/claims/0", Body=b"1") == 200
    assert (status_of(client.head_object, Bucket="lists", Key=troubled) == 200) is stored
    proxy.set_trouble()
    assert status_of(road.put_object, Bucket="lists", Key=troubled, Body=b"1") == 200
    assert [passage.trouble for passage in proxy.passages] == [kind, None, None]


def test_a_slow_proxy_delays(road: Any, proxy: FlakyProxy, key: str) -> None:
    """The request is forwarded after the delay, and answered."""
    proxy.set_trouble(Trouble("delay", delay=0.3))
    started = time.monotonic()
    assert status_of(road.put_object, Bucket="lists", Key=key, Body=b"1") == 200
    assert time.monotonic() - started >= 0.3


def test_a_proxy_can_disappear_and_come_back(road: Any, proxy: FlakyProxy, key: str) -> None:
    """Connections are refused, then accepted again at the same endpoint."""
    proxy.refuse()
    with pytest.raises(EndpointConnectionError):
        road.put_object(Bucket="lists", Key=key, Body=b"1")
    proxy.accept()
    assert status_of(road.put_object, Bucket="lists", Key=key, Body=b"1") == 200
