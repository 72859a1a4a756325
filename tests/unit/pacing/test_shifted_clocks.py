"""Several machines whose clocks differ, on a simulated time: their turns follow the store's clock."""

import heapq
import itertools
import random
from email.utils import formatdate
from pathlib import Path

import pytest

from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.store import LocalStore, Stored
from globe_sms.tasks.store.store_clock import StoreClock

STORE = 1_800_000_000.0
LEAD = 0.4


class DatedStore(LocalStore):
    """A store whose answers take some milliseconds and tell whole seconds, seen from a machine whose clock is off."""

    def __init__(self, folder: Path, now: list[float], off: float) -> None:
        super().__init__(folder)
        self._now, self._dice = now, random.Random(off)
        self._clock = StoreClock(wall=lambda: STORE + now[0] + off, monotonic=lambda: now[0])

    @property
    def clock(self) -> StoreClock:
        """The store's clock, as this machine knows it."""
        return self._clock

    def get(self, key: str) -> Stored | None:
        self._answer()
        return super().get(key)

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        self._answer()
        return super().compare_and_swap(key, body, version)

    def _answer(self) -> None:
        sent = self._now[0]
        handled = sent + self._dice.uniform(0.002, 0.01)
        self._now[0] = received = handled + self._dice.uniform(0.002, 0.01)
        self._clock.answered(formatdate(int(STORE + handled), usegmt=True), sent, received)


def departures(folder: Path, offs: list[float], rate: float, seconds: float) -> list[float]:
    """Return when the calls of some machines leave, each taking its turns as the pacer does."""
    now = [0.0]
    runs = [Schedule(DatedStore(folder, now, off), "account", rate) for off in offs]
    left: list[float] = []
    due = [(0.01 * index, index) for index in range(len(runs))]
    while due:
        now[0], index = max(now[0], due[0][0]), due[0][1]
        heapq.heappop(due)
        run = runs[index]
        turn = run.reserve(1, run.clock() + LEAD).first - (run.clock() - now[0])
        tick = run.next_tick()
        if tick is not None and now[0] < tick < turn - LEAD - 0.2:
            now[0], before = tick, now[0]
            run.ask_time()
            now[0] = before  # the other machines' time goes on meanwhile
        left.append(turn)
        if turn < seconds:
            heapq.heappush(due, (turn - LEAD, index))
    return sorted(left)


@pytest.mark.parametrize("offs", [[0.0, 0.0], [-2.0, 0.0, 1.9], [0.3, -0.4, 0.9, -1.1]])
def test_clocks_that_differ_by_seconds_cost_no_turn_once_they_are_known(tmp_path: Path, offs: list[float]) -> None:
    """After half a minute calls leave as far apart as from one machine, to some hundredths of a second."""
    late = [at for at in departures(tmp_path, offs, 1.0, 90.0) if 30.0 <= at <= 90.0]
    gaps = [after - before for before, after in itertools.pairwise(late)]
    assert len(late) >= 58
    assert min(gaps) >= 0.95
    assert max(gaps) <= 1.07
