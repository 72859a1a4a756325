from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from tests.chaos.results_against_log import Row, find_faults

A, B, C, D = "6581000001", "6581000002", "6581000003", "6581000004"
ROWS = (
    Row("list.csv", 0, A, number=A),
    Row("list.csv", 1, B, number=B),
    Row("list.csv", 2, "junk", status="invalid"),
    Row("list.csv", 3, C, number=C),
    Row("list.csv", 4, D, number=D),
)
TAKEN = Arrival(
    sequence=1,
    wall=0.0,
    monotonic=0.0,
    key_id="key",
    nonce="n",
    task_id="camp-0-1",
    request_id="r",
    in_air=1,
    admitted=True,
    code="OK",
    status=200,
    fault=None,
    duration=0.1,
    count=2,
    accepted_count=1,
    failed_count=1,
    sender="",
    numbers=[A, B],
    accepted={A: "id-a"},
    failed=[B],
)
DROPPED = replace(
    TAKEN, sequence=2, task_id="camp-1-1", status=None, fault="accept_then_drop", numbers=[C], accepted={C: "id-c"}
)
THROTTLED = replace(TAKEN, sequence=3, task_id="camp-2-1", code="Throttling.User", status=400, numbers=[D], accepted={})
ARRIVALS = (TAKEN, DROPPED, THROTTLED)
TRUTH: tuple[dict[str, Any], ...] = (
    {"status": "accepted", "reason": None, "message_id": "id-a"},
    {"status": "failed", "reason": "failed_list"},
    {"status": "invalid", "reason": "not_a_number"},
    {"status": "unknown", "reason": "no_reply"},
    {"status": "not_sent", "reason": "cancelled"},
)

Rewrite = Callable[[pl.DataFrame], pl.DataFrame]


def results() -> pl.DataFrame:
    """What the results should say of those arrivals."""
    return pl.DataFrame(
        [
            {
                "campaign": "camp",
                "source": row.source,
                "row": row.row,
                "recipient": row.recipient,
                "phone_number": f"+{row.number}" if row.number else None,
                **truth,
            }
            for row, truth in zip(ROWS, TRUTH, strict=True)
        ],
        schema=RESULTS_SCHEMA,
    )


def saying(row: int, **values: Any) -> Rewrite:
    """Make the results say something else of one row."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col("row") == row).then(pl.lit(value)).otherwise(pl.col(name)).cast(frame.schema[name]).alias(name)
        for name, value in values.items()
    )


def test_the_judge_finds_nothing_where_nothing_is_wrong() -> None:
    """The truth, and what may be said besides it."""
    assert find_faults(ARRIVALS, results(), ROWS) == []
    assert find_faults(reversed(ARRIVALS), results(), ROWS) == []
    found_later = saying(3, status="accepted", reason=None, message_id="id-c")(results())
    assert find_faults(ARRIVALS, found_later, ROWS) == []
    unmatched = saying(0, reason="message_id_unmatched", message_id=None)(results())
    assert find_faults(ARRIVALS, unmatched, ROWS) == []
    refused = replace(THROTTLED, code="SMS_CONTENT_ILLEGAL", status=200)
    failed = saying(4, status="failed", reason="SMS_CONTENT_ILLEGAL")(results())
    assert find_faults((TAKEN, DROPPED, refused), failed, ROWS) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (lambda frame: frame.filter(pl.col("row") != 1), "1 input rows are not in the results"),
        (lambda frame: frame.filter(pl.col("row") != 2), "1 input rows are not in the results"),
        (lambda frame: pl.concat([frame, frame[:1]]), "1 rows stand in the results more than once"),
        (lambda frame: frame.reverse(), "not in input order"),
        (saying(0, recipient="other"), "rows of the results are no input rows"),
        (saying(0, phone_number=f"+{B}"), f"went to +{B}"),
        (saying(0, status="failed", reason="X", message_id=None), f"the gateway took {A}"),
        (saying(0, status="not_sent", reason="stopped", message_id=None), f"the gateway took {A}"),
        (saying(0, message_id="id-c"), "its message id is id-c"),
        (saying(0, message_id=None), "its message id is None"),
        (saying(0, reason="message_id_unmatched"), "called accepted for message_id_unmatched"),
        (saying(0, status="duplicate", message_id=None), "should have been sent"),
        (saying(1, status="accepted", message_id="id-b", reason=None), f"the gateway never took {B}"),
        (saying(1, reason="SMS_CONTENT_ILLEGAL"), "called failed for SMS_CONTENT_ILLEGAL"),
        (saying(1, status="not_sent", reason="stopped"), "presented without a clear refusal"),
        (saying(2, status="unsupported"), "should be invalid"),
        (saying(2, message_id="id-a"), "with a message id"),
        (saying(3, status="failed", reason="no_reply"), f"the gateway took {C}"),
        (saying(3, status="not_sent", reason="interrupted"), f"the gateway took {C}"),
        (saying(4, status="accepted", reason=None, message_id="id-d"), f"the gateway never took {D}"),
        (saying(4, status="failed", reason="failed_list"), "called failed for failed_list"),
    ],
)
def test_the_judge_finds_every_wrong_result(wrong: Rewrite, fault: str) -> None:
    """A lost row, a doubled one, a lie about a row: each is told."""
    found = find_faults(ARRIVALS, wrong(results()), ROWS)
    assert any(fault in line for line in found), found


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        (replace(TAKEN, sequence=9), f"{A} was accepted 2 times"),
        (replace(TAKEN, sequence=9, accepted={}), f"{B} was presented again"),
        (replace(DROPPED, sequence=9), f"{C} was accepted 2 times"),
        (replace(DROPPED, sequence=9, accepted={}, code="Throttling.User", status=400), f"{C} was presented again"),
        (replace(DROPPED, sequence=9, numbers=["6599999999"]), "no row asks for"),
    ],
)
def test_the_judge_finds_every_wrong_call(extra: Arrival, fault: str) -> None:
    """A number that was taken, or may have been, must not be presented again, even if that call was refused."""
    found = find_faults((*ARRIVALS, extra), results(), ROWS)
    assert any(fault in line for line in found), found


def test_an_unknown_call_must_have_arrived_unless_the_gateway_was_killed() -> None:
    """Else everything could be called unknown that never left."""
    found = find_faults((TAKEN, THROTTLED), results(), ROWS)
    assert any(f"{C} was never presented" in line for line in found), found
    assert find_faults((TAKEN, THROTTLED), results(), ROWS, unheard=True) == []


def test_a_refusal_that_proves_nothing_was_sent_may_be_followed_by_another_call() -> None:
    """But only while it was answered, and only by a code that proves it."""
    sent = replace(THROTTLED, sequence=9, code="OK", status=200, accepted={D: "id-d"})
    found = saying(4, status="accepted", reason=None, message_id="id-d")(results())
    assert find_faults((*ARRIVALS, sent), found, ROWS) == []
    for unclear in (replace(THROTTLED, code="SYSTEM_ERROR"), replace(THROTTLED, status=None)):
        assert find_faults((TAKEN, DROPPED, unclear, sent), found, ROWS) != []


def test_a_resend_that_was_asked_for_may_be_taken_once_more_and_not_twice() -> None:
    """`--on-unknown resend` is the operator's own decision, for one more presentation."""
    again = replace(DROPPED, sequence=8, status=200, fault=None, accepted={C: "id-c2"})
    found = saying(3, status="accepted", reason=None, message_id="id-c2")(results())
    assert find_faults((*ARRIVALS, again), found, ROWS, resent={C}) == []
    assert find_faults((*ARRIVALS, again), found, ROWS) != []
    assert find_faults((*ARRIVALS, again, replace(again, sequence=9)), found, ROWS, resent={C}) != []
