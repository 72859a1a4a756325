"""What can go wrong, as a tree; each class says whether anything may have been sent.

    GlobeSmsError                  the base: `except GlobeSmsError` catches all of ours
    ├── InputError                 a list, an option, a setting, a credential: nothing was sent        exit 2
    │   └── StoreRefusedError      a results place that cannot keep the promises: nothing was sent     exit 2
    ├── StoreError                 the results place refused: what it has already taken stands         exit 1
    │   ├── StoreUnavailableError  it did not answer; the same call may pass later                     exit 1
    │   └── ReceiptLostError       nor does this machine take a receipt: those numbers stay unknown    exit 1
    ├── CampaignBusyError          another run is sending this campaign: this one sent nothing         exit 1
    ├── LeaseLostError             another run has taken the campaign over: this one has stopped       exit 1
    ├── CampaignStoppedError       the campaign ended before its end; it can be resumed                exit 1
    └── TrackingStoppedError       the tracking ended before its end; what it learnt is kept           exit 1

A message says what was wrong, where, and what to do. None carries a secret or a whole phone number.
What the gateway answers is a value (`tasks.gateway`), never an exception.
"""

from globe_sms.tasks.vocabulary.masking import mask_written


class GlobeSmsError(Exception):
    """The base of every error that this project raises on purpose.

    A number that begins with a plus sign is masked in the message, wherever it came from: a path, a setting, a name.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(mask_written(message))


class InputError(GlobeSmsError):
    """The input or the configuration is wrong; nothing was sent."""


class StoreRefusedError(InputError):
    """The results place does not keep conditional writes; nothing was sent."""


class StoreError(GlobeSmsError):
    """The results place refused a call; what it has already taken stands."""


class StoreUnavailableError(StoreError):
    """The results place did not answer, or not in time; the same call may pass later."""


class SendRecordLostError(StoreError):
    """Neither the results place nor this machine takes a receipt; what became of its numbers stays unknown."""


class CampaignBusyError(GlobeSmsError):
    """Another run holds this campaign's lease; this run sent nothing."""


class LeaseLostError(GlobeSmsError):
    """Another run of this campaign holds the lease now; this run sends nothing more."""


class CampaignStoppedError(GlobeSmsError):
    """The campaign was stopped before its end. Running the same campaign id again goes on with the rest.

    `report` is the `tasks.reports.campaign_report.CampaignReport` of what was done until then.
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class TrackingStoppedError(GlobeSmsError):
    """The tracking was stopped before its end; what it learnt is kept, and running it again goes on with the rest.

    `outcome` is the `tasks.reports.tracking_outcome.TrackingOutcome` of what is known.
    """

    def __init__(self, message: str, outcome: object = None) -> None:
        super().__init__(message)
        self.outcome = outcome
