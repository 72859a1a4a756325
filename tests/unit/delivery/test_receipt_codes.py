"""The table of receipt codes, and what follows from it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.delivery.delivery_states import Origin, state_of
from globe_sms.tasks.delivery.receipt_codes import TABLE, Fault, is_permanent_failure, look_up, meaning
from globe_sms.tasks.vocabulary.statuses import Delivery

PAGE = Path(__file__).parents[3] / "flows" / "manual" / "results.md"


def permanent(delivery: str | None, code: str | None) -> bool | None:
    """Whether a row of results counts as a permanent failure."""
    rows = pl.DataFrame([(delivery, code)], schema={"delivery": pl.String, "delivery_code": pl.String}, orient="row")
    return rows.select(is_permanent_failure()).item()


@pytest.mark.parametrize(
    ("delivery", "code", "counts"),
    [
        ("undelivered", "UNDELIV", True),
        ("undelivered", " undeliv ", True),
        ("undelivered", "EXPIRED", False),
        ("undelivered", "REJECTD", False),
        ("undelivered", "SP_UNKNOW_ERROR", False),
        ("undelivered", "EC:0012", False),
        ("expired", "UNDELIV", False),
        ("delivered", "UNDELIV", False),
    ],
)
def test_only_documented_codes_are_permanent(delivery: str, code: str, *, counts: bool) -> None:
    """A carrier's own code counts as not permanent, and so does a message that was delivered after all."""
    assert permanent(delivery, code) is counts


def test_a_message_without_a_code_is_no_permanent_failure() -> None:
    assert not permanent("undelivered", None)
    assert not permanent(None, "UNDELIV")


def test_every_code_has_advice_and_a_source_and_only_numbers_at_fault_are_permanent() -> None:
    assert all(row.advice and row.source for row in TABLE)
    assert len({row.code.upper() for row in TABLE}) == len(TABLE)
    assert all(row.fault is Fault.NUMBER and row.final for row in TABLE if row.permanent)


def test_a_code_of_alibabas_own_that_the_table_lacks_is_still_alibabas() -> None:
    found = look_up("sp_something_new")
    assert found is not None
    assert not found.permanent
    assert look_up("SPAM") is None
    assert "EC:0012" not in meaning(Delivery.UNDELIVERED, "EC:0012")


def test_a_code_that_is_not_final_leaves_the_message_pending() -> None:
    """Whatever the status says; it's asked about again."""
    fields = {"To": "6581234567", "MessageId": "1", "Status": "2", "ErrorCode": "ENROUTE"}
    found = state_of(fields, Origin.RECEIPT, datetime(2026, 11, 24, tzinfo=UTC))
    assert (found["delivery"], found["delivery_code"]) == ("pending", None)


def test_the_page_for_operators_has_the_table() -> None:
    """Line by line, so that neither says what the other doesn't."""
    section = PAGE.read_text(encoding="utf-8").split("### Receipt codes\n", 1)[1].split("\n#", 1)[0]
    lines = re.findall(r"^\| `(.+?)` \| (\w+) \| (\w+) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert lines == [
        (row.code, "yes" if row.final else "no", "yes" if row.permanent else "no", row.fault.value, row.advice)
        for row in TABLE
    ]
