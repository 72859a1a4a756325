"""A list that came out too short, or of which most is invalid, sends nothing."""

from typing import Any

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.list_guards import broken_guards


def guards(rows: dict[str, int], hidden: int = 0, **options: Any) -> tuple[str, ...]:
    """The sentences for a plan with these rows."""
    campaign = {"recipients": "l.csv", "message": "Hi", "type": "NOTIFY", "results": "out"}
    return broken_guards(CampaignConfig.checked(**campaign, **options), rows, hidden=hidden)


@pytest.mark.parametrize(("numbers", "refused"), [(99, True), (100, False), (5_000, False)])
def test_a_list_that_came_out_too_short_is_refused_with_both_figures(numbers: int, *, refused: bool) -> None:
    found = guards({"sendable": numbers, "duplicate": 50}, min_recipients=100)
    assert len(found) == refused
    if refused:
        assert found[0].startswith("it has 99 numbers, but the minimum (--min-recipients) is 100")


@pytest.mark.parametrize(
    ("rows", "options", "refused"),
    [
        ({"sendable": 499, "invalid": 501}, {}, True),
        ({"sendable": 500, "invalid": 500}, {}, False),
        ({"sendable": 1, "invalid": 998}, {}, False),
        ({"sendable": 1, "invalid": 998}, {"max_invalid_rate": 0.9}, True),
        ({"sendable": 9, "invalid": 1}, {"max_invalid_rate": 0.1}, False),
        ({"sendable": 9, "invalid": 2}, {"max_invalid_rate": 0.1}, True),
        ({"sendable": 9, "invalid": 1}, {"max_invalid_rate": 0.0}, True),
        ({"invalid": 5_000}, {"max_invalid_rate": 1.0}, False),
        ({"sendable": 1, "duplicate": 5_000, "unsupported": 5_000, "suppressed": 5_000}, {}, False),
        ({}, {"max_invalid_rate": 0.0}, False),
    ],
)
def test_too_many_invalid_rows_are_refused(rows: dict[str, int], options: dict[str, float], *, refused: bool) -> None:
    """By default half of a list of a thousand rows or more; what is given holds for any list."""
    assert len(guards(rows, **options)) == refused


def test_hidden_rows_that_are_skipped_on_purpose_do_not_count() -> None:
    """Neither as invalid nor among all rows, so they don't make the share of the others smaller either."""
    assert guards({"sendable": 500, "invalid": 5_000}, hidden=4_500) == ()
    (said,) = guards({"sendable": 9, "invalid": 92}, hidden=90, max_invalid_rate=0.1)
    assert said.startswith("2 of 11 rows are invalid (18.2 %)")


def test_the_refusal_says_how_many_and_what_to_look_at() -> None:
    (said,) = guards({"sendable": 3, "invalid": 1_234})
    assert said.startswith("1,234 of 1,237 rows are invalid (99.8 %), more than the share of 0.5")
    assert "--max-invalid-rate" in said
    assert "default region" in said


def test_a_test_is_not_held_to_them() -> None:
    """Its own numbers say nothing about the lists."""
    assert guards({"sendable": 2}, min_recipients=100, max_invalid_rate=0.0, test_to=("+6591234567",)) == ()
