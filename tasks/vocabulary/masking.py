"""Masks phone numbers and raw recipients for logs, messages and reprs."""

import re
from typing import Final

import phonenumbers

_DOTS: Final = "••••"
_KEPT_AT_END: Final = 4
_HIDDEN_AT_LEAST: Final = 3  # digits: fewer could be guessed
_LOOKS_LIKE_A_NUMBER: Final = re.compile(r"\+?[0-9]{7,}")
_WRITTEN_WITH_PLUS: Final = re.compile(r"\+[ (]*[0-9](?:[ ().-]*[0-9]){6,}")
_NUMBERS_ALONE: Final = re.compile(r"[ ().,;+-]*[0-9](?:[ ().,;+-]*[0-9]){6,}[ ().,;+-]*")
_PASSWORD: Final = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^/@\s]*@", re.IGNORECASE)
_QUERY: Final = re.compile(r"\b(https?://[^?#\s]*)[?#]\S*", re.IGNORECASE)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def mask(number: str) -> str:
    """Mask an E.164 number: `+6581234567` becomes `+65••••4567`.

    The country code and the last four digits stay. Anything that isn't `+` and digits, has an unknown country code,
    or would hide fewer than three digits becomes `••••`.
    """
    digits = number[1:]
    if not (number.startswith("+") and digits.isascii() and digits.isdecimal()):
        return _DOTS
    for length in (1, 2, 3):
        code = digits[:length]
        if code[:1] != "0" and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            if len(digits) - length < _KEPT_AT_END + _HIDDEN_AT_LEAST:
                return _DOTS
            return f"+{code}{_DOTS}{digits[-_KEPT_AT_END:]}"
    return _DOTS


def mask_recipient(raw: str | None) -> str:
    """Mask a recipient as written in a list: at most its last four digits show.

    Text with fewer than eight digits of any script becomes `••••`: number columns hold names and addresses too.
    Digits of other scripts show as 0 to 9, which every font has.
    """
    digits = [str(int(char)) for char in raw or "" if char.isdecimal()]
    if len(digits) < 2 * _KEPT_AT_END:
        return _DOTS
    return _DOTS + "".join(digits[-_KEPT_AT_END:])


def mask_numbers_in(text: str) -> str:
    """Mask every run of seven or more digits in third-party text."""
    return _LOOKS_LIKE_A_NUMBER.sub(lambda found: mask("+" + found.group().removeprefix("+")), text)


def mask_written(text: str) -> str:
    """Mask every number that starts with a plus sign: `+65 8123-4567` becomes `+65••••4567`.

    Other digits stay: they are dates, paths and counts.
    """
    return _WRITTEN_WITH_PLUS.sub(lambda found: mask("+" + _digits_of(found.group())), text)


def mask_typed(text: str) -> str:
    """Mask the value of an option (a path, a region, a name) if it consists of phone numbers only.

    Paths and dates keep their digits; numbers with a plus sign are masked everywhere. So are the user, the password
    and the query of a web address: a presigned one lets anybody read the list.
    """
    text = _QUERY.sub(rf"\1?{_DOTS}", _PASSWORD.sub(rf"\1{_DOTS}@", text))
    if _NUMBERS_ALONE.fullmatch(text) and not _DATE.fullmatch(text):
        return mask_written(text) if text.count("+") == 1 and text.startswith("+") else mask_recipient(text)
    return mask_written(text)


def _digits_of(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())
