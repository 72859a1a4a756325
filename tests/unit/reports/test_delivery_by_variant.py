"""Whether variants differ by more than chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.reports.delivery_by_variant import comparisons, variant_blocks, variants_as_json
from globe_sms.tasks.reports.delivery_figures import Deliveries
from globe_sms.tasks.reports.page_blocks import Table
from globe_sms.tasks.reports.rate_intervals import difference_interval, wilson_interval

COUNTS = st.integers(0, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
)
def test_intervals_are_those_of_the_literature(successes: int, trials: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    assert [round(end, 4) for end in wilson_interval(successes, trials)] == [low, high]


def test_the_difference_s_interval_is_that_of_the_literature() -> None:
    """Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: 56/70 less 48/80."""
    assert [round(end, 4) for end in difference_interval((56, 70), (48, 80))] == [0.0524, 0.3339]


@given(COUNTS, COUNTS)
def test_intervals_hold_what_was_seen_and_stay_between_the_ends(one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = wilson_interval(*one)
    assert 0 <= low <= (one[0] / one[1] if one[1] else 0.5) <= high <= 1
    low, high = difference_interval(one, other)
    back = difference_interval(other, one)
    assert -1 <= low <= high <= 1
    assert (low, high) == pytest.approx((-back[1], -back[0]))


def test_each_variant_is_compared_with_the_first() -> None:
    variants = {"A": Deliveries(900, 100), "B": Deliveries(950, 40, 10, 7), "C": Deliveries(905, 95), "D": Deliveries()}
    assert comparisons(variants) == [
        "B was delivered more often than A: +2.7 to +7.3 percentage points, with 95 % confidence.",
        "C and A may differ by chance alone: -2.1 to +3.1 percentage points, with 95 % confidence.",
    ]
    table, *said = variant_blocks(variants)
    assert isinstance(table, Table)
    assert table.rows[1] == ("950", "50", "7", "95.0 %", "93.5 % to 96.2 %", "B")
    assert table.rows[3] == ("0", "0", "0", "-", "-", "D")
    assert len(said) == 2
    assert variants_as_json(variants)[0]["interval"] == [0.8798, 0.9171]
