"""The receipts endpoint doesn't start if it couldn't store receipts."""

import os
import socket
import subprocess

import pytest

from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.chaos.command_process import PROGRAMS
from tests.waiting import LONGEST_WAIT

SECRET = "a-secret-of-the-test-1234"


@pytest.mark.parametrize(
    ("to", "environment", "expected"),
    [
        ("s3://no-such-bucket/receipts", {}, "the bucket doesn't exist"),
        ("s3://tests/receipts", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "the S3 secret is wrong"),
        ("gs://tests/receipts", {}, "neither s3://bucket/prefix nor a directory"),
        ("s3://tests/receipts", {"GLOBE_SMS_RECEIPTS_SECRET": ""}, "GLOBE_SMS_RECEIPTS_SECRET isn't set"),
        ("s3://tests/receipts", {}, "can't listen on"),
    ],
)
def test_it_refuses_to_start_with_one_clear_line(
    s3_server: S3Server, to: str, environment: dict[str, str], expected: str
) -> None:
    """Exit 2: no bucket, no permission, no store, no secret, no port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = subprocess.run(
            [PROGRAMS / "globe-sms", "receipts", "serve", "--to", to, "--port", str(taken.getsockname()[1])],
            env={**os.environ, **s3_server.environment, "GLOBE_SMS_RECEIPTS_SECRET": SECRET, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_WAIT,
        )
    assert ended.returncode == 2, ended.stderr
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stderr
