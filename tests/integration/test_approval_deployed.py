"""Runs of a deployment on a real Prefect server, suspended for an answer or not; each is run in this process."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.flow_engine import load_flow_run, run_flow

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.inquiry.campaign_state import CampaignState
from globe_sms.tasks.inquiry.list_campaigns import read_campaigns
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from tests.chaos.long_form import long_form
from tests.integration.deployed_run import Deployed
from tests.waiting import await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("recorded_in_sandbox"),
]


@pytest.fixture
def config(config: dict[str, Any], sandbox: Sandbox) -> dict[str, Any]:
    """The campaign, with results that outlive the run's process."""
    return {**config, "results": f"s3://{sandbox.bucket}/{config['campaign']}"}


@pytest.mark.parametrize("canary", [pytest.param(None, marks=long_form), 12])
def test_a_retry_goes_on_with_what_was_approved_and_asks_for_nothing_twice(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], canary: int | None
) -> None:
    """Prefect forgets on a retry that the run was suspended; the campaign does not forget the answer."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
    run = Deployed(api, **config, approve_above=0, canary=canary)
    assert run.run() == "Suspended"
    assert run.approve() == "Stopped"
    sandbox.gateway.clear_faults()
    if canary is not None:
        assert run.retry() == "Suspended"
        assert sandbox.gateway.stats().accepted_numbers == canary
        sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
        assert run.approve() == "Stopped"
        sandbox.gateway.clear_faults()
    assert run.retry() == "Completed"
    assert (sandbox.gateway.stats().accepted_numbers, sandbox.gateway.stats().accepted_twice) == (30, 0)


def test_a_suspended_run_says_how_to_answer_and_asks_again_after_an_empty_answer(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """The newer UI has no button Resume, and its dialog can be sent empty; no reminder of it is left."""
    run = Deployed(api, **config, approve_above=0)
    assert run.run() == "Suspended"
    assert "menu with three dots" in run.state["message"]
    page = "../../artifacts/artifact/"
    assert "30 numbers in 3 calls" in run.question()
    assert page in run.question()
    assert len(run.answers_due()) == 1
    assert run.answer() == "Suspended"
    assert "no decision" in run.question()
    assert "no decision" in run.state["message"]
    assert run.answer(decision="approve") == "Suspended"
    assert "without a name" in run.question()
    assert sandbox.gateway.stats().calls == 0
    assert run.answer(decision="approve", name="Mei Tan") == "Completed"
    assert run.answers_due() == []
    assert sandbox.gateway.stats().accepted_numbers == 30


def test_a_suspended_run_that_nobody_answers_ends_as_declined(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """A run that was scheduled for that time resumes it; a yes that comes later is none."""
    config["approval_timeout"] = 1
    run = Deployed(api, **config, approve_above=0)
    assert run.run() == "Suspended"
    (due,) = run.answers_due()
    await_event(lambda: not _waits(config), "the end of the wait")
    reminder: Any = run_flow(send_campaign, flow_run=load_flow_run(UUID(due)), return_type="state")
    assert (reminder.name, "goes on to end as declined" in reminder.message) == ("Completed", True)
    assert run.run() == "Declined"
    assert run.state["type"] == "CANCELLED"
    assert "nobody answered in 1 s; nothing was sent" in run.state["message"]
    late = Deployed(api, **config, approve_above=0)
    assert late.run() == "Suspended"
    # The second counts from the state Suspended, which a busy machine sets after the message that says until when.
    since = datetime.fromisoformat(late.state["timestamp"]).timestamp()
    await_event(lambda: not _waits(config) and time.time() > since + 1, "the end of the wait")
    assert late.approve() == "Declined"
    assert sandbox.gateway.stats().calls == 0


def _waits(config: dict[str, Any]) -> bool:
    """Whether `globe-sms campaigns` says that the campaign waits for an answer."""
    (found,) = read_campaigns(open_store(config["results"], S3Access.from_environment))
    return found.state is CampaignState.WAITING


def test_an_approval_of_a_list_that_has_changed_is_void(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """The run plans again and asks again, and says what changed; the yes to that sends to the list as it is."""
    run = Deployed(api, **config, approve_above=0)
    assert run.run() == "Suspended"
    path = Path(config["recipients"][0])
    path.write_text(path.read_text().replace("6581234529", "6591234529"))
    assert run.approve() == "Suspended"
    assert sandbox.gateway.stats().calls == 0
    assert "changed: " in run.question()
    assert run.approve() == "Completed"
    assert sandbox.gateway.stats().accepted_numbers == 30
    assert [arrival for arrival in sandbox.gateway.log() if "6581234529" in "".join(arrival.numbers)] == []


def test_a_retry_asks_again_before_it_resends(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """A yes is for one resend; what it left unknown needs another."""
    sandbox.gateway.add_fault("accept_then_drop")
    assert Deployed(api, **config).run() == "CompletedWithUnknown"
    run = Deployed(api, **config, approve_above=0, on_unknown="resend")
    assert run.run() == "Suspended"
    assert run.approve() == "CompletedWithUnknown"
    assert sandbox.gateway.stats().calls == 6
    sandbox.gateway.clear_faults()
    assert run.retry() == "Suspended"
    assert sandbox.gateway.stats().calls == 6
    assert run.approve() == "Completed"
    assert sandbox.gateway.stats().calls == 9


@pytest.mark.parametrize("place", ["sandbox/campaigns", "{tmp}/campaigns", "{cwd}/campaigns"])
def test_results_that_go_with_the_run_are_refused(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], tmp_path: Path, place: str
) -> None:
    """The same campaign run twice would find no ledger, and text everybody twice."""
    where = place.format(tmp=tmp_path, cwd=Path.cwd())
    run = Deployed(api, **{**config, "results": where})
    run.run()
    assert run.state["type"] == "FAILED"
    assert f"Results folder: {where!r} is" in run.state["message"]
    assert sandbox.gateway.stats().calls == 0
    assert not (tmp_path / "campaigns").exists()


def test_a_null_has_the_deployments_own_value(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """Prefect's UI puts nulls into a schedule whose cron is edited: campaign and limits stay the deployment's."""
    own = {**config, "max_recipients": 29, "latest_start_minutes": 60}
    nulls = {"campaign": None, "sender_id": None, "limits": None, "timing": {"latest_start_minutes": None}}
    run = Deployed(api, own, **nulls)
    run.run()
    assert config["campaign"] in run.state["message"]
    assert "29" in run.state["message"]
    assert sandbox.gateway.stats().calls == 0


def test_a_run_that_somebody_pauses_says_so_and_goes_on_when_resumed(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """Resumed at once, so the process that sends hears of the pause after the resume: it ends, and the next goes on.

    Nothing is admitted before the resume, so that a slow server hasn't let everything be sent until then.
    """
    sandbox.gateway.add_fault("throttle")
    run = Deployed(api, **config | {"calls_per_second": 10, "numbers_per_call": 1})

    def pause_and_resume() -> None:
        await_event(lambda: sandbox.gateway.stats().calls > 0, "the first call")
        run.suspend()
        run.resume()
        sandbox.gateway.clear_faults()

    with ThreadPoolExecutor() as operator:
        paused = operator.submit(pause_and_resume)
        state = run.run()
        paused.result()
    assert state == "Resuming"
    assert 0 < sandbox.gateway.stats().admitted < 30
    page = run.artifacts()[f"{config['campaign']}-page"]
    assert "Paused at " in page
    assert "choose Resume: nobody is texted twice" in page
    assert run.run() == "Completed"
    assert sandbox.gateway.stats().accepted_numbers == sandbox.gateway.stats().admitted == 30
