"""How a campaign ended, for scripts and for Prefect: one exit code and one state for each ending."""

from pathlib import Path
from typing import Any

import pytest

from globe_sms.flows.command_line.exit_codes import exit_code
from globe_sms.flows.orchestration.final_states import campaign_state, late_state, name_refusals
from globe_sms.tasks.recipients import EmptyListError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.unit.reports.test_campaign_page import report_of, sent

INVALID = {"status": "invalid", "reason": "empty"}
OPTED_OUT = {"status": "suppressed", "reason": "s3://b/opt-outs.csv"}
DUPLICATE = {"status": "duplicate", "reason": "s3://b/l.csv#0"}
REFUSED = sent("failed", "MOBILE_NUMBER_ILLEGAL")


@pytest.mark.parametrize(
    ("rows", "code", "state"),
    [
        ([sent("accepted"), REFUSED, INVALID], 0, "Completed"),
        ([sent("accepted"), sent("unknown", "no_reply")], 3, "CompletedWithUnknown"),
        ([sent("accepted"), sent("not_sent", "expired")], 3, "CompletedWithUnknown"),
        ([sent("not_sent", "expired")], 3, "CompletedWithUnknown"),
        ([OPTED_OUT, OPTED_OUT, DUPLICATE], 0, "NothingToSend"),
        ([INVALID, OPTED_OUT], 0, "NothingToSend"),
        ([REFUSED, REFUSED, INVALID], 1, "AllFailed"),
        ([REFUSED, sent("not_sent", "quiet_hours")], 1, "AllFailed"),
        ([REFUSED, sent("unknown", "no_reply")], 3, "CompletedWithUnknown"),
    ],
)
def test_a_finished_run_has_the_code_and_the_state_of_its_rows(
    tmp_path: Path, rows: list[dict[str, Any]], code: int, state: str
) -> None:
    """Exit 0 only if everybody who could get the text got it, or was left out for a reason of the list."""
    report = report_of(tmp_path, rows)
    ended = campaign_state(report)
    assert (exit_code(report), ended.name) == (code, state)
    assert ended.is_failed() == (code == 1)


def test_a_dry_run_that_planned_well_is_neither_open_nor_failed(tmp_path: Path) -> None:
    report = report_of(tmp_path, [sent("not_sent", "dry_run")], dry_run=True)
    assert (exit_code(report), campaign_state(report).name) == (0, "Completed")


@pytest.mark.parametrize(
    ("cause", "code", "state"),
    [
        (StopCause.STOPPED, 1, "Stopped"),
        (StopCause.STORE_DOWN, 1, "Stopped"),
        (StopCause.CANCELLED, 1, "Cancelled"),
        (StopCause.DECLINED, 3, "Declined"),
    ],
)
def test_a_stop_is_named_before_its_rows(tmp_path: Path, cause: StopCause, code: int, state: str) -> None:
    """Also if every number that went out before it failed."""
    report = report_of(tmp_path, [REFUSED], stop=Stop(cause, "a reason."))
    assert (exit_code(report), campaign_state(report).name) == (code, state)


def test_a_flow_whose_lists_have_no_rows_fails_by_a_name_of_its_own() -> None:
    """With what the caller in Python gets: the error."""

    def flow(**_: Any) -> None:
        raise EmptyListError("list.csv: no rows found")

    state: Any = name_refusals(flow)(recipients=())
    assert (state.name, state.message, state.is_failed()) == ("EmptyList", "list.csv: no rows found", True)
    assert isinstance(state.data, EmptyListError)


def test_a_run_that_came_too_late_is_a_failure() -> None:
    """An alarm on failures must hear of a daily campaign that didn't go out."""
    state = late_state("Scheduled for 09:00, but started 90 minutes later, so nothing was sent.")
    assert (state.name, state.is_failed()) == ("Late", True)


@pytest.mark.parametrize("cause", [StopCause.CANCELLED, StopCause.DECLINED, StopCause.STOPPED])
def test_a_stop_says_its_reason_and_how_far_it_got(tmp_path: Path, cause: StopCause) -> None:
    """Also a run that somebody cancelled."""
    stop = Stop(cause, "a reason.")
    message = str(campaign_state(report_of(tmp_path, [sent("accepted"), sent("not_sent")], stop=stop)).message)
    assert message == "a reason. (camp: 1 accepted, 1 not_sent; 3 calls in 75 s)"
