"""For real: Prefect's server on PostgreSQL, `globe-sms deploy`, two workers, runs from all three deployments."""

import inspect
import json
import re
import shlex
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Generator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import get_client

from globe_sms.deployments import deploy as deploy_module
from globe_sms.deployments.automations import PAUSE_AFTER_STOP
from globe_sms.deployments.deploy import DeployOptions, deploy
from globe_sms.deployments.server_changes import Effect
from globe_sms.flows.option_signatures import NO_NUMBER
from tests.chaos.command_process import PROGRAMS
from tests.chaos.long_form import long_form
from tests.integration.deployed_site import (
    ACCOUNT,
    CALLS_PER_SECOND,
    NUMBERS_PER_CALL,
    S3_KEYS,
    Site,
    campaign_parameters,
    fill_in_account,
    open_site,
)
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Prefect's client leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_LATE_SECONDS = 1.0  # the first call may have arrived so long after its turn
SINGAPORE = ZoneInfo("Asia/Singapore")
WITHOUT_ASKING = {"approve_above": NO_NUMBER}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """The whole site, with two workers."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        site.set_parameters("manual", **WITHOUT_ASKING)
        site.start_worker()
        site.start_worker()
        yield site


def numbers(first: int, count: int) -> list[str]:
    """Mobile numbers of Singapore; lists that begin 1,000 apart share none."""
    return [f"65{81_000_000 + first + at}" for at in range(count)]


def blocks_of(heading: str) -> dict[str, str]:
    """The blocks of code below a heading of the page on deployments, by their language."""
    page = Path(deploy_module.__file__).with_name("README.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


def test_a_program_starts_a_campaign_as_the_page_on_deployments_says(site: Site, tmp_path: Path) -> None:
    """From a shell and from Python, which continues the same campaign; parameters that are wrong start nothing."""
    blocks = blocks_of("From a program")
    site.upload("lists/guests.csv", numbers(9_000, 20))
    site.sandbox.gateway.reset()
    campaign = json.loads(blocks["json"].replace("your-bucket", site.sandbox.bucket))
    keys = {"account": ACCOUNT, "account_and_rate": {"aws_credentials": S3_KEYS}}
    (tmp_path / "campaign.json").write_text(json.dumps(campaign | keys))
    shell = blocks["sh"].replace("prefect ", f"{PROGRAMS / 'prefect'} ")
    python = f"{shlex.quote(sys.executable)} -c {shlex.quote(blocks['python'])}"
    for command in (shell, python):
        done = site.in_shell(command, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Completed opening-2026-11: 20 accepted; 0 calls")
    assert site.sandbox.gateway.stats().accepted_numbers == 20
    (tmp_path / "campaign.json").write_text(json.dumps({**campaign, "campaign": ""}))
    refused = site.in_shell(shell, tmp_path)
    assert refused.returncode == 1
    assert "campaign" in refused.stdout + refused.stderr


@long_form
def test_three_campaigns_at_once_are_sent_once_each_at_the_accounts_rate(site: Site) -> None:
    """A scheduled, a manual and an ad-hoc run on two workers; keys and limits come from blocks.

    The scheduled one was due yesterday evening in Singapore and fills that day into its list and its campaign id.
    """
    due = datetime.now(SINGAPORE).replace(hour=23, minute=30) - timedelta(days=1)
    day = f"{due:%Y-%m-%d}"
    lists = {f"daily-{day}": numbers(0, 200), "by-hand": numbers(1_000, 150), "by-program": numbers(2_000, 150)}
    site.upload(f"lists/{day}/members.csv", lists[f"daily-{day}"])
    site.upload("lists/by-hand.csv", lists["by-hand"])
    site.upload("lists/by-program.csv", lists["by-program"])
    site.sandbox.gateway.reset()
    site.sandbox.gateway.set_latency(0.2, 0.6)

    bucket = f"s3://{site.sandbox.bucket}/lists"
    daily: dict[str, Any] = campaign_parameters(
        site, recipients=[f"{bucket}/{{date}}/"], campaign="daily-{date}", latest_start_minutes=2 * 24 * 60
    )
    runs = {
        "scheduled": site.run("scheduled", due, **daily),
        "manual": site.run(
            "manual", **campaign_parameters(site, recipients=[f"{bucket}/by-hand.csv"], campaign="by-hand")
        ),
        "ad-hoc": site.run(
            "ad-hoc", **campaign_parameters(site, recipients=[f"{bucket}/by-program.csv"], campaign="by-program")
        ),
    }
    states = {name: site.await_end(run) for name, run in runs.items()}
    ended = [(name, state["type"], state["name"], state["message"]) for name, state in states.items()]
    assert [end for end in ended if end[1:3] != ("COMPLETED", "Completed")] == []

    log = site.sandbox.gateway.log()
    admitted = Counter(number for arrival in log if arrival.admitted for number in arrival.numbers)
    assert admitted == Counter(number for group in lists.values() for number in group)
    assert {arrival.sender for arrival in log} == {"Site"}
    assert {arrival.count for arrival in log} == {NUMBERS_PER_CALL}
    stats = site.sandbox.gateway.stats()
    # Three runs with a schedule each would make their calls in a third of the time; a slow machine takes longer.
    arrived = sorted(arrival.monotonic for arrival in log)
    assert stats.calls - 1 <= CALLS_PER_SECOND * (arrived[-1] - arrived[0] + _LATE_SECONDS)
    for campaign, group in lists.items():
        assert site.statuses(campaign) == {("accepted", None): len(group)}


def test_a_second_run_of_a_day_is_the_same_campaign_and_a_late_one_sends_nothing(site: Site) -> None:
    """Both end in order; not one call is made."""
    due = datetime.now(SINGAPORE).replace(hour=12) - timedelta(days=3)
    day = f"{due:%Y-%m-%d}"
    site.upload(f"lists/{day}/members.csv", numbers(3_000, 20))
    bucket = f"s3://{site.sandbox.bucket}/lists"
    lists = [f"{bucket}/{{date}}/"]
    daily: dict[str, Any] = campaign_parameters(
        site, recipients=lists, campaign="daily-{date}", latest_start_minutes=5 * 24 * 60
    )
    first = site.run("scheduled", due, **daily)
    late = site.run(
        "ad-hoc",
        due,
        **campaign_parameters(site, recipients=lists, campaign="late-{date}", latest_start_minutes=60),
    )
    ended_first = site.await_end(first)
    assert ended_first["name"] == "Completed", ended_first["message"]
    assert site.call("GET", f"/flow_runs/{first}")["name"] == f"daily-{day}"
    calls = site.sandbox.gateway.stats().calls
    second = site.run("scheduled", due + timedelta(hours=1), **daily)
    ended = site.await_end(late)
    assert (ended["type"], ended["name"]) == ("FAILED", "Late")
    assert "nothing was sent" in ended["message"]
    assert site.results(f"late-{day}") is None
    assert "0 calls" in site.await_end(second)["message"]
    assert site.sandbox.gateway.stats().calls == calls
    of_late = {"logs": {"flow_run_id": {"any_": [late]}}}
    logged = [line["message"] for line in site.call("POST", "/logs/filter", of_late)]
    assert any("nothing was sent" in message for message in logged)
    assert [message for message in logged if "Traceback" in message] == []


@long_form
def test_a_limit_that_is_raised_in_the_block_texts_nobody_again(site: Site) -> None:
    """The same command after an upgrade of the account, from a terminal without any key: the same campaign."""
    site.upload("lists/terminal.csv", numbers(4_000, 30))
    site.sandbox.gateway.reset()
    command = (
        "send",
        f"s3://{site.sandbox.bucket}/lists/terminal.csv",
        "--message=Hello",
        "--type=NOTIFY",
        f"--results=s3://{site.sandbox.bucket}/campaigns",
        f"--aws-credentials={S3_KEYS}",
        "--json",
    )
    missing = site.globe_sms(*command, "--account=nobody")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "--account 'nobody'" in missing.stderr
    first = site.globe_sms(*command, f"--account={ACCOUNT}")
    assert first.returncode == 0, first.stderr
    fill_in_account(site, numbers_per_call=20, sender_id="Other")
    second = site.globe_sms(*command, f"--account={ACCOUNT}")
    fill_in_account(site)
    assert second.returncode == 0, second.stderr
    reports = [json.loads(run.stdout.splitlines()[-1]) for run in (first, second)]
    assert [report["calls"] for report in reports] == [3, 0]
    assert reports[0]["campaign"] == reports[1]["campaign"]


def test_deploying_again_changes_nothing_and_keeps_what_the_team_has_set(site: Site) -> None:
    """Parameters and schedules are the team's once they stand on the server; a file of its own goes before them."""
    scheduled = site.deployment("scheduled")
    mine = {**scheduled["parameters"], "recipients": ["s3://mine/{date}.csv"], "message": "Good morning"}
    site.set_parameters("scheduled", **mine)
    site.call("PATCH", f"/deployments/{scheduled['id']}/schedules/{scheduled['schedules'][0]['id']}", {"active": True})
    with site.here():
        again = deploy(DeployOptions())
        assert {change.effect for change in again} == {Effect.UNCHANGED}, again
        paused = deploy(DeployOptions(pause_schedules=True))
    assert [change.name for change in paused if change.effect is Effect.UPDATED] == ["send-campaign/scheduled"]
    found = site.deployment("scheduled")
    assert found["id"] == scheduled["id"]
    assert found["parameters"] == mine
    assert [schedule["active"] for schedule in found["schedules"]] == [False]


def test_an_active_schedule_makes_runs(site: Site) -> None:
    """Prefect's scheduler plans them; where a dependency breaks it, the schedule still looks active."""
    scheduled = site.deployment("scheduled")
    schedule = f"/deployments/{scheduled['id']}/schedules/{scheduled['schedules'][0]['id']}"
    mine = {"flow_runs": {"deployment_id": {"any_": [scheduled["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}}
    site.call("PATCH", schedule, {"active": True})
    try:
        await_event(
            lambda: any(run["auto_scheduled"] for run in site.call("POST", "/flow_runs/filter", mine)),
            "a run that the scheduler has planned",
        )
    finally:
        site.call("PATCH", schedule, {"active": False})


def test_prefects_own_deploy_of_the_file_makes_the_same_deployments(site: Site) -> None:
    """So a team may use either."""
    names = ("scheduled", "manual", "ad-hoc")
    shipped = Path(inspect.getfile(deploy)).with_name("prefect.yaml")
    with site.here():
        deploy(DeployOptions(file=shipped))
        ours = [_essence(site.deployment(name)) for name in names]
        done = site.start("prefect", "--no-prompt", "deploy", "--prefect-file", str(shipped), "--all")
        done.wait_until_gone(LONGEST_WAIT)
        assert [_essence(site.deployment(name)) for name in names] == ours, done.output.read_text()
    site.set_parameters("manual", **WITHOUT_ASKING)


def test_the_example_automation_pauses_the_schedule_when_a_campaign_goes_wrong(site: Site) -> None:
    """Once it is switched on; it acts on the events of a campaign that stopped, failed for all, or had no rows."""
    scheduled = site.deployment("scheduled")["id"]
    with site.here(), get_client(sync_client=True) as client:
        (found,) = client.read_automations_by_name(PAUSE_AFTER_STOP)
        assert found.enabled is False
        site.call("PATCH", f"/automations/{found.id}", {"enabled": True})
        deploy(DeployOptions())
        (found,) = client.read_automations_by_name(PAUSE_AFTER_STOP)
        assert found.enabled, "what the team has switched on stays on"

    def paused(by: str) -> bool:
        event = {
            "event": f"sms.campaign.{by}",
            "occurred": datetime.now(SINGAPORE).isoformat(),
            "resource": {"prefect.resource.id": "globe-sms.campaign.some-campaign"},
            "id": str(uuid.uuid4()),
        }
        site.call("POST", "/events", [event])
        Event().wait(1.0)
        return site.deployment("scheduled")["paused"]

    for by in ("stopped", "all_failed", "empty_list"):
        await_event(partial(paused, by), "the automation")
        site.call("POST", f"/deployments/{scheduled}/resume_deployment")


def test_a_served_deployment_ends_its_run_in_order_on_sigterm(site: Site) -> None:
    """`python -m globe_sms.deployments.serve`: calls in progress are answered, the rest isn't sent, results say so."""
    site.upload("lists/served.csv", numbers(5_000, 900))
    site.sandbox.gateway.reset()
    serving = site.start("python", "-m", "globe_sms.deployments.serve")
    await_event(lambda: not serving.alive or site.deployment("ad-hoc")["work_pool_name"] is None, "serving")
    run = site.run(
        "ad-hoc",
        **campaign_parameters(site, recipients=[f"s3://{site.sandbox.bucket}/lists/served.csv"], campaign="served"),
    )
    await_event(lambda: not serving.alive or len(site.arrivals("served")) >= CALLS_PER_SECOND, "its calls")
    serving.send(signal.SIGTERM)
    serving.wait_until_gone(LONGEST_WAIT)
    assert site.results("served") is not None, serving.output.read_text()
    statuses = site.statuses("served")
    assert statuses.keys() == {("accepted", None), ("not_sent", "cancelled")}, (statuses, serving.output.read_text())
    assert site.state(run)["type"] in {"CANCELLED", "CRASHED"}
    assert site.sandbox.gateway.stats().accepted_numbers == statuses["accepted", None]


def _essence(deployment: dict[str, Any]) -> dict[str, Any]:
    varying = {
        "id",
        "created",
        "updated",
        "updated_by",
        "created_by",
        "last_polled",
        "version_id",
        "version_info",
        "status",
    }
    kept = {name: value for name, value in deployment.items() if name not in varying}
    kept["schedules"] = [(each["schedule"], each["active"], each["slug"]) for each in deployment["schedules"]]
    kept["global_concurrency_limit"] = (deployment["global_concurrency_limit"] or {}).get("limit")
    # Only `globe-sms deploy` has the form ask for ID and message; the run refuses to go without them.
    schema = deployment["parameter_openapi_schema"]
    kept["parameter_openapi_schema"] = sorted(schema["properties"])
    return kept
