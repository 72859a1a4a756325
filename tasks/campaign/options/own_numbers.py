"""The values of `--test-to`: the operator's own numbers, or the URI of one list of them."""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr

from globe_sms.tasks.campaign.options.checks import check_format

OPTION: Final = "--test-to"
_NUMBER: Final = re.compile(r"[+\d\s().-]*\d[\d\s().-]*")


def is_number(text: str) -> bool:
    """Whether this is a phone number and not the URI of a list."""
    return _NUMBER.fullmatch(text) is not None


def check_own(given: Sequence[SecretStr]) -> None:
    """Check that these are own numbers, or the URI of one list of them.

    Raises:
        ValueError: they are something else, perhaps a recipient list after the option.
    """
    places = [each.get_secret_value() for each in given if not is_number(each.get_secret_value())]
    if any(not place.strip() for place in places):
        raise ValueError("a number is blank; give your own numbers, or where a list of them is")
    if len(places) > 1 or (places and len(places) < len(given)):
        raise ValueError(
            f"{mask_place(places[-1])} isn't a phone number: give your own numbers, or where one list of them is; "
            "recipient lists go before the options"
        )
    if places:
        check_format(places[0])


def mask_place(text: str) -> str:
    """Return the text with all but its last four digits masked."""
    return re.sub(r"\d(?=(?:\D*\d){4})", "•", text)
