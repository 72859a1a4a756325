"""A stretch of sending: two campaigns never send the same text to the same people at once.

A campaign enters `sending.json`, waits for those ahead of it that send one of its texts to one of its numbers, and then
looks who has been texted. Whichever of two comes second sees all that the first has claimed. Nobody waits in a circle,
because a campaign waits only for those that entered before it.
"""

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.sending_now import SendingNow, Stretch
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.repeats.earlier_campaigns import planned_campaign
from globe_sms.tasks.repeats.find_repeats import RepeatFinder
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_LOOK_AGAIN_SECONDS: Final = 1.0


class SameTextAtOnce:
    """Keeps a campaign from sending a text to people who get it from another campaign at the same time.

    Args:
        place: The results folder.
        campaign: The campaign that sends.
        texts: What its texts have in common.
        sending: The campaigns that send now.
        stop: Ends the waiting.
    """

    def __init__(self, place: Store, campaign: str, texts: TextPattern, sending: SendingNow, stop: StopSignal) -> None:
        self._place = place
        self._campaign = campaign
        self._texts = texts
        self._sending = sending
        self._stop = stop

    @contextlib.contextmanager
    def stretch(self) -> Generator[Stretch]:
        """Have a place among the campaigns that send now. One that isn't given back counts as long as the lease.

        Raises:
            InputError, StoreError: as `SendingNow.enter`.
        """
        ours = self._sending.enter(self._campaign, self._texts)
        try:
            yield ours
        finally:
            with contextlib.suppress(StoreError, InputError):
                self._sending.leave()

    def wait(
        self, ours: Stretch, finder: RepeatFinder, rows: pl.LazyFrame, folder: Path, say: Callable[[str], None]
    ) -> None:
        """Wait for the campaigns ahead of this one that send one of its texts to one of its numbers, or for the stop.

        Args:
            ours: This campaign's place.
            finder: Compares plans.
            rows: What this campaign is about to send, as in `RepeatFinder.find`.
            folder: A local folder with room for a plan.
            say: Is told which campaign is waited for, once each.

        Raises:
            InputError, StoreError: it isn't known who sends now.
        """
        shares: dict[int, bool] = {}
        said: set[int] = set()
        while (ahead := self._next_ahead(ours, finder, rows, folder, shares)) is not None:
            if ahead.number not in said:
                said.add(ahead.number)
                say(f"waiting for campaign {ahead.campaign!r}, which is sending the same text to the same people")
            if self._stop.wait(_LOOK_AGAIN_SECONDS):
                return

    def _next_ahead(
        self, ours: Stretch, finder: RepeatFinder, rows: pl.LazyFrame, folder: Path, shares: dict[int, bool]
    ) -> Stretch | None:
        for each in self._sending.read().stretches:
            if each.number >= ours.number or not each.texts.may_equal(self._texts):
                continue
            if shares.get(each.number) is False or not self._sending.is_alive(each):
                continue
            if each.number not in shares:
                other = planned_campaign(self._place, each.campaign)
                shares[each.number] = other is not None and finder.shares_with(rows, other, folder)
            if shares[each.number]:
                return each
        return None
