"""What the log of a run tells, and what it leaves out."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.exceptions import CancelledRun

from globe_sms.flows.observers.explained_ends import leave_out_explained_ends
from globe_sms.flows.observers.first_lines import first_lines
from globe_sms.flows.observers.quiet_tasks import quiet_tasks
from globe_sms.flows.observers.run_log import RunLog
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.recipients import Format, ListReading
from globe_sms.tasks.reports.preview import Group
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.buttons import RESUME
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.unit.flows.previews import PREVIEW
from tests.unit.reports.test_campaign_page import report_of, sent

LOG = logging.getLogger("tests.run-log")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged."""
    caplog.set_level(logging.INFO)
    return caplog


def test_the_log_says_what_was_read_planned_asked_and_sent(lines: pytest.LogCaptureFixture) -> None:
    """In the words of the form, and with what to press."""
    reading = ListReading(format=Format.CSV, number_column="phone", delimiter=";")
    log = RunLog(LOG)
    log.step("reading the lists")
    groups = (Group("sendable", None, 30), Group("invalid", "empty", 2), Group("invalid", "too_short", 3))
    preview = replace(
        PREVIEW,
        readings=(("s3://b/a.csv", reading),),
        rows=35,
        groups=groups,
        numbers=30,
        calls=3,
        exceeded_limits=("above --max-recipients",),
    )
    log.previewed(preview)
    log.asking(preview, 1_800_000_000.0)
    log.answered(Answer(Decision.APPROVED, "Mei Tan", "in Prefect"))
    log.sending(Progress())
    assert [record.getMessage() for record in lines.records] == [
        "Reading the lists.",
        "Read a.csv: CSV, separated by semicolons, no header; numbers in the column phone.",
        "Planned: 30 numbers in 3 calls, about 3 s at 1 per second. Left out: 5 invalid.",
        'This campaign will not be sent: above "Cap"',
        f"Waiting for approval of 30 numbers until 2027-01-15 08:00 UTC. To answer, {RESUME}.",
        "Approved: by Mei Tan in Prefect.",
        "Sending to 0 numbers.",
    ]
    assert [record.levelname for record in lines.records][3:5] == ["WARNING", "WARNING"]


def test_no_answer_is_told_with_its_reason(lines: pytest.LogCaptureFixture) -> None:
    """Nobody declined it in person."""
    RunLog(LOG).answered(Answer(Decision.DECLINED, NOBODY, "nobody answered in 4 h 0 min"))
    assert lines.messages == ["Declined: nobody answered in 4 h 0 min."]


def test_the_sending_is_a_line_a_tenth_and_missing_answers_are_told_once_a_minute(
    lines: pytest.LogCaptureFixture,
) -> None:
    """A gateway that hangs looks like a slow one otherwise."""
    now = [0.0]
    progress = Progress(lambda: now[0])
    progress.expect(100)
    log = RunLog(LOG, monotonic=lambda: now[0])
    log.sending(progress)
    for now[0] in range(1, 21):
        progress.called()
        progress.landed()
        progress.settled(Status.ACCEPTED, 1)
        log.refresh()
    assert [line.partition(" numbers")[0] for line in lines.messages[1:]] == ["10 of 100", "20 of 100"]
    lines.clear()
    progress.called()
    for now[0] in range(20, 100):
        log.refresh()
    assert [line.rpartition(";")[2].partition(", the first")[0] for line in lines.messages] == [
        " waiting for answers: 1 call out",
        " waiting for answers: 1 call out",
    ]
    assert {record.levelname for record in lines.records} == {"WARNING"}
    lines.clear()
    progress.landed()
    for now[0] in range(100, 1_100, 10):
        log.refresh()
    assert len(lines.messages) == 1  # a sign of life, though nothing is sent


def test_a_pause_is_told_first_with_what_was_sent_and_what_to_press(lines: pytest.LogCaptureFixture) -> None:
    """Nothing else tells somebody who opens the page later that Prefect's Paused is all there is to it."""
    first: list[str] = []
    log = RunLog(LOG, lambda said, _: first.append(said))
    progress = Progress()
    progress.expect(20)
    log.sending(progress)
    progress.settled(Status.ACCEPTED, 5)
    log.interrupted(Interruption.PAUSED)
    log.closed()
    (said,) = first
    assert said == lines.messages[-1]
    assert said.startswith("Somebody paused this run (5 of 20 numbers: 5 accepted, ")
    assert said.endswith("choose Resume.")


def test_the_end_says_each_thing_that_went_wrong_and_what_to_do(
    lines: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The reason of a stop comes first, as an error."""
    stop = Stop(StopCause.STOPPED, "no balance. Top up, then run the same command again: it continues.")
    rows = [sent("accepted"), sent("failed", "MOBILE_NUMBER_ILLEGAL"), sent("not_sent", "stopped")]
    RunLog(LOG).ended(report_of(tmp_path, rows, stop=stop))
    first, *others = lines.records
    assert first.levelname == "ERROR"
    assert first.getMessage().startswith("Stopped: no balance. Top up, then press Retry on this run's page")
    assert "1 accepted, 1 failed, 1 not_sent" in first.getMessage()
    assert [record.getMessage().partition(":")[0] for record in others[:-1]] == ["failed", "not_sent"]
    assert "check it" in others[0].getMessage()
    assert "results.parquet" in others[-1].getMessage()


def test_the_end_and_the_question_are_the_first_lines_of_the_page(
    lines: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A run's page opens with its oldest lines; the latest of these comes first, also once a run has gone on."""
    created = datetime(2026, 11, 30, 8, tzinfo=UTC)
    adapter = logging.LoggerAdapter(LOG, {"flow_run_id": "run-1"})
    run: Any = SimpleNamespace(created=created, run_count=1)
    for seconds in (1.0, 14_400.0):
        now = created.timestamp() + seconds
        log = RunLog(adapter, first_lines(adapter, run, clock=partial(float, now)))
        log.asking(PREVIEW, 1_800_000_000.0)
        log.ended(report_of(tmp_path, [sent("accepted")]))
    page = sorted(lines.records, key=lambda record: record.created)
    first, second, third, fourth = (record.getMessage() for record in page[:4])
    assert page[3].created < created.timestamp()
    assert "Every row is settled" in first
    assert "Every row is settled" in third
    assert "Waiting for approval" in second
    assert "Waiting for approval" in fourth
    assert first.startswith("At ")
    assert all(record.__dict__["flow_run_id"] == "run-1" for record in page[:4])


@pytest.mark.parametrize(("rows", "level"), [(["accepted"], "INFO"), (["accepted", "unknown"], "WARNING")])
def test_what_is_not_settled_is_a_warning(
    lines: pytest.LogCaptureFixture, tmp_path: Path, rows: list[str], level: str
) -> None:
    """An operator filters by level."""
    RunLog(LOG).ended(report_of(tmp_path, [sent(row) for row in rows]))
    assert lines.records[0].levelname == level


def test_an_end_that_the_run_has_explained_has_no_trace(lines: pytest.LogCaptureFixture) -> None:
    """Prefect takes a declined run for an unexpected exception; what nobody foresaw keeps its trace."""
    log = logging.getLogger("tests.engine")
    leave_out_explained_ends([log.name])
    for error in (InputError("declined"), CancelledRun("cancelled"), KeyError("a bug")):
        log.error("Engine execution exited with unexpected exception", exc_info=error)
    log.error("kept", exc_info=InputError("declined"))
    assert [(record.getMessage(), record.exc_info and record.exc_info[0]) for record in lines.records] == [
        ("Engine execution exited with unexpected exception", KeyError),
        ("kept", InputError),
    ]


@pytest.mark.parametrize("flow", ["send-campaign", "try-campaign", "resend-unknown"])
def test_task_runs_are_not_told(lines: pytest.LogCaptureFixture, flow: str) -> None:
    """Not their ends, and not where an error of ours was raised; what else they log stays, and so do other flows'."""
    log = logging.getLogger("tests.task-runs")
    ours, other = {"flow_name": flow}, {"flow_name": "nightly-report"}
    with quiet_tasks(log.name):
        log.info("Finished in state Completed()", extra=ours)
        log.error("Task run failed", exc_info=InputError("no such list"), extra=ours)
        log.info("kept: a line", extra=ours)
        log.error("kept: a fault", exc_info=KeyError("x"), extra=ours)
        log.info("Finished in state Completed()", extra=other)
    log.info("Finished in state Completed()", extra=ours)
    assert lines.messages == ["kept: a line", "kept: a fault", *["Finished in state Completed()"] * 2]
