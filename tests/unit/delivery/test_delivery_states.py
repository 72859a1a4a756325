"""One QueryMessage answer or delivery receipt, read."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin, state_of

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_RECEIPT = {
    "To": "85211112222",
    "SendDate": "Thu, 25 Nov 2021 10:25:00 +0800",
    "ReceiveDate": "Thu, 25 Nov 2021 10:25:33 +0800",
    "Status": "1",
    "ErrorCode": "success",
    "ErrorDescription": "success",
    "TaskId": "spring-12-1",
    "SmsSize": "2",
    "MessageId": "1234500001111",
}


def test_a_receipt_as_the_documents_show_it() -> None:
    """Every field is read; dates are in UTC."""
    assert state_of(_RECEIPT, Origin.RECEIPT, _NOW) == {
        "message_id": "1234500001111",
        "phone_number": "+85211112222",
        "task_id": "spring-12-1",
        "delivery": "delivered",
        "delivery_code": "success",
        "delivered_at": datetime(2021, 11, 25, 2, 25, 33, tzinfo=UTC),
        "submitted_at": datetime(2021, 11, 25, 2, 25, tzinfo=UTC),
        "parts": 2,
        "carrier": None,
        "origin": "receipt",
        "seen_at": _NOW,
    }


@pytest.mark.parametrize(
    ("status", "delivery"),
    [("1", "delivered"), ("2", "undelivered"), ("3", "pending"), ("6", "expired"), (2, "undelivered")],
)
def test_each_status_of_the_documents(status: object, delivery: str) -> None:
    """1, 2 and 3 from QueryMessage, 6 from receipts, as text or as a number."""
    assert state_of({**_RECEIPT, "Status": status}, Origin.QUERY, _NOW)["delivery"] == delivery


def test_a_pending_message_has_no_code_and_no_final_time() -> None:
    """QueryMessage may return both for a message that is still being sent."""
    found = state_of({**_RECEIPT, "Status": "3"}, Origin.QUERY, _NOW)
    assert (found["delivery_code"], found["delivered_at"]) == (None, None)


@pytest.mark.parametrize(
    "change",
    [{"To": ""}, {"To": "6581234x"}, {"To": None}, {"MessageId": ""}, {"Status": "4"}, {"Status": None}],
)
def test_an_incomplete_state_is_an_error_without_its_values(change: dict[str, object]) -> None:
    """The message names the field, never the number."""
    with pytest.raises(ValueError, match=f"^{next(iter(change))} ") as refused:
        state_of({**_RECEIPT, **change}, Origin.RECEIPT, _NOW)
    assert "8521111" not in str(refused.value)


@given(
    st.dictionaries(st.sampled_from([*_RECEIPT, "NumberDetail"]), st.text() | st.integers() | st.none() | st.floats())
)
def test_any_fields_are_a_state_or_a_refusal(fields: dict[str, object]) -> None:
    """Any receipt gives a row that fits the schema, or a ValueError."""
    try:
        found = state_of({**_RECEIPT, **fields}, Origin.RECEIPT, _NOW)
    except ValueError:
        return
    assert pl.DataFrame([found], schema=STATE_SCHEMA).height == 1


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2017-06-01 10:00:00", datetime(2017, 6, 1, 2, tzinfo=UTC)),
        ("2017-06-01T10:00:00+00:00", datetime(2017, 6, 1, 10, tzinfo=UTC)),
        ("Thu, 25 Nov 2021 10:25:00", datetime(2021, 11, 25, 2, 25, tzinfo=UTC)),
        ("Thu, 25 Nov 2021 10:25:00 +0000", datetime(2021, 11, 25, 10, 25, tzinfo=UTC)),
        ("2017-13-01 10:00:00", None),
        ("soon", None),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_a_date_without_a_zone_is_beijings(written: str, instant: datetime | None) -> None:
    """GlobeSmsReport writes such dates; one that can't be read is null."""
    assert state_of({**_RECEIPT, "SendDate": written}, Origin.RECEIPT, _NOW)["submitted_at"] == instant
