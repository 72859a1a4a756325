"""`globe-sms deploy` without a server, and with options that will not do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.long_form import long_form
from tests.waiting import LONGEST_WAIT

pytestmark = pytest.mark.slow


def deploy(*options: str, url: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command in an empty environment of Prefect's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [Path(sys.executable).with_name("globe-sms"), "deploy", *options],
        check=False,
        capture_output=True,
        text=True,
        env={**kept, "PREFECT_API_URL": url, "DO_NOT_TRACK": "1"},
        timeout=LONGEST_WAIT,
    )


@pytest.mark.parametrize(
    ("options", "url", "message"),
    [
        ((), "", "no Prefect server is set: set PREFECT_API_URL"),
        pytest.param((), "http://127.0.0.1:9/api", "http://127.0.0.1:9/api doesn't answer", marks=long_form),
        pytest.param(("--pool-type", "kubernetes"), "http://127.0.0.1:9/api", "--image", marks=long_form),
        pytest.param(("--image", "globe-sms:1"), "http://127.0.0.1:9/api", "--pool-type", marks=long_form),
        pytest.param(("--pool-type", "ecs"), "http://127.0.0.1:9/api", "--pool-type", marks=long_form),
        pytest.param(("--file", "nowhere.yaml"), "http://127.0.0.1:9/api", "nowhere.yaml", marks=long_form),
    ],
)
def test_what_will_not_do_is_one_clear_line_and_exit_2(options: tuple[str, ...], url: str, message: str) -> None:
    done = deploy(*options, url=url)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
