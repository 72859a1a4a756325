"""What to press on a run's page in Prefect's UI, and messages that say so instead of "run the same command again"."""

import re
from typing import Final

_MENU: Final = "the menu with three dots at the top right"
RESUME: Final = (
    f"on this run's page open {_MENU}, choose Resume, then choose approve or decline, enter your name and press Resume"
)
GO_ON: Final = f"on this run's page open {_MENU} and choose Resume"
RETRY: Final = f"press Retry on this run's page (in {_MENU})"
CANCEL: Final = f"press Cancel on this run's page (in {_MENU})"
COPY: Final = f"choose Copy to new run on this run's page (in {_MENU}), and start it"

_AGAIN: Final = re.compile(
    r"\b([Rr])un (?:the same command|the same campaign|the campaign|this campaign|it) again"
    r"(?P<changed>(?=,? (?:with(?:out)?|and resend)\b))?"
)
_RESEND: Final = re.compile(r"run the same campaign again and resend unknown rows \(--on-unknown resend\)")
_DRY: Final = re.compile(r"run the campaign again without (?:the dry run|it) \(--dry-run\)")
_TRACK: Final = re.compile(r"\(globe-sms track[^)]*\)")
_CTRL_C: Final = ", Ctrl-C again ends them now"
_COMMAND: Final = re.compile(r"\bThe same command (?=continues\b)")


def in_button_words(message: str) -> str:
    """Say what to press where the message says to run the campaign again.

    Retry keeps the parameters; where one of them is to be changed, the run must be copied.
    """
    said = _RESEND.sub("run the deployment resend-unknown for it", message).replace(_CTRL_C, "")
    said = _AGAIN.sub(_button, _DRY.sub("run the deployment manual with the same campaign ID and no dry run", said))
    said = _TRACK.sub("(run the deployment hourly, of the flow track-delivery)", said)
    return _COMMAND.sub("Retry (in the menu with three dots) ", said)


def _button(found: re.Match[str]) -> str:
    said = RETRY if found["changed"] is None else COPY
    return said[0].upper() + said[1:] if found[1] == "R" else said
