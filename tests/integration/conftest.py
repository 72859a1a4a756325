"""What integration tests share: objects of their own on S3, and clients of Prefect's server."""

import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.context import (
    _temporary_global_settings_context,  # pyright: ignore[reportPrivateUsage]
    get_settings_context,
)
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.store.s3_access import S3Access
from tests.integration.objects_on_s3 import BUCKET, Put
from tests.prefect_server import PrefectApi
from tests.waiting import LONGEST_WAIT


@pytest.fixture(scope="session")
def prefect_url(prefect_server: PrefectApi) -> Generator[str]:
    """The API of the suite's server; Prefect's client in this process talks to it, unless a test says otherwise.

    As Prefect's own test harness has it, whose server is another one for each process: also for threads that begin
    without a context, and with what is to be logged sent before the server ends.
    """
    with (
        temporary_settings({PREFECT_API_URL: prefect_server.url}),
        _temporary_global_settings_context(get_settings_context()),
    ):
        yield prefect_server.url
        APILogWorker.drain_all()
        EventsWorker.drain_all()


@pytest.fixture
def api(prefect_url: str) -> Generator[httpx.Client]:
    """A client that asks Prefect's server as the UI does."""
    with httpx.Client(base_url=prefect_url, trust_env=False, timeout=LONGEST_WAIT) as client:
        yield client


@pytest.fixture
def only_this_server(s3_access: S3Access, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: ARG001 - it sets the environment
    """Neither an instance role nor a profile of the machine plays a part."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def prefix() -> str:
    """Return a prefix of the test's own."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def put(s3_access: S3Access, prefix: str) -> Put:
    """Put an object under the prefix; returns its URI."""

    def put(key: str, body: bytes) -> str:
        folder = prefix.removeprefix(f"s3://{BUCKET}/")
        s3_access.client().put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=body)
        return f"{prefix}/{key}"

    return put


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox]:
    """An S3 server and a gateway for the module; the account may make 50 calls a second."""
    with Sandbox(calls_per_second=50) as running:
        yield running


@pytest.fixture
def in_sandbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Campaigns of this process use the sandbox, whose gateway has forgotten all, and no Prefect server."""
    sandbox.gateway.reset()
    for name, value in {**sandbox.environment, "PREFECT_API_URL": ""}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def recorded_in_sandbox(in_sandbox: None, prefect_url: str) -> None:
    """Flows of this process use the sandbox and Prefect's server."""


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """A campaign of 30 numbers, 10 a call, with results on the disk."""
    path = tmp_path / "list.csv"
    path.write_text("phone\n" + "".join(f"65812345{number:02}\n" for number in range(30)))
    return {
        "recipients": [str(path)],
        "message": "Hello",
        "type": "NOTIFY",
        "results": str(tmp_path / "out"),
        "campaign": f"c-{uuid.uuid4().hex[:8]}",
        "calls_per_second": 50,
        "numbers_per_call": 10,
        "approval_timeout": 60,
    }
