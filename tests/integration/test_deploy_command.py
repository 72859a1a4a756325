"""`globe-sms deploy` without a server, with options that will not do, and from an installed package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from globe_sms.deployments.prefect_yaml import SHIPPED
from tests.waiting import LONGEST_WAIT

pytestmark = pytest.mark.slow
PROJECT = SHIPPED.resolve().parent.parent


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
        ((), "http://127.0.0.1:9/api", "http://127.0.0.1:9/api doesn't answer"),
        (("--pool-type", "kubernetes"), "http://127.0.0.1:9/api", "--image"),
        (("--image", "globe-sms:1"), "http://127.0.0.1:9/api", "--pool-type"),
        (("--pool-type", "ecs"), "http://127.0.0.1:9/api", "--pool-type"),
        (("--file", "nowhere.yaml"), "http://127.0.0.1:9/api", "nowhere.yaml"),
    ],
)
def test_what_will_not_do_is_one_clear_line_and_exit_2(options: tuple[str, ...], url: str, message: str) -> None:
    done = deploy(*options, url=url)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_wheel_holds_what_deploying_needs(tmp_path: Path) -> None:
    """From the unpacked wheel alone, elsewhere: the file of deployments, and the flow by its module's path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        check=True,
        capture_output=True,
        cwd=PROJECT,
    )
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert {path.name for path in unpacked.iterdir() if path.suffix != ".dist-info"} == {"globe_sms"}
    program = (
        "from prefect.flows import load_flow_from_entrypoint\n"
        "from globe_sms.deployments.prefect_yaml import SHIPPED, Specification\n"
        "entrypoints = {spec.entrypoint for spec in Specification.read().deployments}\n"
        "print(SHIPPED, sorted(load_flow_from_entrypoint(entrypoint).name for entrypoint in entrypoints))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
    )
    assert done.stdout.strip() == f"{unpacked}/globe_sms/deployments/prefect.yaml ['send-campaign', 'track-delivery']"
