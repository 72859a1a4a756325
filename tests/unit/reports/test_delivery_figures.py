"""The figures of the delivery report."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from globe_sms.tasks.delivery.delivery_states import Delivery
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.reports.delivery_figures import Deliveries, Durations, count_deliveries
from globe_sms.tasks.reports.delivery_rates import percent
from tests.unit.delivery.delivered_rows import SENT, results_of, row


def test_messages_are_counted_by_what_became_of_them() -> None:
    """Accepted rows only; one of which nothing is known is pending."""
    rows = [
        *[row("delivered", 5)] * 6,
        row("undelivered", 9),
        row("expired"),
        row("pending"),
        row(None),
        row(None, status="failed"),
        row(None, status="duplicate"),
    ]
    found = count_deliveries(results_of(rows)).total
    assert found == Deliveries(6, 1, 1, 2)
    assert found.rate == 0.75


def test_without_a_known_end_there_is_no_rate() -> None:
    """Neither 0 nor 100 %."""
    assert count_deliveries(results_of([row(None)])).total.rate is None
    assert count_deliveries(results_of([])).total == Deliveries()


def test_the_country_with_most_messages_comes_first() -> None:
    """Rows of numbers that belong to no country are kept apart."""
    rows = [row("delivered", 1, region="MY"), *[row("undelivered", region="SG")] * 3, *[row(None, region=None)] * 2]
    found = count_deliveries(results_of(rows)).countries
    assert [*found.items()] == [("SG", Deliveries(0, 3)), (None, Deliveries(pending=2)), ("MY", Deliveries(1))]


def test_hours_are_those_of_the_sending_in_order() -> None:
    """Whenever the delivery came."""
    later = SENT + timedelta(hours=2)
    rows = [row("delivered", 9_000, sent_at=later), row("delivered", 9_000), row("undelivered", 1)]
    found = count_deliveries(results_of(rows)).hours
    hour = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert [*found.items()] == [(hour, Deliveries(1, 1)), (hour + timedelta(hours=2), Deliveries(1))]


def test_percentiles_are_those_of_the_delivered_alone() -> None:
    """The nearest rank: so many seconds were enough for that share."""
    rows = [*(row("delivered", seconds) for seconds in range(1, 101)), *[row("undelivered", 5_000)] * 50]
    durations = count_deliveries(results_of(rows)).durations
    assert [durations.within(share) for share in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert durations.as_json() == {"median": 50, "p90": 90, "p99": 99}


def test_clocks_that_differ_make_no_negative_time() -> None:
    """A receipt's dates have whole seconds, and are another machine's."""
    assert count_deliveries(results_of([row("delivered", -3)])).durations == Durations((0,), (1,))


def test_a_delivery_without_a_date_counts_and_has_no_time() -> None:
    """An unreadable date is null."""
    found = count_deliveries(results_of([row("delivered"), row("delivered", 4)]))
    assert (found.total.delivered, found.durations.count) == (2, 1)


def test_codes_are_counted_by_delivery_the_most_frequent_first() -> None:
    """A code may stand for undelivered and for expired messages; no code is one too."""
    rows = [
        *[row("undelivered", delivery_code="A")] * 2,
        row("expired", delivery_code="A"),
        *[row("undelivered")] * 3,
        row("delivered", 1, delivery_code="DELIVERED"),
    ]
    failures = count_deliveries(results_of(rows)).failures
    assert [(code.delivery, code.code, code.messages) for code in failures] == [
        (Delivery.UNDELIVERED, None, 3),
        (Delivery.UNDELIVERED, "A", 2),
        (Delivery.EXPIRED, "A", 1),
    ]


def test_carriers_come_from_the_states() -> None:
    """Receipts name none."""
    states = pl.LazyFrame(
        {"carrier": ["Singtel", "Singtel", None], "delivery": ["delivered", "undelivered", "expired"]}
    )
    found = count_deliveries(results_of([row("delivered", 1)]), states).carriers
    assert [*found.items()] == [("Singtel", Deliveries(1, 1)), (None, Deliveries(expired=1))]


def test_rows_that_a_receipt_settled_are_counted() -> None:
    """They were unknown before."""
    assert count_deliveries(results_of([row("delivered", 1, settled_by="receipt"), row("delivered", 1)])).settled == 1


@pytest.mark.parametrize(
    ("share", "words"),
    [(1, "100 %"), (0, "0 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %"), (0.95, "95.0 %"), (0.8765, "87.6 %")],
)
def test_only_all_or_nothing_reads_so(share: float, words: str) -> None:
    """One failure in a million is not 100 %."""
    assert percent(share) == words


@pytest.mark.parametrize(
    ("delivery", "code", "words"),
    [
        (Delivery.DELIVERED, "success", "reached the phone"),
        (Delivery.DELIVERED, "DELIVERED", "reached the phone"),
        (Delivery.UNDELIVERED, "BLACK_KEY_CONTROL_LIMIT", "The sending API has a code of this name: The text contains"),
        (Delivery.UNDELIVERED, "EC:0012", "do not explain the code"),
        (Delivery.EXPIRED, None, "before its time was up"),
        (Delivery.EXPIRED, "success", "before its time was up"),
    ],
)
def test_a_code_is_explained_as_far_as_it_is_documented(delivery: Delivery, code: str | None, words: str) -> None:
    """Nothing is made up."""
    assert words in meaning(delivery, code)
