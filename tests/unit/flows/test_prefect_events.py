"""The events that an automation can act on."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from globe_sms.flows.observers.prefect_events import EVENTS, SETTLED, PrefectEvents
from globe_sms.tasks.delivery.reconcile import Reconciled
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.unit.delivery.delivered_rows import row as delivered_row
from tests.unit.flows.previews import PREVIEW
from tests.unit.flows.test_prefect_artifacts import OUTCOME
from tests.unit.reports.test_campaign_page import report_of, sent
from tests.unit.reports.test_delivery_report import report_of as delivery_report_of


def test_events_name_the_campaign_and_the_run_and_hold_counts() -> None:
    """So that an automation can act on them; the start is told once, with a canary too."""
    told: list[dict[str, Any]] = []
    events = PrefectEvents(uuid.uuid4(), emit=lambda **event: told.append(event))
    events.opened("Camp_1")
    events.asking(PREVIEW, 0.0)
    events.sending(Progress())
    events.sending(Progress())
    assert [event["event"] for event in told] == ["sms.campaign.approval_needed", "sms.campaign.started"]
    assert {event["event"] for event in told} <= set(EVENTS)
    assert told[0]["resource"]["prefect.resource.id"] == "globe-sms.campaign.Camp_1"
    assert told[0]["related"][0]["prefect.resource.role"] == "flow-run"
    assert told[0]["payload"] == {"numbers": 0, "calls": 0, "seconds": 0}


SUMMARY = {"results", "counts", "calls", "seconds", "settled", "dry_run"}


@pytest.mark.parametrize(
    ("row", "event"),
    [
        (sent("accepted"), "finished"),
        (sent("not_sent", "expired"), "finished"),
        (sent("failed", "failed_list"), "all_failed"),
        ({"status": "invalid", "reason": "empty"}, "nothing_to_send"),
        ({"status": "suppressed", "reason": "s3://b/opt-outs.csv"}, "nothing_to_send"),
    ],
)
def test_what_nobody_got_has_an_event_of_its_own(tmp_path: Path, row: dict[str, Any], event: str) -> None:
    """An automation can tell a list that came out wrong from a campaign that went well."""
    told: list[dict[str, Any]] = []
    PrefectEvents(None, emit=lambda **event: told.append(event)).ended(report_of(tmp_path, [row] * 3))
    assert [each["event"] for each in told] == [f"sms.campaign.{event}"]
    assert set(told[0]["payload"]) == SUMMARY
    assert told[0]["event"] in EVENTS
    assert told[0]["resource"][SETTLED] == str(told[0]["payload"]["settled"]).lower(), "a trigger sees labels only"


def test_lists_without_rows_have_an_event_too() -> None:
    """Though there are no results."""
    told: list[dict[str, Any]] = []
    PrefectEvents(None, emit=lambda **event: told.append(event)).no_rows("list.csv: no rows found")
    assert [(each["event"], each["payload"]) for each in told] == [
        ("sms.campaign.empty_list", {"message": "list.csv: no rows found"})
    ]
    assert told[0]["event"] in EVENTS


@pytest.mark.parametrize(
    ("stop", "event"),
    [
        (None, "finished"),
        (Stop(StopCause.STOPPED, "the balance is used up", "AMOUNT_NOT_ENOUGH"), "stopped"),
        (Stop(StopCause.STORE_DOWN, "S3 is down"), "stopped"),
        (Stop(StopCause.CANCELLED, "the run was cancelled"), "cancelled"),
        (Stop(StopCause.DECLINED, "by Mei Tan in Prefect"), "declined"),
    ],
)
def test_each_end_has_its_event_with_what_an_automation_needs(tmp_path: Path, stop: Stop | None, event: str) -> None:
    """As flows/README.md has it: the summary, and with a stop its message and the gateway's code."""
    told: list[dict[str, Any]] = []
    PrefectEvents(None, emit=lambda **event: told.append(event)).ended(
        report_of(tmp_path, [sent("accepted")], stop=stop)
    )
    assert [each["event"] for each in told] == [f"sms.campaign.{event}"]
    payload = told[0]["payload"]
    assert set(payload) >= SUMMARY | (set() if stop is None else {"message", "code"})
    assert "campaign" not in payload
    if stop is not None:
        assert (payload["message"], payload["code"]) == (stop.message, stop.code)


@pytest.mark.parametrize(("delivered", "least", "low"), [(8, 0.9, True), (9, 0.9, False), (0, None, False)])
def test_the_end_of_a_tracking_says_what_was_delivered(delivered: int, least: float | None, *, low: bool) -> None:
    """And whether it's less than the policy wants, of the messages whose end is known."""
    told: list[dict[str, Any]] = []
    deliveries = {"delivered": delivered, "undelivered": 10 - delivered, "expired": 0, "pending": 5}
    outcome = TrackingOutcome("c", "u", {}, deliveries, Reconciled(), 0, 0, 0.0, least_delivered=least)
    PrefectEvents(None, emit=lambda **event: told.append(event)).tracked(outcome, TrackingProgress(open=0))
    assert [each["event"] for each in told] == ["sms.campaign.delivered"]
    assert told[0]["event"] in EVENTS
    assert (told[0]["payload"]["rate"], told[0]["payload"]["low"]) == (delivered / 10, low)


def tracked(*deliveries: str | None) -> TrackingOutcome:
    """How a tracking ended whose messages were delivered or not; None: no final state yet."""
    return replace(OUTCOME, report=delivery_report_of([delivered_row(each) for each in deliveries]))


@pytest.mark.parametrize(
    ("deliveries", "told"),
    [
        (["delivered"] * 7 + ["undelivered", "expired", "undelivered"], ["sms.campaign.delivery_low"]),
        (["delivered"] * 8 + ["undelivered"] * 2, []),
        (["undelivered", "undelivered", None, None, None], []),
        ([], []),
    ],
)
def test_few_deliveries_are_told_once_enough_is_known(deliveries: list[str | None], told: list[str]) -> None:
    """Under 80 %, of at least half of the messages: the first to fail say little."""
    events: list[dict[str, Any]] = []
    PrefectEvents(None, emit=lambda **event: events.append(event)).tracked(tracked(*deliveries), TrackingProgress(0))
    (_, *low) = events
    assert [each["event"] for each in low] == told
    for each in low:
        assert each["payload"]["rate"] == 0.7
        assert each["event"] in EVENTS
