"""Phone numbers as logs, errors and reprs may show them."""

import re
from typing import Final

_LONG_ENOUGH_FOR_BOTH_ENDS: Final = 9
_LONG_ENOUGH_FOR_THE_END: Final = 5
_LOOKS_LIKE_A_NUMBER: Final = re.compile(r"\+?[0-9]{7,}")


def mask_number(number: str) -> str:
    """Show a number as `+65••••4567`: enough to recognise it in a list, too little to call it."""
    digits = number.removeprefix("+")
    if len(digits) >= _LONG_ENOUGH_FOR_BOTH_ENDS:
        return f"+{digits[:2]}••••{digits[-4:]}"
    if len(digits) >= _LONG_ENOUGH_FOR_THE_END:
        return f"+••••{digits[-2:]}"
    return "+••••"


def mask_numbers_in(text: str) -> str:
    """Mask every run of seven or more digits in a text that others wrote."""
    return _LOOKS_LIKE_A_NUMBER.sub(lambda found: mask_number(found.group()), text)
