"""What wasn't delivered, by what it cost."""

from decimal import Decimal

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.reports.undelivered_cost import count_undelivered
from tests.unit.delivery.delivered_rows import results_of, row

ROWS = [
    *[row("undelivered", delivery_code="UNDELIV", phone_number="+6581234567", segments=2)] * 3,
    *[row("undelivered", delivery_code="REJECTD", phone_number="+60123456789", region="MY", segments=1)] * 4,
    row("expired", delivery_code=None, phone_number="+6581234567", segments=1),
    row("delivered", phone_number="+6581234567", segments=9),
    row("undelivered", status="unknown", segments=9),
]
PRICES = Prices("USD", {"SG": Decimal("0.05"), "MY": Decimal("0.01")}, {})


def test_the_most_expensive_comes_first_with_its_sender_and_advice() -> None:
    """Parts are paid for, delivered or not; only accepted messages count."""
    found = count_undelivered(results_of(ROWS), PRICES, Senders("Acme", {"MY": "AcmeMY"}))
    assert [
        (each.region, each.code, each.sender, each.messages, each.parts, str(each.amount)) for each in found.entries
    ] == [
        ("SG", "UNDELIV", "Acme", 3, 6, "0.30"),
        ("SG", None, "Acme", 1, 1, "0.05"),
        ("MY", "REJECTD", "AcmeMY", 4, 4, "0.04"),
    ]
    assert found.sentence() == (
        "What wasn't delivered cost 0.39 USD, or less: what expired before Alibaba handed it to a carrier is free."
    )
    table = found.table()
    assert table is not None
    assert "--exclude-undelivered" in table.rows[0][-1]
    assert "Register the sender ID" in table.rows[2][-1]


def test_without_prices_the_parts_are_counted() -> None:
    found = count_undelivered(results_of(ROWS), None, Senders())
    assert found.sentence() is None
    assert [each["cost"] for each in found.as_json()] == [None] * 3
    assert found.as_json()[0]["parts"] == 6


def test_where_everything_arrived_there_is_nothing_to_say() -> None:
    found = count_undelivered(results_of(ROWS[-2:]), PRICES, Senders())
    assert (found.sentence(), found.table(), found.as_json()) == (None, None, [])


def test_a_long_table_says_what_the_rest_cost() -> None:
    """The amounts of the table add up to the sentence's."""
    rows = [row("undelivered", delivery_code=f"C{code:02}", phone_number="+6581234567") for code in range(14)]
    found = count_undelivered(results_of([each | {"segments": 1} for each in rows]), PRICES, Senders())
    table = found.table()
    assert table is not None
    assert table.rows[-1] == ("2", "2", "0.10", "2 more", "", "", "")
    assert found.sentence() == "What wasn't delivered cost 0.70 USD."
