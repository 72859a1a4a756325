"""One sandbox for all chaos tests, and a stage for each."""

from collections.abc import Generator
from pathlib import Path

import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.chaos.campaign_under_test import ACCOUNT_CALLS_PER_SECOND, Stage


@pytest.fixture(scope="session")
def chaos_sandbox() -> Generator[Sandbox]:
    """An S3 server and a gateway; the account may make a little more calls than the runs are told to."""
    with Sandbox(calls_per_second=ACCOUNT_CALLS_PER_SECOND, bucket="chaos") as sandbox:
        yield sandbox


@pytest.fixture
def stage(chaos_sandbox: Sandbox, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Stage]:
    """An empty log, answers that take a while so that calls are in the air, and an end for every run."""
    chaos_sandbox.gateway.reset()
    chaos_sandbox.gateway.set_latency(0.1, 0.5)
    stage = Stage(chaos_sandbox, tmp_path, lambda: request.getfixturevalue("prefect_server"))
    yield stage
    for command in stage.commands:
        if command.running:
            command.end()
