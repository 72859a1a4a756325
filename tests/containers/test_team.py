"""A team's site in containers: a campaign whose worker is killed in the middle, receipts, a container for each run."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.options.flow_parameters import group_options
from tests.chaos.results_against_log import Row, find_faults
from tests.containers.images import OURS
from tests.containers.team import CALLS_PER_SECOND, NUMBERS_PER_CALL, Team, singapore_numbers
from tests.waiting import await_event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600)]


def campaign(team: Team, name: str, numbers: list[str], **options: Any) -> tuple[dict[str, Any], list[Row]]:
    """Upload a list; return the parameters of its campaign, and the rows that the results must account for."""
    team.upload(f"lists/{name}.csv", "\n".join(["phone", *numbers]).encode())
    source = f"s3://sandbox/lists/{name}.csv"
    flat = {
        "recipients": [source],
        "campaign": name,
        "message": f"Hello from {name}",
        "type": "NOTIFY",
        "results": "s3://sandbox/campaigns",
        "calls_per_second": CALLS_PER_SECOND,
        "numbers_per_call": NUMBERS_PER_CALL,
        **options,
    }
    return group_options(flat), [Row(source, at, number, number) for at, number in enumerate(numbers)]


def faults(team: Team, name: str, rows: list[Row]) -> list[str]:
    """Hold the campaign's results against the gateway's log."""
    return find_faults(team.arrivals(name), team.results(name), rows)


def test_the_pages_of_prefect_are_served(team: Team) -> None:
    """From a file system that can't be written, where Prefect can't make its copy of them."""
    page = team.api.get(str(team.api.base_url).removesuffix("/api/"))
    assert page.is_success
    assert "<html" in page.text


def test_a_campaign_goes_on_when_a_workers_container_is_killed(team: Team) -> None:
    """SIGKILL to everything in it, as when the machine is gone. The other worker's run sends the rest."""
    numbers = list(singapore_numbers(0, 400))
    slowly, rows = campaign(team, "killed", numbers, calls_per_second=1)
    first = team.run("ad-hoc", slowly)
    await_event(lambda: len(team.arrivals("killed")) > 1, "calls")
    team.podman.call("kill", "--signal=KILL", team.worker_of(first))
    assert team.state(first)["type"] == "RUNNING"
    ended = team.await_end(team.run("scheduled", campaign(team, "killed", numbers)[0]))
    assert ended["type"] == "COMPLETED", ended["message"]
    assert faults(team, "killed", rows) == []
    statuses = dict(team.results("killed").get_column("status").cast(pl.String).value_counts().iter_rows())
    print(f"killed in the middle: {statuses}")
    # Nobody knows whether the gateway took what was in the air when the worker was killed.
    assert statuses.keys() <= {"accepted", "unknown"}
    assert statuses.get("unknown", 0) <= 2 * NUMBERS_PER_CALL
    # Its heartbeats are missing, so an automation of `globe-sms deploy` frees its slot.
    assert team.await_end(first)["type"] == "CRASHED"


def test_receipts_that_the_gateway_pushes_are_stored(team: Team) -> None:
    order, rows = campaign(team, "receipts", list(singapore_numbers(1_000, 30)))
    url = f"http://127.0.0.1:8080/receipts/{team.receipts_secret}"
    team.gateway("PUT", "/pushes", {"url": url})
    ended = team.await_end(team.run("scheduled", order))
    assert ended["type"] == "COMPLETED", ended["message"]
    wanted = {row.number for row in rows}

    def stored() -> set[str]:
        return {json.loads(line)["To"] for line in team.read("receipts/", ".ndjson").splitlines()}

    await_event(lambda: wanted <= stored(), "receipts of all")


@pytest.fixture
def socket(team: Team) -> Generator[Path]:
    """Podman's answer to Docker's socket, with the rights that Docker's has."""
    path = team.folder / "podman.sock"
    serving = team.podman.start("system", "service", "--time=0", f"unix://{path}")
    await_event(lambda: path.exists() or serving.poll() is not None, "podman's socket")
    assert serving.poll() is None
    path.chmod(0o660)
    team.settings |= {"DOCKER_SOCKET": str(path), "DOCKER_GROUP": str(os.getgid())}
    yield path
    serving.terminate()
    serving.wait()


@pytest.mark.usefixtures("socket")
def test_a_docker_pool_starts_a_container_for_each_run(team: Team) -> None:
    """Its worker has the engine's socket, its runs have not; they're gone when they've ended."""
    deploy = ("globe-sms", "deploy", "--work-pool", "globe-sms-docker", "--pool-type", "docker", "--image", OURS)
    team.compose("run", "--rm", "-T", "--no-deps", "deploy", *deploy)
    team.up("docker-worker")
    order, rows = campaign(team, "docker", list(singapore_numbers(2_000, 200)))
    (sandbox,) = team.containers("sandbox")
    keys = dict(line.split("=", 1) for line in (team.folder / "keys.env").read_text().splitlines())
    run = team.run("scheduled", order, network_mode=f"container:{sandbox}", env=keys)
    (worker,) = team.containers("docker-worker")
    await_event(lambda: len(team.arrivals("docker")) >= CALLS_PER_SECOND, "calls")
    beside = team.podman.words("ps", "--format={{.Image}}", f"--filter=label=io.prefect.flow-run-id={run}")
    assert beside == [OURS]
    ended = team.await_end(run)
    assert ended["type"] == "COMPLETED", (ended["message"], team.logs(worker))
    assert faults(team, "docker", rows) == []
    await_event(
        lambda: team.podman.words("ps", "--all", "--quiet", f"--filter=label=io.prefect.flow-run-id={run}") == [],
        "the run's container to be removed",
    )
