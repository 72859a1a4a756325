"""Nobody gets the same text twice: what a run of a campaign asks before it plans, and before each stretch of sending.

Of two campaigns that send one text to one number at the same time, the second waits. A campaign enters `sending.json`,
waits for those ahead of it that send one of its texts to one of its numbers, and then looks who has been texted: it
sees all that they have claimed. Nobody waits in a circle, because a campaign waits only for those that entered first.
"""

import contextlib
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.sending_now import Reservation, SendingDocument, SendingNow, Stretch
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.planning.left_out import named_after_content
from globe_sms.tasks.repeats.earlier_campaigns import planned_campaign
from globe_sms.tasks.repeats.find_repeats import RepeatFinder
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_LOOK_AGAIN_SECONDS: Final = 1.0


class Repeats:
    """Who already has the text of a campaign, and who is getting it now from another one.

    Args:
        place: The results folder.
        campaign: The campaign that sends.
        texts: What its texts have in common.
        seconds: How long nobody gets the same text again; 0 if that doesn't matter. Other campaigns see this one
            either way.
        sending: The campaigns that send now.
        stop: Ends the waiting.
        folder: A local folder with room for a plan; it must stay as long as the files are used.
    """

    def __init__(
        self,
        place: Store,
        campaign: str,
        texts: TextPattern,
        seconds: float,
        *,
        sending: SendingNow,
        stop: StopSignal,
        folder: Path,
    ) -> None:
        self._place = place
        self._campaign = campaign
        self._texts = texts
        self._sending = sending
        self._stop = stop
        self._folder = folder
        self._seconds = seconds
        self._finder = self._make_finder()
        self._files: tuple[Path, ...] = ()
        self._looked_in_stretch: bool | None = None  # None between stretches
        self._unchanged_at: int | None = None  # nobody has sent since the last look if this is still the next number

    def use(self, seconds: float) -> None:
        """Take another time in which nobody gets the same text again, from the next look on."""
        if seconds == self._seconds:
            return
        self._seconds = seconds
        self._finder = self._make_finder()
        self._files, self._unchanged_at = (), None
        if self._looked_in_stretch:
            self._looked_in_stretch = False

    def find(self, rows: pl.LazyFrame, folder: Path) -> tuple[Path, ...]:
        """Write which of these rows already have the text; see `RepeatFinder.find`. For rows that aren't planned yet.

        Raises:
            InputError, StoreError: it's unknown who has the text.
        """
        if self._finder is None:
            return ()
        self._note_who_sends(self._sending.read())
        self._files = ()
        return self._finder.find(rows, folder)

    def files(self, rows: pl.LazyFrame) -> tuple[Path, ...]:
        """Return files for `leave_out`: which of these rows have got the text since they were planned.

        Nothing is read again, and the same files are returned, if nobody has entered `sending.json` since the last
        look, or after a look in this stretch: those who enter now wait.

        Raises:
            InputError, StoreError: it's unknown who has the text.
        """
        if self._finder is None or self._looked_in_stretch:
            return self._files
        document = self._sending.read()
        if document.next != self._unchanged_at:
            self._note_who_sends(document)
            found = self._finder.find(rows, self._folder)
            self._files = tuple(named_after_content(each) for each in found)
        if self._looked_in_stretch is not None:
            self._looked_in_stretch = True
        return self._files

    @contextlib.contextmanager
    def stretch(
        self,
        rows: pl.LazyFrame,
        say: Callable[[str], None],
        *,
        has_ended: Callable[[], bool] = lambda: False,
        reserve: Callable[[Sequence[Stretch]], Reservation] | None = None,
    ) -> Generator[None]:
        """Wait for campaigns ahead that send one of these texts to one of these numbers; send in the body.

        The wait is over early if the run is stopped or the campaign's end has come. Afterwards `files` looks
        again. A place that isn't given back, because the run was killed, counts as long as its campaign's lease.

        Args:
            rows: What is about to be sent, as in `RepeatFinder.find`.
            say: Is told which campaign is waited for, once each.
            has_ended: Whether the campaign's end has come.
            reserve: What it may use of the policy's budgets; see `SendingNow.enter`.

        Raises:
            InputError: too little is left of the budgets.
            InputError, StoreError: it's unknown who sends now.
        """
        entered = self._sending.enter(self._campaign, self._texts, reserve)
        is_known = self._unchanged_at == entered.stretches[-1].number  # nobody has entered since the last look
        if is_known:
            self._unchanged_at = entered.next
        try:
            if self._finder is not None:
                self._wait(entered, self._finder, rows, say, has_ended)
            self._looked_in_stretch = is_known
            yield
        finally:
            self._looked_in_stretch = None
            with contextlib.suppress(StoreError, InputError):
                self._sending.leave()

    def _make_finder(self) -> RepeatFinder | None:
        return RepeatFinder(self._place, self._campaign, self._texts, self._seconds) if self._seconds else None

    def _note_who_sends(self, document: SendingDocument) -> None:
        others = any(each.campaign != self._campaign for each in document.stretches)
        self._unchanged_at = None if others else document.next

    def _wait(
        self,
        entered: SendingDocument,
        finder: RepeatFinder,
        rows: pl.LazyFrame,
        say: Callable[[str], None],
        has_ended: Callable[[], bool],
    ) -> None:
        shares: dict[int, bool] = {}
        said: set[int] = set()
        *others, ours = entered.stretches
        while (ahead := self._next_ahead(others, ours, finder, rows, shares)) is not None:
            if ahead.number not in said:
                said.add(ahead.number)
                say(f"waiting for campaign {ahead.campaign}, which is sending the same text to the same people")
            if self._stop.wait(_LOOK_AGAIN_SECONDS) or has_ended():
                return
            others = self._sending.read().stretches

    def _next_ahead(
        self,
        others: Sequence[Stretch],
        ours: Stretch,
        finder: RepeatFinder,
        rows: pl.LazyFrame,
        shares: dict[int, bool],
    ) -> Stretch | None:
        """Return the first campaign that must be waited for; `shares` keeps which ones have our texts and numbers."""
        for each in others:
            if each.number >= ours.number or not each.texts.may_equal(self._texts):
                continue
            if shares.get(each.number) is False or not self._sending.is_alive(each):
                continue
            if each.number not in shares:
                other = planned_campaign(self._place, each.campaign)
                shares[each.number] = other is not None and finder.shares_with(rows, other, self._folder)
            if shares[each.number]:
                return each
        return None
