"""`globe-sms doctor` against real servers: what is right and wrong, and that it neither sends nor tells secrets."""

import json
from collections.abc import Generator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.command_line.app import make_app, run_app

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]
NUMBER = "6581234567"


@pytest.fixture
def members(tmp_path: Path) -> str:
    """A list."""
    path = tmp_path / "members.csv"
    path.write_text(f"phone\n{NUMBER}\n")
    return str(path)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Run the command; return its exit code and its findings."""
    code = run_app(make_app(), ["doctor", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])["findings"]


def wrong(findings: list[dict[str, str]]) -> Mapping[str, str]:
    """What is wrong, by subject."""
    return {each["subject"]: each["said"] for each in findings if each["verdict"] == "wrong"}


def test_all_is_right_and_nothing_is_sent(sandbox: Sandbox, capsys: pytest.CaptureFixture[str], members: str) -> None:
    """Each subject is looked at, and the output can be pasted: no key, no number."""
    code, found = doctor(capsys, members, "--results", f"s3://{sandbox.bucket}/ready")
    assert (code, wrong(found)) == (0, {})
    subjects = ["versions", "disk", "prefect", "results", "lists", "account", "clock", "policy"]
    assert list(dict.fromkeys(each["subject"] for each in found)) == subjects
    told = {each["subject"]: each["said"] for each in found if each["verdict"] == "note"}
    assert "globe-sms deploy" in told["prefect"], "the tests' server has no deployments"
    assert sandbox.gateway.stats().calls == 0
    assert run_app(make_app(), ["doctor", members, "--results", f"s3://{sandbox.bucket}/ready"]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("Nothing is wrong.\n")
    for secret in (sandbox.account.secret, sandbox.s3.secret_key, NUMBER):
        assert secret not in printed


@pytest.mark.parametrize(
    ("environment", "arguments", "subject", "said"),
    [
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "another"}, [], "account", "SignatureDoesNotMatch"),
        ({"GLOBE_SMS_ENDPOINT": "http://127.0.0.1:9"}, [], "account", "couldn't be reached"),
        ({"AWS_SECRET_ACCESS_KEY": "another"}, [], "results", "AWS_SECRET_ACCESS_KEY"),
        ({"GLOBE_SMS_POLICY": "s3://sandbox/no-policy.toml"}, [], "policy", "doesn't exist"),
        ({}, ["s3://sandbox/no-list.csv"], "lists", "check the URI"),
        ({}, ["--account", "nobody"], "account", "nobody"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    environment: Mapping[str, str],
    arguments: list[str],
    subject: str,
    said: str,
) -> None:
    """And the other checks are made all the same."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, found = doctor(capsys, *arguments, "--results", f"s3://{sandbox.bucket}/ready")
    assert code == 2
    assert said in wrong(found)[subject]
    assert found[-1]["subject"] == "policy"


def test_a_prefect_server_that_does_not_answer_is_wrong(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A run would refuse to begin."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        code, found = doctor(capsys, "--results", f"s3://{sandbox.bucket}/ready")
    assert (code, list(wrong(found))) == (2, ["prefect"])
    assert "doesn't answer" in wrong(found)["prefect"]


class _TenMinutesAhead(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(400)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((time() if timestamp is None else timestamp) + 600, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def fast_gateway() -> Generator[str]:
    """A gateway whose clock is ten minutes ahead."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _TenMinutesAhead) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_clock_far_from_the_gateways_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fast_gateway: str
) -> None:
    """It takes no signature that is older than 15 minutes."""
    monkeypatch.setenv("GLOBE_SMS_ENDPOINT", fast_gateway)
    _, found = doctor(capsys)
    seconds: Any = wrong(found)["clock"].partition("clock is ")[2].partition(" s")[0]
    assert int(seconds) == pytest.approx(-600, abs=5)
