"""The share of the account's rate that is left unused, so that calls delayed on their way don't meet at the gateway."""

from collections.abc import Mapping
from typing import Final

from globe_sms.tasks.vocabulary.errors import InputError

MARGIN_VARIABLE: Final = "GLOBE_SMS_MARGIN"
USUAL_MARGIN: Final = 0.01
WIDEST_MARGIN: Final = 0.5


def margin_of(environ: Mapping[str, str]) -> float:
    """Return the margin that the environment sets, or the usual one.

    Raises:
        InputError: GLOBE_SMS_MARGIN isn't a share from 0 to 0.5.
    """
    text = environ.get(MARGIN_VARIABLE) or str(USUAL_MARGIN)
    try:
        margin = float(text)
    except ValueError:
        margin = -1.0
    if not 0.0 <= margin <= WIDEST_MARGIN:
        raise InputError(f"{MARGIN_VARIABLE}: {text!r} isn't a share of the rate: set it from 0 to {WIDEST_MARGIN}")
    return margin
