"""What may stand behind `--test-to`: the operator's own numbers, or the place of one list of them."""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr

OPTION: Final = "--test-to"
_NUMBER: Final = re.compile(r"[+\d\s().-]*\d[\d\s().-]*")


def is_number(text: str) -> bool:
    """Whether somebody wrote a phone number here, and not where a list is."""
    return _NUMBER.fullmatch(text) is not None


def check_own(given: Sequence[SecretStr]) -> None:
    """Let pass what names own numbers: numbers, or where one list of them is.

    Raises:
        ValueError: it is something else; perhaps a recipient list that stands behind the option.
    """
    places = [each.get_secret_value() for each in given if not is_number(each.get_secret_value())]
    if any(not place.strip() for place in places):
        raise ValueError("a number is blank; give your own numbers, or where a list of them is")
    if len(places) > 1 or (places and len(places) < len(given)):
        raise ValueError(
            f"{mask_place(places[-1])} is no phone number: give your own numbers, or where one list of them is; "
            "the recipient lists stand before the options"
        )


def mask_place(text: str) -> str:
    """Return what was written where a number was expected, with no more than four digits of it."""
    return re.sub(r"\d(?=(?:\D*\d){4})", "•", text)
