"""What a store's whole seconds tell of its clock."""

import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.store.store_clock import StoreClock

STORE = 1_800_000_000.0


class Machine:
    """A machine whose clock is off, and a store that tells whole seconds; both on one simulated time."""

    def __init__(self, off: float, *, seed: int = 1, round_trip: tuple[float, float] = (0.004, 0.012)) -> None:
        self.time = 0.37
        self._dice = random.Random(seed)
        self._round_trip = round_trip
        self.off = off
        self.clock = StoreClock(wall=lambda: STORE + self.time + self.off, monotonic=lambda: self.time)

    def ask(self, at: float | None = None) -> None:
        self.time = self.time if at is None else max(self.time, at)
        sent, out, back = self.time, *(self._dice.uniform(*self._round_trip) / 2 for _ in range(2))
        self.time += out + back
        self.clock.answered(formatdate(int(STORE + sent + out), usegmt=True), sent, self.time)

    def error(self) -> float:
        return self.clock.now() - (STORE + self.time)


@pytest.mark.parametrize("off", [-2.0, -0.31, 0.26, 1.7, 2.0])
@pytest.mark.parametrize("round_trip", [(0.002, 0.01), (0.04, 0.08)])
def test_a_clock_that_is_off_is_corrected_to_within_50_ms_over_a_minute(
    off: float, round_trip: tuple[float, float]
) -> None:
    """By a call a second, the two answers of its turn, and few questions besides."""
    machine, questions = Machine(off, round_trip=round_trip), 0
    for call in range(60):
        machine.ask(at=1.0101 * call)
        machine.ask()
        if (tick := machine.clock.next_tick()) is not None:
            machine.ask(at=tick)
            questions += 1
    assert abs(machine.error()) <= 0.05
    assert questions <= 20


def test_the_turns_of_a_busy_account_are_enough() -> None:
    machine = Machine(1.2)
    for call in range(120):
        machine.ask(at=0.507 * call)
        machine.ask()
    assert abs(machine.error()) <= 0.05


@given(off=st.floats(-3.0, 3.0), times=st.lists(st.floats(0.0, 3_600.0), min_size=1, max_size=40), seed=st.integers())
def test_the_store_s_time_is_always_within_what_is_known(off: float, times: list[float], seed: int) -> None:
    """The skew is never overstated, and the time never wrong by more than a second and the round trip."""
    machine = Machine(off, seed=seed)
    for at in sorted(times):
        machine.ask(at)
        skew = machine.clock.skew()
        assert skew == 0.0 or 0.0 < skew / off <= 1.0 + 1e-9
        assert abs(machine.error()) <= 1.02


def test_clocks_that_agree_with_the_store_are_used_as_they_are() -> None:
    """So the processes of one machine agree to the microsecond."""
    machine = Machine(0.0)
    for call in range(200):
        machine.ask(at=0.31 * call)
    assert machine.error() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("step", [-5.0, 0.8])
def test_a_machine_s_clock_that_is_set_during_a_run_moves_no_turn(step: float) -> None:
    machine = Machine(0.0)
    for call in range(200):
        machine.ask(at=0.31 * call)
    machine.off = step
    assert abs(machine.error()) <= 0.02


def test_a_store_s_clock_that_is_set_is_followed() -> None:
    """Other machines follow it too."""
    machine = Machine(0.0)
    machine.ask()
    sent = machine.time
    machine.clock.answered(formatdate(STORE + sent + 30.0, usegmt=True), sent, sent + 0.01)
    assert machine.error() >= 28.9


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Foo 2026 00:00:00 GMT"])
def test_an_answer_without_a_date_teaches_nothing(date: str | None) -> None:
    machine = Machine(2.5)
    machine.clock.answered(date, 0.0, 0.1)
    assert machine.error() == pytest.approx(2.5)
    assert (machine.clock.skew(), machine.clock.next_tick()) == (0.0, None)
