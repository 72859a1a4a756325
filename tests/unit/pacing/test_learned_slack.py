"""The law of the slack: quickly up, slowly down, and always within its bounds."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.pacing.learned_slack import LARGEST_STEP, LearnedSlack, widest_slack

FLOOR = 1 / 0.99 - 1
RATES = st.sampled_from([0.01, 0.5, 1.0, 2.0, 20.0, 100.0, 300.0])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("calls"), st.integers(1, 200)),
        st.tuples(st.just("throttled"), st.integers(1, 200)),
        st.tuples(st.just("wait"), st.integers(0, 100_000)),
    ),
    max_size=60,
)


@given(rate=RATES, floor=st.sampled_from([0.0, FLOOR, 0.047, 1.0]), steps=STEPS)
def test_slack_grows_only_when_throttled_shrinks_only_by_calls_and_stays_in_bounds(
    rate: float, floor: float, steps: list[tuple[str, int]]
) -> None:
    """Waiting changes nothing: what a run has learned holds for the next one, however much later it starts."""
    learned, now = LearnedSlack(), 1_000.0
    for kind, size in steps:
        before = learned.in_force(floor, rate)
        if kind == "calls":
            rested = learned.rest
            learned = learned.after_calls(size, floor, rate)
            if not rested and not learned.rest:
                assert before * (1 - 1 / 85) ** size - 1e-9 <= max(floor, learned.share)
                assert learned.in_force(floor, rate) <= before
        elif kind == "throttled":
            learned = learned.after_throttling(size, now, floor, rate)
            counted = max(2, rate // 10)
            assert before <= learned.in_force(floor, rate) <= before + counted * LARGEST_STEP + 1e-9
        else:
            now += size / 100
        assert floor <= learned.in_force(floor, rate) <= max(floor, widest_slack(rate))


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_two_throttled_calls_of_a_new_account_make_room_for_60_ms(rate: float) -> None:
    learned = LearnedSlack().after_calls(3, FLOOR, rate).after_throttling(1, 10.0, FLOOR, rate)
    assert learned.after_throttling(1, 13.0, FLOOR, rate).in_force(FLOOR, rate) >= 0.06


def test_calls_throttled_together_count_as_a_tenth_of_a_second_at_most() -> None:
    """A process that stood still has 100 calls throttled at once, and no slack would have helped."""
    learned = LearnedSlack(calls=1e6)
    together = learned.after_throttling(100, 10.0, FLOOR, 100.0)
    assert together == learned.after_throttling(10, 10.0, FLOOR, 100.0)
    assert together.after_throttling(50, 10.9, FLOOR, 100.0) == together


@settings(max_examples=12)
@given(share=st.floats(0.006, 0.08), rate=st.sampled_from([1.0, 2.0]))
def test_a_steady_share_of_throttled_calls_leads_to_three_times_as_much_slack(share: float, rate: float) -> None:
    learned = LearnedSlack()
    slacks: list[float] = []
    due = 0.0
    for call in range(4_000):
        learned = learned.after_calls(1, 0.0, rate)
        due += share * (1.0 if learned.in_force(0.0, rate) else 9.0)
        if due >= 1.0:
            due -= 1.0
            learned = learned.after_throttling(1, call * 1.0, 0.0, rate)
        if not learned.rest:  # at rest it looks again how many are throttled without slack
            slacks.append(learned.in_force(0.0, rate))
    last = list(itertools.islice(slacks, 2_000, None))
    assert sum(last) / len(last) == pytest.approx(min(3.0 * share, widest_slack(rate)), rel=0.15)


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_slack_that_changes_nothing_is_given_up_and_tried_again_later(rate: float) -> None:
    """3 % of the calls are throttled whatever the slack: each try costs some hundred calls a few percent."""
    learned, dice = LearnedSlack(), random.Random(1)
    slacks: list[float] = []
    for call in range(6_000):
        learned = learned.after_calls(1, FLOOR, rate)
        if dice.random() < 0.03:
            learned = learned.after_throttling(1, call / rate, FLOOR, rate)
        slacks.append(learned.in_force(FLOOR, rate))
    assert sum(slacks[1_000:]) / 5_000 <= 0.03
    assert max(slacks[3_000:]) > 0.02


def test_an_account_at_rest_leaves_the_floor_once_slack_is_seen_to_help() -> None:
    """A first comparison of few calls can be wrong; the calls at the floor correct it."""
    dice = random.Random(3)
    learned = LearnedSlack(share=0.06, rest=800.0, wide_calls=100.0, wide_slack=5.0, floor_calls=5.0)
    for call in range(100):
        learned = learned.after_calls(1, FLOOR, 1.0)
        if not learned.rest:
            break
        if dice.random() < 0.3:
            learned = learned.after_throttling(1, float(call), FLOOR, 1.0)
    assert learned.in_force(FLOOR, 1.0) >= 0.05


def test_calls_that_are_slowed_down_dont_count_as_calls_at_the_floor() -> None:
    """They are throttled less than calls that are as close as the floor allows, so slack would seem useless."""
    resting = LearnedSlack(share=0.06, rest=800.0, wide_calls=100.0, wide_slack=5.0, floor_calls=5.0)
    slowed = resting.after_calls(50, FLOOR, 1.0, slowed=True)
    assert (slowed.floor_calls, slowed.wide_calls) == (5.0, 100.0)
    assert resting.after_calls(50, FLOOR, 1.0).floor_calls > 50.0


def test_what_slack_cost_is_at_most_the_time_that_was_lost() -> None:
    """A run that waits only for late calls loses less than its slack, and slack pays sooner."""
    learned = LearnedSlack(share=0.1)
    assert learned.after_calls(10, FLOOR, 1.0, waited=1, cost=0.2).wide_slack == pytest.approx(0.2)
    assert learned.after_calls(10, FLOOR, 1.0, waited=1, cost=9.0).wide_slack == pytest.approx(0.9, abs=0.02)


def test_a_rest_ends_only_when_slack_saves_nearly_all_of_its_cost() -> None:
    """A third of it, by which rests begin, is soon reached by chance."""
    at_floor = LearnedSlack(share=0.1, floor_calls=90.0, floor_throttled=5.0, wide_calls=100.0, wide_slack=10.0)
    assert not at_floor.is_useless
    assert replace(at_floor, rest=700.0).is_useless
    assert not replace(at_floor, rest=700.0, floor_throttled=9.0).is_useless


def test_a_limit_of_many_calls_a_second_is_never_hidden_by_slack() -> None:
    """A limit set 10 % too high at 50 calls a second still shows: as throttled calls that slack doesn't end."""
    assert widest_slack(1.0) == widest_slack(0.01) == widest_slack(2.0) == 0.25
    assert widest_slack(50.0) <= 0.05
