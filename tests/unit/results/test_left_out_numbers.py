"""Numbers that a call left out, and rows that must not be sent now, in the results."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.results.join_plan_and_ledger import make_results
from globe_sms.tasks.results.ledger_answers import gather
from globe_sms.tasks.vocabulary.statuses import STATUSES

ACCEPTED, UNKNOWN, SPLIT = Settlement.ACCEPTED, Settlement.UNKNOWN, Settlement.SPLIT


def plan_rows() -> pl.LazyFrame:
    """A chunk of three numbers."""
    return pl.LazyFrame(
        {
            "source": "list.csv",
            "row": [0, 1, 2],
            "recipient": ["a", "b", "c"],
            "phone_number": ["+6581234500", "+6581234501", "+6581234502"],
            "region": "SG",
            "status": pl.Series([None] * 3, dtype=pl.Enum(STATUSES)),
            "reason": pl.Series([None] * 3, dtype=pl.String),
            "chunk": pl.Series([0] * 3, dtype=pl.UInt32),
            "position": pl.Series([0, 1, 2], dtype=pl.UInt16),
        }
    )


def entry(submission: int, settlement: Settlement, *left_out: int) -> SendRecord:
    """One call, and whom it left out."""
    called = [place for place in range(3) if place not in left_out]
    return SendRecord(
        chunk=0,
        submission=submission,
        run="r",
        settlement=settlement,
        reason="no_reply" if settlement is UNKNOWN else None,
        code="OK" if settlement is ACCEPTED else None,
        description=None,
        request_id=f"R{submission}",
        sent_at=1.0,
        fingerprint="",
        message_ids={place: f"id-{place}" for place in called} if settlement is ACCEPTED else {},
        left_out=dict.fromkeys(left_out, "outs.csv"),
    )


def first_two(submission: int, settlement: Settlement, *left_out: int) -> SendRecord:
    """One call for the first two numbers, after a refusal of all three."""
    whole = entry(submission, settlement, *left_out)
    ids = {place: name for place, name in whole.message_ids.items() if place < 2}
    return replace(whole, positions=(0, 1), message_ids=ids)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(0, ACCEPTED, 1)], ("suppressed", "outs.csv", None)),
        ([Claim(0, 0, "r", "h", 1.0, 1.0, "", left_out={1: "outs.csv"})], ("suppressed", "outs.csv", None)),
        ([entry(0, UNKNOWN), entry(1, ACCEPTED, 1)], ("suppressed", "outs.csv", "R0")),
        ([entry(0, UNKNOWN, 1), entry(1, ACCEPTED, 1)], ("suppressed", "outs.csv", None)),
        ([entry(0, UNKNOWN, 1), entry(1, ACCEPTED)], ("accepted", None, "R1")),
        ([entry(0, SPLIT), first_two(1, UNKNOWN), first_two(2, ACCEPTED, 1)], ("suppressed", "outs.csv", "R1")),
        ([entry(0, SPLIT), first_two(1, UNKNOWN), first_two(2, UNKNOWN, 0, 1)], ("suppressed", "outs.csv", "R1")),
    ],
    ids=["left out", "left out, then killed", "of a resend", "of both", "opted in again", "of a half", "all of a half"],
)
def test_a_number_that_was_left_out_is_suppressed(entries: list[Any], expected: tuple[str | None, ...]) -> None:
    """One that an earlier call may have texted keeps what is known of that call: a receipt may still settle it."""
    history = History(tuple(each.settlement if isinstance(each, SendRecord) else None for each in entries))
    assert history.must_be_read or len(entries) == 1
    found = make_results(plan_rows(), gather({0: history}, entries), "camp", "stopped").collect()
    assert found.select("status", "reason", "request_id").row(1) == expected
    assert found["row"].to_list() == [0, 1, 2]


def test_a_row_that_was_not_sent_has_the_reason_for_which_it_may_not_be() -> None:
    """A row that was presented keeps its outcome."""
    rows = plan_rows().with_columns(left_out=pl.Series([None, "outs.csv", "country_denied"]))
    nothing = make_results(rows, gather({}, []), "camp", "stopped").collect()
    assert nothing.select("status", "reason").rows() == [
        ("not_sent", "stopped"),
        ("suppressed", "outs.csv"),
        ("unsupported", "country_denied"),
    ]
    unknown = gather({0: History((UNKNOWN,))}, [entry(0, UNKNOWN)])
    held = make_results(rows, unknown, "camp", "stopped").collect()
    assert held["status"].to_list() == ["unknown"] * 3
    resent = make_results(rows, unknown, "camp", "stopped", resends=True).collect()
    assert resent["status"].to_list() == ["unknown", "suppressed", "unsupported"]
    sent = make_results(rows, gather({0: History((ACCEPTED,))}, [entry(0, ACCEPTED)]), "camp", "stopped").collect()
    assert sent["status"].to_list() == ["accepted"] * 3


def test_rows_that_can_be_sent_have_the_parts_of_the_text_that_all_get() -> None:
    """Rows that get no text have none."""
    rows = plan_rows().with_columns(status=pl.Series([None, "duplicate", None], dtype=pl.Enum(STATUSES)))
    found = make_results(rows, gather({}, []), "camp", "stopped", segments=2).collect()
    assert found["segments"].to_list() == [2, None, 2]


def test_an_accepted_row_whose_message_id_is_not_known_says_so() -> None:
    """A receipt can't be matched with it."""
    answer = replace(entry(0, ACCEPTED), message_ids={0: "id-0"})
    found = make_results(plan_rows(), gather({0: History((ACCEPTED,))}, [answer]), "camp", "stopped").collect()
    assert found["status"].to_list() == ["accepted"] * 3
    assert found["reason"].to_list() == [None, "message_id_unmatched", "message_id_unmatched"]
