"""A run that pauses for an answer, in this process, on a real Prefect server."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError
from tests.integration.flat_options import send_with
from tests.integration.prefect_operator import Operator
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("recorded_in_sandbox"),
]


def approval_of(config: dict[str, Any]) -> dict[str, Any]:
    """What campaign.json keeps of the question."""
    return json.loads((Path(config["results"]) / config["campaign"] / "campaign.json").read_text())["approval"]


def test_nothing_is_sent_before_somebody_approves(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """The form shows the figures; the answer, with its name and time, is kept with the campaign."""
    calls: list[int] = []
    operator = Operator(
        api,
        config["campaign"],
        meanwhile=lambda: calls.append(sandbox.gateway.stats().calls),
        decision="approve",
        name="Mei Tan",
    )
    report = send_with(**config, approve_above=0)
    operator.done()
    assert calls == [0]
    assert report.counts["accepted"] == 30
    assert "30 numbers in 3 calls" in operator.description
    assert list(operator.form["properties"]) == ["decision", "name"]
    assert "required" not in operator.form  # an empty answer is asked for again, by a message that says more
    kept = approval_of(config)
    assert (kept["decision"], kept["by"], kept["numbers"]) == ("approved", "Mei Tan", 30)
    assert kept["at"].startswith("20")


def test_an_empty_answer_is_asked_for_again(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """Prefect's dialog can be sent without a decision; that's neither a yes nor a no."""
    empty = Operator(api, config["campaign"])
    nameless = Operator(api, config["campaign"], key="approval-2", decision="approve")
    clear = Operator(api, config["campaign"], key="approval-3", decision="approve", name="Mei Tan")
    assert send_with(**config, approve_above=0).counts["accepted"] == 30
    for operator in (empty, nameless, clear):
        operator.done()
    assert "no decision" in nameless.description
    assert "without a name" in clear.description
    assert sandbox.gateway.stats().calls == 3


def test_no_means_results_that_say_declined(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """And a run that says so; it is asked again when the campaign is run again."""
    operator = Operator(api, config["campaign"], decision="decline", name="Mei Tan")
    with pytest.raises(CampaignStoppedError, match="by Mei Tan in Prefect; nothing was sent") as caught:
        send_with(**config, approve_above=0)
    operator.done()
    report: Any = caught.value.report
    assert report.counts["not_sent"] == 30
    assert report.results()["reason"].unique().to_list() == ["declined"]
    assert approval_of(config)["decision"] == "declined"
    operator = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    assert send_with(**config, approve_above=0).counts["accepted"] == 30
    operator.done()
    assert sandbox.gateway.stats().calls == 3


def test_no_answer_in_time_is_no(sandbox: Sandbox, config: dict[str, Any]) -> None:
    """The state is ours, not that of a run that failed."""
    state: Any = send_with(**config | {"approval_timeout": 1}, approve_above=0, return_state=True)
    assert (state.name, state.type.value) == ("Declined", "CANCELLED")
    assert "nobody answered in 1 s" in state.message
    assert state.result(raise_on_failure=False).report.results()["reason"].unique().to_list() == ["declined"]
    assert sandbox.gateway.stats().calls == 0


@pytest.mark.parametrize("most", [30, None])
def test_a_campaign_below_the_limit_asks_nobody(config: dict[str, Any], most: int | None) -> None:
    """`approve_above` numbers may be sent without an answer."""
    assert send_with(**config, approve_above=most).counts["accepted"] == 30


def test_what_another_run_sent_while_somebody_was_asked_is_not_sent_again(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """The waiting run holds no lease; after its answer it looks at the ledger again."""
    with_other = threading.Thread(target=lambda: send_with(**config))

    def other_run() -> None:
        with_other.start()
        with_other.join(LONGEST_WAIT)

    operator = Operator(api, config["campaign"], meanwhile=other_run, decision="approve", name="Mei Tan")
    report = send_with(**config, approve_above=0)
    operator.done()
    assert (report.calls, report.counts["accepted"]) == (0, 30)
    assert sandbox.gateway.stats().calls == 3


def test_a_resume_of_an_approved_plan_asks_nobody_again_but_a_resend_does(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """What was approved was sending once."""
    sandbox.gateway.add_fault("accept_then_drop", next=1)
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", next=1)
    operator = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    with pytest.raises(CampaignStoppedError):
        send_with(**config, approve_above=0)
    operator.done()
    sandbox.gateway.clear_faults()
    resumed = send_with(**config | {"approval_timeout": 1}, approve_above=0)
    assert (resumed.counts["accepted"], resumed.counts["unknown"]) == (20, 10)
    with pytest.raises(CampaignStoppedError, match="nobody answered"):
        send_with(**config | {"approval_timeout": 1}, approve_above=0, on_unknown="resend")
    operator = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    resent = send_with(**config, approve_above=0, on_unknown="resend")
    operator.done()
    assert resent.counts["accepted"] == 30
    assert "may text some people twice" in operator.description


def test_the_run_leaves_its_artifacts_without_a_whole_number(api: httpx.Client, config: dict[str, Any]) -> None:
    """One page of the campaign, from preview to report, and its account's; also for a run without a deployment."""
    send_with(**config)
    found: list[dict[str, Any]] = []

    def told() -> bool:
        answer = api.post("/artifacts/filter", json={"artifacts": {"key": {"like_": f"{config['campaign']}-"}}})
        found[:] = answer.json() if answer.is_success else []
        return bool(found) and "Every row is settled" in str(found)

    await_event(told, "the page")
    of_key = {artifact["key"].rpartition("-")[2]: artifact for artifact in found}
    assert of_key.keys() == {"page", "account"}
    assert of_key["page"]["flow_run_id"]
    assert "results.parquet" in of_key["page"]["data"]
    assert [number for number in range(30) if f"65812345{number:02}" in str(found)] == []
