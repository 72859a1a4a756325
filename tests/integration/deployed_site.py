"""A team's site, for real: Prefect's server on PostgreSQL, the sandbox, `globe-sms deploy`, workers in processes."""

import io
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from globe_sms.deployments.sandbox.child_process import Child
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from tests.chaos.command_process import PROGRAMS
from tests.integration.compose_servers import SplitServer
from tests.integration.postgres_server import Postgres, postgres_programs
from tests.prefect_server import PrefectServer
from tests.waiting import LONGEST_WAIT, await_event

CALLS_PER_SECOND = 5
NUMBERS_PER_CALL = 10
ACCOUNT, S3_KEYS = "site", "site-s3"
_ACCOUNT_CALLS_PER_SECOND = 6  # one more than the block says: what arrives tells the rate, not what is let in
_OURS = ("AWS_", "PREFECT_", "GLOBE_", "ALIBABA_")
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Site:
    """The servers, the API of Prefect's, and the workers; keys are in blocks only, no worker has one."""

    def __init__(self, sandbox: Sandbox, prefect: PrefectServer | SplitServer, folder: Path) -> None:
        self.sandbox = sandbox
        self.prefect = prefect
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            **prefect.environment,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "XDG_STATE_HOME": str(folder / "state"),
            "DO_NOT_TRACK": "1",
        }
        auth = prefect.environment.get("PREFECT_API_AUTH_STRING")
        self._api = httpx.Client(
            base_url=prefect.url, trust_env=False, timeout=LONGEST_WAIT, auth=tuple(auth.split(":")) if auth else None
        )
        self._children: list[Child] = []

    def globe_sms(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end, in an empty folder."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return subprocess.run(
            [PROGRAMS / "globe-sms", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=folder,
            timeout=LONGEST_WAIT,
        )

    def in_shell(self, command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
        """Run a command of a page to its end, in a folder, with nothing but the server's address."""
        return subprocess.run(
            ["bash", "-c", command],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=folder,
            timeout=LONGEST_WAIT,
        )

    def start(self, *command: str, **environment: str) -> Child:
        """Start a program of Prefect's or ours, in an empty folder."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        # A child gets the tests' own environment; what it has of keys and servers is taken out.
        unset = [part for name in os.environ if name.startswith(_OURS) for part in ("--unset", name)]
        settings = [f"{name}={value}" for name, value in {**self.environment, **environment}.items()]
        child = Child(
            ["env", *unset, *settings, str(PROGRAMS / command[0]), *command[1:]],
            output=folder / "output",
            remove=[],
            folder=folder,
        )
        self._children.append(child)
        return child

    def start_worker(self) -> Child:
        """Start a process worker; it has begun to ask for work."""
        child = self.start("prefect", "worker", "start", "--pool", "globe-sms", "--type", "process")
        await_event(lambda: not child.alive or "started!" in child.output.read_text(), "a worker")
        assert child.alive, child.output.read_text()
        return child

    @contextmanager
    def here(self) -> Generator[None]:
        """Let Prefect's client in this process talk to the site's server."""
        auth = self.prefect.environment.get("PREFECT_API_AUTH_STRING")
        with temporary_settings({PREFECT_API_URL: self.prefect.url, PREFECT_API_AUTH_STRING: auth}):
            yield

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call Prefect's API and return its answer."""
        answer = self._api.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        """The deployment as the server has it."""
        return self.call("GET", f"/deployments/name/send-campaign/{name}")

    def set_parameters(self, name: str, **parameters: Any) -> None:
        """Set all of a deployment's parameters, as a person does in the UI."""
        self.call("PATCH", f"/deployments/{self.deployment(name)['id']}", {"parameters": parameters})

    def run(self, name: str, scheduled: datetime | None = None, **parameters: Any) -> str:
        """Create a run of a deployment, to start now or as if scheduled for a time; return its id."""
        details = {} if scheduled is None else {"scheduled_time": scheduled.isoformat()}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED", "state_details": details}}
        return self.call("POST", f"/deployments/{self.deployment(name)['id']}/create_flow_run", body)["id"]

    def state(self, run: str) -> dict[str, Any]:
        """The state of a run: type, name and message."""
        return self.call("GET", f"/flow_runs/{run}")["state"]

    def await_end(self, run: str) -> dict[str, Any]:
        """Wait for a run's final state."""
        await_event(lambda: self.state(run)["type"] in _FINAL, f"the end of run {run}")
        return self.state(run)

    def upload(self, key: str, numbers: list[str]) -> None:
        """Put a list into the bucket."""
        with closing(self.sandbox.s3.client()) as client:
            body = "phone\n" + "".join(f"{number}\n" for number in numbers)
            client.put_object(Bucket=self.sandbox.bucket, Key=key, Body=body.encode())

    def results(self, campaign: str) -> pl.DataFrame | None:
        """The results parquet of a campaign; None while there is none."""
        with closing(self.sandbox.s3.client()) as client:
            try:
                found = client.get_object(Bucket=self.sandbox.bucket, Key=f"campaigns/{campaign}/results.parquet")
            except client.exceptions.NoSuchKey:
                return None
            return pl.read_parquet(io.BytesIO(found["Body"].read()))

    def statuses(self, campaign: str) -> dict[tuple[str, str | None], int]:
        """Rows by status and reason."""
        results = self.results(campaign)
        assert results is not None
        counted = results.group_by(pl.col("status").cast(pl.String), "reason").len()
        return {(status, reason): rows for status, reason, rows in counted.iter_rows()}

    def arrivals(self, campaign: str) -> list[Arrival]:
        """The gateway's log of one campaign."""
        return [arrival for arrival in self.sandbox.gateway.log() if arrival.task_id.startswith(f"{campaign}-")]

    def kill(self, child: Child) -> None:
        """End a worker and every run that it has started with SIGKILL, as a machine that is lost does."""
        runs = _descendants(child.pid)
        child.send(signal.SIGKILL)
        for run in runs:
            os.kill(run, signal.SIGKILL)
        child.wait_until_gone(LONGEST_WAIT)

    def stop(self) -> None:
        """End every child that still runs, and what it has started."""
        self._api.close()
        for child in self._children:
            for run in _descendants(child.pid) if child.alive else ():
                os.kill(run, signal.SIGKILL)
            child.stop()


def campaign_parameters(site: Site, **parameters: Any) -> dict[str, Any]:
    """The parameters of a campaign that has its keys and limits from the site's blocks."""
    flat = {
        "message": "Hello from the site",
        "type": "NOTIFY",
        "results": f"s3://{site.sandbox.bucket}/campaigns",
        "account": ACCOUNT,
        "aws_credentials": S3_KEYS,
        **parameters,
    }
    return group_options(flat)


def one_server(database: str) -> PrefectServer:
    """Prefect's server in one process, on PostgreSQL."""
    return PrefectServer(
        PREFECT_API_DATABASE_CONNECTION_URL=database,
        PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE="prefect.server.concurrency.lease_storage.filesystem",
    )


@contextmanager
def open_site(folder: Path, prefect_on: Callable[[str], PrefectServer | SplitServer] = one_server) -> Generator[Site]:
    """Start the servers, deploy, and fill in the blocks as a person does in the UI; no worker is started."""
    programs = postgres_programs()
    with (
        Postgres(programs) as postgres,
        Sandbox(calls_per_second=_ACCOUNT_CALLS_PER_SECOND) as sandbox,
        prefect_on(postgres.url) as prefect,
    ):
        site = Site(sandbox, prefect, folder)
        try:
            done = site.globe_sms("deploy")
            assert done.returncode == 0, done.stderr
            _fill_in_the_blocks(site)
            yield site
        finally:
            site.stop()


def fill_in_account(site: Site, **changed: Any) -> None:
    """Save the account block, as a person does in the UI."""
    account = site.sandbox.account
    fields: dict[str, Any] = {
        "access_key_id": account.key_id,
        "access_key_secret": SecretStr(account.secret),
        "endpoint": site.sandbox.gateway.endpoint,
        "calls_per_second": CALLS_PER_SECOND,
        "numbers_per_call": NUMBERS_PER_CALL,
        "sender_id": "Site",
    }
    with site.here():
        AlibabaSmsAccount(**fields | changed).save(ACCOUNT, overwrite=True)


def _fill_in_the_blocks(site: Site) -> None:
    s3 = site.sandbox.s3
    fill_in_account(site)
    block_type = site.call("GET", "/block_types/slug/minio-credentials")
    schemas = site.call(
        "POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    )
    site.call(
        "POST",
        "/block_documents/",
        {
            "name": S3_KEYS,
            "block_type_id": block_type["id"],
            "block_schema_id": schemas[0]["id"],
            "data": {
                "minio_root_user": s3.access_key,
                "minio_root_password": s3.secret_key,
                "aws_client_parameters": {"endpoint_url": s3.endpoint},
            },
        },
    )


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = [child for child, parent in parents.items() if parent == pid]
    return [*found, *(process for child in found for process in _descendants(child))]
