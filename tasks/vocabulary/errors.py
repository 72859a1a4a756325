"""The errors that globe-sms raises on purpose; each says whether anything may have been sent.

    GlobeSmsError                  base class: `except GlobeSmsError` catches all of them
    ├── InputError                 wrong list, option, setting or credential: nothing was sent         exit 2
    │   └── StoreRefusedError      the results folder can't keep the promises: nothing was sent        exit 2
    ├── StoreError                 the results folder refused; what it already holds stays valid       exit 1
    │   ├── StoreUnavailableError  it didn't answer; the same call may succeed later                   exit 1
    │   └── SendRecordLostError    a send record couldn't be kept anywhere: its numbers stay unknown   exit 1
    ├── CampaignBusyError          another run is sending this campaign; this one sent nothing         exit 1
    ├── LeaseLostError             another run took the campaign over; this one has stopped            exit 1
    ├── AllFailedError             the gateway refused every number that it was given                  exit 1
    ├── CampaignStoppedError       the campaign stopped early; it can be resumed                       exit 1
    └── TrackingStoppedError       the tracking stopped early; what it learned is kept                 exit 1

A message says what is wrong, where, and what to do. It never holds a secret or a whole phone number.
The gateway's answers are values (`tasks.gateway`), never exceptions.
"""

from contextlib import ContextDecorator
from types import TracebackType

from globe_sms.tasks.vocabulary.masking import mask_written


class GlobeSmsError(Exception):
    """The base class of every error that globe-sms raises on purpose.

    Numbers with a plus sign are masked in the message, wherever they come from: a path, a setting, a name. `option` is
    the option whose value is wrong, such as `--suppress` (`recipients` for the lists); empty if the message begins with
    it, or if it's about none.
    """

    def __init__(self, message: str = "", *, option: str = "") -> None:
        super().__init__(mask_written(message))
        self.option = option

    def with_option(self) -> str:
        """Return the message after the option that it's about, for forms: people look for the field."""
        said = str(self)
        return said if not self.option or said.startswith(("--", "recipients:")) else f"{self.option}: {said}"


class InputError(GlobeSmsError):
    """The input or the configuration is wrong; nothing was sent."""


class StoreRefusedError(InputError):
    """The results folder doesn't honor conditional writes; nothing was sent."""


class StoreError(GlobeSmsError):
    """The results folder refused a call; what it already holds stays valid."""


class StoreUnavailableError(StoreError):
    """The results folder didn't answer in time; the same call may succeed later."""


class SendRecordLostError(StoreError):
    """Neither the results folder nor this machine could keep a send record; its numbers stay unknown."""


class CampaignBusyError(GlobeSmsError):
    """Another run holds this campaign's lease; this run sent nothing."""


class LeaseLostError(GlobeSmsError):
    """Another run now holds this campaign's lease; this run sends nothing more."""


class AllFailedError(GlobeSmsError):
    """The campaign finished, but the gateway refused every number that it was given.

    `report` is the `tasks.reports.campaign_report.CampaignReport`.
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class CampaignStoppedError(GlobeSmsError):
    """The campaign stopped early; run the same campaign id again to send the rest.

    `report` is the `tasks.reports.campaign_report.CampaignReport` so far.
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class TrackingStoppedError(GlobeSmsError):
    """The tracking stopped early; what it learned is kept, and running it again continues with the rest.

    `outcome` is the `tasks.reports.tracking_outcome.TrackingOutcome` so far.
    """

    def __init__(self, message: str, outcome: object = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class about(ContextDecorator):  # noqa: N801  # reads as a preposition: `with about("--prices"):`
    """Note in each InputError or StoreError that leaves the block, or the decorated function, which option it's about.

    The innermost block counts.
    """

    def __init__(self, option: str) -> None:
        self._option = option

    def __enter__(self) -> None:
        """Start the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the exception through, with the option."""
        if isinstance(error, InputError | StoreError) and not error.option:
            error.option = self._option
