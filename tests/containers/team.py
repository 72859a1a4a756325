"""A team's containers: the services of compose.yaml and compose.sandbox.yaml, started as their `depends_on` says."""

import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import httpx
import polars as pl
import pytest
import yaml

from globe_sms.deployments.sandbox.child_process import free_ports
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from tests.containers.images import DEPLOYMENTS, OURS, SANDBOX
from tests.containers.podman import Podman, compose
from tests.waiting import LONGEST_WAIT, await_event

PROJECT: Final = "globe-sms-tests"
CALLS_PER_SECOND: Final = 5
NUMBERS_PER_CALL: Final = 10
_FILES: Final = ("compose.yaml", "compose.sandbox.yaml")
_AUTH: Final = ("tests", "a-password")
_FINAL: Final = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_PUT: Final = """
import boto3, sys
boto3.client("s3").put_object(Bucket="sandbox", Key=sys.argv[1], Body=sys.stdin.buffer.read())
"""
_GET: Final = """
import boto3, sys
s3 = boto3.client("s3")
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="sandbox", Prefix=sys.argv[1]):
    for found in page.get("Contents", []):
        if found["Key"].endswith(sys.argv[2]):
            sys.stdout.buffer.write(s3.get_object(Bucket="sandbox", Key=found["Key"])["Body"].read())
"""
_CONTROL: Final = """
import httpx, os, sys
url = os.environ["GLOBE_SMS_ENDPOINT"] + "/_sandbox" + sys.argv[2]
sys.stdout.buffer.write(httpx.request(sys.argv[1], url, content=sys.stdin.buffer.read()).raise_for_status().content)
"""


class Team:
    """The containers of one compose project, and what its people and programs do with them."""

    def __init__(self, podman: Podman, images: Mapping[str, str], folder: Path) -> None:
        self.podman = podman
        self.folder = folder
        self._program = Path(sys.executable).with_name("podman-compose")
        if not self._program.exists():
            pytest.skip("podman-compose isn't installed here: make install")
        for name in _FILES:
            shutil.copy(DEPLOYMENTS / name, folder)
        port, self.receipts_port = free_ports(2)
        self.receipts_secret = "a-secret-of-the-tests"
        self.settings = {
            **images,
            "GLOBE_SMS_IMAGE": OURS,
            "GLOBE_SMS_SANDBOX_IMAGE": SANDBOX,
            "POSTGRES_PASSWORD": "another-password",
            "PREFECT_AUTH_STRING": ":".join(_AUTH),
            "PREFECT_PORT": str(port),
            "RECEIPTS_PORT": str(self.receipts_port),
            "SANDBOX_CALLS_PER_SECOND": str(CALLS_PER_SECOND),
            "SANDBOX_NUMBERS_PER_CALL": str(NUMBERS_PER_CALL),
            "GLOBE_SMS_RECEIPTS_TO": "s3://sandbox/receipts",
            "GLOBE_SMS_RECEIPTS_SECRET": self.receipts_secret,
        }
        self._write("keys.env", {})
        self._services: dict[str, Any] = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
        self._up: set[str] = set()
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api", auth=_AUTH, trust_env=False, timeout=LONGEST_WAIT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()
        # podman-compose forgets the containers that --scale has added.
        mine = self.podman.words("ps", "--all", "--quiet", f"--filter=label=com.docker.compose.project={PROJECT}")
        self.podman.call("rm", "--force", "--time=5", "--depend", *mine)
        self.compose("down", "--volumes")

    def compose(self, *arguments: str) -> str:
        """Call podman-compose with the project's files and settings."""
        self._write(".env", self.settings)
        profiles = ("--profile", "receipts", "--profile", "docker")
        # As with Docker. In a pod, no container outside of it could share the sandbox's network.
        options = ("--in-pod=false", "--project-name", PROJECT, *profiles)
        return compose(self.podman, self._program, self.folder, *options, *arguments, files=_FILES)

    def up(self, service: str, *, scale: int = 1) -> None:
        """Start a service once what it depends on is up, healthy or done, as its `depends_on` says.

        `docker compose up` does this by itself. podman-compose does with podman 4.6 or later, and a systemd that runs
        the health checks.
        """
        conditions = self._services.get(service, {}).get("depends_on", {})
        for needed, wanted in conditions.items():
            if needed not in self._up:
                self.up(needed)
            (container,) = self.containers(needed)
            if wanted["condition"] == "service_healthy":
                await_event(lambda found=container: self._healthy(found), f"{needed}'s health")
            elif wanted["condition"] == "service_completed_successfully":
                assert self.podman.words("wait", container) == ["0"], self.logs(container)
        self.compose("up", "--detach", "--no-build", "--no-deps", "--scale", f"{service}={scale}", service)
        self._up.add(service)

    def start_sandbox(self) -> None:
        """Start the sandbox, and give its keys to the services that start after it."""
        self.up("sandbox")
        (container,) = self.containers("sandbox")
        await_event(lambda: "GLOBE_SMS_ENDPOINT" in self.podman.call("logs", container).decode(), "the sandbox")
        exported = (
            line.removeprefix("export ").split("=", 1)
            for line in self.podman.call("logs", container).decode().splitlines()
            if line.startswith("export ")
        )
        self._write("keys.env", {name: value.strip("'") for name, value in exported})

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers that exist."""
        labels = {"com.docker.compose.project": PROJECT, "com.docker.compose.service": service}
        filters = [f"--filter=label={name}={value}" for name, value in labels.items()]
        return self.podman.words("ps", "--all", "--no-trunc", "--format={{.ID}}", *filters)

    def logs(self, container: str) -> str:
        """Return what a container has printed."""
        done = self.podman.attempt("logs", container)
        return (done.stdout + done.stderr).decode()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call Prefect's API and return its answer."""
        answer = self.api.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def run(self, deployment: str, parameters: Mapping[str, Any], **job_variables: Any) -> str:
        """Create a run of a deployment and return its id."""
        found = self.call("GET", f"/deployments/name/send-campaign/{deployment}")["id"]
        body = {"parameters": parameters, "job_variables": job_variables}
        return self.call("POST", f"/deployments/{found}/create_flow_run", body)["id"]

    def worker_of(self, run: str) -> str:
        """Return the worker's container that has a run; others may have asked for it as well, and were refused."""
        logs = {container: self.logs(container) for container in self.containers("worker")}
        (found,) = (
            container
            for container, text in logs.items()
            if f"submitting flow run '{run}'" in text and f"Aborted submission of flow run '{run}'" not in text
        )
        return found

    def await_end(self, run: str) -> dict[str, Any]:
        """Wait for a run's final state."""
        await_event(lambda: self.state(run)["type"] in _FINAL, f"the end of run {run}")
        return self.state(run)

    def state(self, run: str) -> dict[str, Any]:
        """Return the state of a run: type, name and message."""
        return self.call("GET", f"/flow_runs/{run}")["state"]

    def upload(self, key: str, body: bytes) -> None:
        """Put an object into the sandbox's bucket."""
        self._python(_PUT, key, given=body)

    def read(self, prefix: str, suffix: str = "") -> bytes:
        """Read the objects of the bucket whose keys begin and end so, one after the other."""
        return self._python(_GET, prefix, suffix)

    def results(self, campaign: str) -> pl.DataFrame:
        """Return the results of a campaign."""
        return pl.read_parquet(io.BytesIO(self.read(f"campaigns/{campaign}/results.parquet")))

    def arrivals(self, campaign: str) -> list[Arrival]:
        """Return the gateway's log of one campaign."""
        lines = self.gateway("GET", "/log").splitlines()
        return [one for one in map(Arrival.read, lines) if one.task_id.startswith(f"{campaign}-")]

    def gateway(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Call the control of the sandbox's gateway."""
        return self._python(_CONTROL, method, path, given=b"" if body is None else json.dumps(body).encode())

    def _python(self, program: str, *arguments: str, given: bytes = b"") -> bytes:
        # A service with the sandbox's keys, in its network.
        (receipts,) = self.containers("receipts")
        return self.podman.call("exec", "--interactive", receipts, "python", "-c", program, *arguments, given=given)

    def _healthy(self, container: str) -> bool:
        return self.podman.attempt("healthcheck", "run", container).returncode == 0

    def _write(self, name: str, settings: Mapping[str, str]) -> None:
        (self.folder / name).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


def singapore_numbers(first: int, count: int) -> Iterator[str]:
    """Mobile numbers of Singapore, in digits; lists that begin 1,000 apart share none."""
    return (f"65{81_000_000 + first + at}" for at in range(count))
