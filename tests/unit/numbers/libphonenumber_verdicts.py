"""The verdict of `phonenumbers` on a recipient, implemented independently of the project."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, phonenumberutil

_Verdict = tuple[str | None, str | None, str | None, str | None]
Row = tuple[str | None, str | None, str | None, str | None, int | None]

_PARSE_REASONS = ("invalid_country_code", "not_a_number", "too_short", "too_short", "too_long")
_LENGTH_REASONS = {1: "invalid_country_code", 2: "too_short", 3: "too_long"}
_MOBILE, _FIXED_LINE_OR_MOBILE = 1, 2


def expected(recipient: str | None, region: str | None) -> Row:
    """Return (phone_number, region, status, reason, e164) in the design's words."""
    phone_number, region, status, reason = _verdict(recipient, region)
    return phone_number, region, status, reason, int(phone_number[1:]) if phone_number else None


def _verdict(recipient: str | None, region: str | None) -> _Verdict:
    seen = (recipient or "").strip()
    while (seen and unicodedata.category(seen[0]) in ("Cc", "Cf")) or seen[:1] in {"\u2800", "\u3164"}:
        seen = seen[1:].strip()
    while (seen and unicodedata.category(seen[-1]) in ("Cc", "Cf")) or seen[-1:] in {"\u2800", "\u3164"}:
        seen = seen[:-1].strip()
    if recipient is None or not seen:
        return None, None, "invalid", "empty"
    if re.fullmatch(r"[-+]?[0-9]+([.,][0-9]+)?[Ee][-+]?[0-9]+", seen):
        return None, None, "invalid", "spreadsheet_damage"
    try:
        number = _parsed(seen[:-2] if seen[-2:] == ".0" else recipient, region)
    except NumberParseException as error:
        return None, None, "invalid", _PARSE_REASONS[error.error_type]
    return _row(number)


def _parsed(text: str, region: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        if region or error.error_type != 0:
            raise
        possible = phonenumberutil._build_national_number_for_parsing(text)
        if possible[:1] in ("+", "\uff0b"):
            raise
    # libphonenumber must cut off again what it cut off before.
    context = text.find(";phone-context=")
    tail = text[context:] if context >= 0 else text.partition(possible)[2]
    first, second = [place for place, char in enumerate(possible) if char.isdecimal()][:2]
    if unicodedata.digit(possible[first]) == unicodedata.digit(possible[second]) == 0:
        possible = possible[:first] + possible[first + 1 : second] + possible[second + 1 :]
    return phonenumbers.parse("+" + possible[first:] + tail, None)


def _row(number: PhoneNumber) -> _Verdict:
    if not phonenumbers.is_valid_number(number):
        length = phonenumbers.is_possible_number_with_reason(number)
        return None, None, "invalid", _LENGTH_REASONS.get(length, "not_valid_for_region")
    region = phonenumbers.region_code_for_number(number)
    kept = (
        f"+{number.country_code}{phonenumbers.national_significant_number(number)}",
        region.replace("001", "") or None,
    )
    if number.country_code == 86:
        return *kept, "unsupported", "china_mainland"
    if region == "US":
        return *kept, "unsupported", "united_states"
    if phonenumbers.number_type(number) not in (_MOBILE, _FIXED_LINE_OR_MOBILE):
        return *kept, "invalid", "not_mobile"
    return *kept, None, None
