"""What can go wrong, as a tree; each class says whether anything may have been sent.

    GlobeSmsError              the base: `except GlobeSmsError` catches all of ours
    ├── InputError             a list, an option, a setting, a credential: nothing was sent        exit 2
    │   └── StoreRefusedError  a results place that cannot keep the promises: nothing was sent     exit 2
    ├── StoreError             the results place failed while it was used: what is recorded stands exit 1
    ├── LeaseLostError         another run of the campaign has taken over: this one has stopped    exit 1
    └── CampaignStoppedError   the campaign ended before its end; it can be resumed                exit 1

A message says what was wrong, where, and what to do. None carries a secret or a whole phone number.
What the gateway answers is a value (`tasks.gateway`), never an exception.
"""


class GlobeSmsError(Exception):
    """The base of every error that this project raises on purpose."""


class InputError(GlobeSmsError):
    """The input or the configuration is wrong; nothing was sent."""


class StoreRefusedError(InputError):
    """The results place does not keep conditional writes; nothing was sent."""


class StoreError(GlobeSmsError):
    """The results place did not answer, or refused; what it has already taken stands."""


class LeaseLostError(GlobeSmsError):
    """Another run of this campaign holds the lease now; this run sends nothing more."""


class CampaignStoppedError(GlobeSmsError):
    """The campaign was stopped before its end. Running the same campaign id again goes on with the rest."""
