"""When a chunk's recipients may be texted: in their hours, and before the campaign's end (`--until`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.until import Until
from globe_sms.tasks.gateway import LONGEST_VALIDITY
from globe_sms.tasks.sending.validity_period import TooLateError, validity_period

_LONGEST_OPEN: Final = LONGEST_VALIDITY + 3_600.0  # hours that end later limit no text, however late its call is


class OutsideHoursError(Exception):
    """The chunk's recipients may not be texted now; `record` is its send record, if it was claimed."""

    def __init__(self, record: SendRecord | None = None) -> None:
        super().__init__("outside the hours of the chunk's time zones")
        self.record = record


class ExpiredError(Exception):
    """The campaign's end (`--until`) has come for the chunk's recipients."""


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """The hours of a chunk's time zones, None for around the clock; `end` is Unix time, infinite without an end."""

    hours: Hours | None
    zones: Sequence[str]
    end: float

    @classmethod
    def of(cls, hours: Hours | None, until: Until, zones: Sequence[str]) -> Self:
        """Return the window of recipients in these time zones."""
        return cls(hours, zones, until.end(zones))

    def check(self, at: float) -> None:
        """Check that recipients may be texted at this Unix time.

        Raises:
            ExpiredError: the campaign's end has come.
            OutsideHoursError: it's outside their hours.
        """
        if at >= self.end:
            raise ExpiredError
        if self.hours is not None and not self.hours.is_open(self.zones, at):
            raise OutsideHoursError

    def closes(self, at: float) -> float:
        """Return until when the texts of a call at `at` may be handed on; infinite if nothing limits them."""
        if self.hours is None:
            return self.end
        return min(self.end, self.hours.next_closed(self.zones, at, at + _LONGEST_OPEN))

    def validity(self, closes: float, at: float, longest: int | None) -> int | None:
        """Return the ValidityPeriod of a call at `at`, whose texts may be handed on until `closes`.

        Raises:
            ExpiredError, OutsideHoursError: too little time is left for one.
        """
        try:
            return validity_period(closes, at, longest)
        except TooLateError:
            raise (ExpiredError if closes == self.end else OutsideHoursError) from None
