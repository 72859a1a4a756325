"""People who opt out while a campaign is under way: between its runs, while somebody is asked, during its canary."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.observers.current_observer import observed_by
from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.reports.campaign_page import report_page
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, InputError
from tests.integration.flat_options import send_at_once, send_with
from tests.integration.prefect_operator import Operator

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


class Watch(RunObserver):
    """Keeps the preview, and does something as the sending begins."""

    def __init__(self, as_it_sends: Callable[[], object] = lambda: None) -> None:
        self.preview: Preview | None = None
        self._as_it_sends = [as_it_sends]

    def previewed(self, preview: Preview) -> None:
        """Keep it."""
        self.preview = preview

    def sending(self, progress: Progress) -> None:  # noqa: ARG002
        """Do it once."""
        if self._as_it_sends:
            self._as_it_sends.pop()()


@pytest.fixture
def optouts(tmp_path: Path, config: dict[str, Any]) -> Path:
    """The campaign's opt-out list: number 29 is on it from the start."""
    path = tmp_path / "optouts.csv"
    path.write_text("phone\n6581234529\n")
    config["suppress"] = [str(path)]
    return path


def opt_out(optouts: Path, *numbers: int) -> None:
    """Some more people opt out."""
    with optouts.open("a") as file:
        file.writelines(f"65812345{number:02}\n" for number in numbers)


def called(sandbox: Sandbox) -> list[int]:
    """The numbers of all calls, sorted, each as often as it was called."""
    return sorted(int(number[-2:]) for arrival in sandbox.gateway.log() for number in arrival.numbers)


def rows_with(report: Any, status: str) -> dict[int, str | None]:
    """The rows that have a status, with the reason of each."""
    return dict(report.results().filter(status=status).select("row", "reason").iter_rows())


def stop_before_anybody_is_texted(sandbox: Sandbox, config: dict[str, Any]) -> None:
    """The plan is frozen, and everybody is left to send."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
    with pytest.raises(CampaignStoppedError):
        send_at_once(**config)
    sandbox.gateway.clear_faults()
    sandbox.gateway.reset()


@pytest.mark.usefixtures("prefect_url")
def test_who_opts_out_between_runs_isnt_texted(sandbox: Sandbox, config: dict[str, Any], optouts: Path) -> None:
    """A call leaves them out and carries the others; one that nobody is left of isn't made."""
    stop_before_anybody_is_texted(sandbox, config)
    opt_out(optouts, 3, *range(20, 29))
    watch = Watch()
    with observed_by(watch):
        report = send_with(**config)
    assert called(sandbox) == [number for number in range(20) if number != 3]
    assert rows_with(report, "suppressed") == dict.fromkeys((3, *range(20, 30)), str(optouts))
    assert (report.counts["accepted"], report.calls, report.settled) == (19, 2, True)
    claims = Path(config["results"]) / config["campaign"] / "claims"
    assert not (claims / "000002-1").exists()
    assert watch.preview is not None
    assert (watch.preview.numbers, watch.preview.calls) == (19, 2)
    said = f"10 numbers left out since the plan was made, and not texted: 10 {optouts}."
    assert said in str(preview_page(watch.preview))
    assert said in str(report_page(report))


def test_who_opts_out_while_somebody_is_asked_or_during_the_canary_isnt_texted(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], optouts: Path
) -> None:
    """Each stretch of sending begins with the lists as they are then."""

    def answers(number: int, key: str) -> Operator:
        meanwhile = partial(opt_out, optouts, number)
        return Operator(api, config["campaign"], key=key, meanwhile=meanwhile, decision="approve", name="Mei Tan")

    operators = [answers(1, "approval"), answers(12, "approval-after-canary")]
    with observed_by(Watch(partial(opt_out, optouts, 13))):
        report = send_with(**config, approve_above=0, canary=5)
    for operator in operators:
        operator.done()
    assert called(sandbox) == [number for number in range(29) if number not in {1, 12, 13}]
    assert rows_with(report, "suppressed") == dict.fromkeys((1, 12, 13, 29), str(optouts))
    assert report.left_out.since_plan == {str(optouts): 3}
    assert "23 numbers in 3 calls" in operators[1].description  # who opts out during the canary isn't asked about


def test_a_resend_leaves_out_who_opted_out_and_they_are_suppressed(
    sandbox: Sandbox, config: dict[str, Any], optouts: Path
) -> None:
    """Also those that may have been texted before; without a resend they stay unknown."""
    stop_before_anybody_is_texted(sandbox, config)
    opt_out(optouts, 3)  # before the first call that may be taken
    sandbox.gateway.add_fault("accept_then_drop", number="6581234505")
    assert send_at_once(**config).counts["unknown"] == 9
    sandbox.gateway.clear_faults()
    sandbox.gateway.reset()
    opt_out(optouts, 7)  # after it
    report = send_at_once(**config, on_unknown="resend")
    assert called(sandbox) == [0, 1, 2, 4, 5, 6, 8, 9]
    assert rows_with(report, "unknown") == {}
    assert rows_with(report, "suppressed") == dict.fromkeys((3, 7, 29), str(optouts))
    row = report.results().row(7, named=True)
    assert (row["message_id"], row["response_code"]) == (None, None)
    opt_out(optouts, *range(7))
    again = send_at_once(**config, on_unknown="resend")
    assert (again.calls, again.counts) == (0, report.counts)


def test_who_replies_stop_isnt_texted_and_start_puts_them_back(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Also after the plan is frozen, which has everybody; the place is empty but for the endpoint's start by then."""
    receipts = LocalStore(tmp_path / "receipts")
    receipts.put_if_absent("_started/1.json", b"{}")
    config["suppress"] = [f"{receipts.uri}#replies"]
    stop_before_anybody_is_texted(sandbox, config)
    said = [(3, "Stop!", "10:00:00"), (5, "STOP", "10:00:00"), (5, "start", "10:00:01"), (7, "thanks", "10:00:00")]
    for number, text, at in said:
        fields = {"phone_number": f"65812345{number:02}", "content": text, "send_time": f"2026-11-01 {at}"}
        receipts.put_if_absent(f"replies/{number}-{text}.ndjson", json.dumps(fields).encode())
    report = send_at_once(**config)
    assert called(sandbox) == [number for number in range(30) if number != 3]
    assert rows_with(report, "suppressed") == {3: f"{receipts.uri}/replies"}
    assert report.settled


def test_a_list_that_cannot_be_read_stops_the_run_before_the_next_call(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], optouts: Path
) -> None:
    """At the start of a run as an error, and after a wait with results; once it can be read, nobody is asked again."""
    send_with(**config, dry_run=True)
    text = optouts.read_text()
    operator = Operator(api, config["campaign"], meanwhile=optouts.unlink, decision="approve", name="Mei Tan")
    with pytest.raises(CampaignStoppedError, match=r"optouts\.csv.*nobody else was") as caught:
        send_with(**config, approve_above=0)
    operator.done()
    report: Any = caught.value.report
    assert (report.counts["not_sent"], report.counts["suppressed"]) == (29, 1)
    with pytest.raises(InputError, match=r"optouts\.csv"):
        send_with(**config)
    assert called(sandbox) == []
    optouts.write_text(text)
    assert send_with(**config | {"approval_timeout": 1}, approve_above=0).counts["accepted"] == 29
