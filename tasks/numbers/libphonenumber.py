"""Validates one text at a time with libphonenumber itself: always right, but slow.

The rules are the design's "How a number is read". The fast path (`tasks.numbers.lookup_table`) must agree with this
module on every text, and passes odd texts to it. Metadata: the installed `phonenumbers` package.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, MobileOverride, Overrides
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_CHINA_MAINLAND: Final = 86
_UNITED_STATES: Final = "US"
_NON_GEOGRAPHIC: Final = "001"
_RECEIVES_TEXTS: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_PLUS_OR_DIGIT: Final = re.compile(r"[+\uFF0B\d]")
_DIGIT: Final = re.compile(r"\d")
_RFC3966_LABEL: Final = "tel:"
_RFC3966_CONTEXT: Final = ";phone-context="

_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
# Invisible, though Unicode classifies them as letters, marks or symbols: grapheme joiner, Hangul fillers, blank
# Braille, variation selectors.
_INVISIBLE_OTHERS: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}

_REASON_OF_PARSE_ERROR: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: RowReason.INVALID_COUNTRY_CODE,
    NumberParseException.NOT_A_NUMBER: RowReason.NOT_A_NUMBER,
    NumberParseException.TOO_SHORT_AFTER_IDD: RowReason.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: RowReason.TOO_SHORT,
    NumberParseException.TOO_LONG: RowReason.TOO_LONG,
}
_REASON_OF_LENGTH: Final = {
    ValidationResult.TOO_SHORT: RowReason.TOO_SHORT,
    ValidationResult.TOO_LONG: RowReason.TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: RowReason.INVALID_COUNTRY_CODE,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of validating a recipient; `status` is None if a text can be sent to `phone_number`.

    `phone_number` is E.164 with its plus sign, set for every valid number; `region` is ISO 3166 alpha-2, None if the
    number isn't valid or not geographic.
    """

    phone_number: str | None = None
    region: str | None = None
    status: Status | None = None
    reason: RowReason | None = None

    @property
    def e164(self) -> int | None:
        """The digits of `phone_number` as an integer."""
        return None if self.phone_number is None else int(self.phone_number)

    @property
    def has_number(self) -> bool:
        """Whether the recipient is a valid number, sendable or not."""
        return self.status is not Status.INVALID or self.reason is RowReason.NOT_MOBILE


def checked_region(default_region: str | None) -> str | None:
    """Return the default region in capitals, or None if there is none.

    Raises:
        InputError: libphonenumber doesn't know the region.
    """
    if default_region is None:
        return None
    region = default_region.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise InputError(
            f"there is no region {mask_typed(default_region)!r}: write two letters of ISO 3166, such as SG or GB"
        )
    return region


def cache_patterns() -> None:
    """Make `phonenumbers` cache its compiled patterns if it can: five times as fast on lists of many regions."""
    enable = getattr(phonenumbers, "enable_pattern_cache", None)
    if enable is not None:
        enable()


def validate_text(recipient: str | None, default_region: str | None, overrides: Overrides = NO_OVERRIDES) -> Verdict:
    """Validate one recipient as written, exactly as libphonenumber reads it.

    `default_region` must come from `checked_region`. About 20,000 texts a second after `cache_patterns`.
    """
    shown = strip_invisible(recipient or "")
    if recipient is None or not shown:
        return _invalid(RowReason.EMPTY)
    if _SCIENTIFIC.fullmatch(shown):
        return _invalid(RowReason.SPREADSHEET_DAMAGE)
    text = shown.removesuffix(".0") if shown.endswith(".0") else recipient
    try:
        number = _parse(text, default_region)
    except NumberParseException as error:
        return _invalid(_REASON_OF_PARSE_ERROR[error.error_type])
    return validate_number(number, overrides)


def validate_number(number: PhoneNumber, overrides: Overrides = NO_OVERRIDES) -> Verdict:
    """Validate a number that libphonenumber has parsed."""
    code, region = number.country_code or 0, phonenumbers.region_code_for_number(number)
    phone_number = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    override = overrides.of(phone_number.removeprefix("+"))
    if not phonenumbers.is_valid_number(number):
        length = phonenumbers.is_possible_number_with_reason(number)
        if length == ValidationResult.IS_POSSIBLE and override is MobileOverride.MOBILE:
            unlisted = verdict_of_unlisted(code, region)
            if unlisted.status is None:
                return replace(unlisted, phone_number=phone_number)
        return _invalid(_REASON_OF_LENGTH.get(length, RowReason.NOT_VALID_FOR_REGION))
    if override is MobileOverride.NONE:
        receives_texts = phonenumbers.number_type(number) in _RECEIVES_TEXTS
    else:
        receives_texts = override is MobileOverride.MOBILE
    return verdict_of_valid(code, region, receives_texts=receives_texts, phone_number=phone_number)


def verdict_of_valid(
    country_code: int, region: str | None, *, receives_texts: bool, phone_number: str | None = None
) -> Verdict:
    """Return the verdict of a valid number: whether the gateway serves it and whether it can receive texts."""
    iso_region = None if region == _NON_GEOGRAPHIC else region
    if country_code == _CHINA_MAINLAND:
        return Verdict(phone_number, iso_region, Status.UNSUPPORTED, RowReason.CHINA_MAINLAND)
    if region == _UNITED_STATES:
        return Verdict(phone_number, iso_region, Status.UNSUPPORTED, RowReason.UNITED_STATES)
    if not receives_texts:
        return Verdict(phone_number, iso_region, Status.INVALID, RowReason.NOT_MOBILE)
    return Verdict(phone_number, iso_region)


def verdict_of_unlisted(country_code: int, region: str | None) -> Verdict:
    """Return the verdict of an invalid number of possible length that an override declares mobile.

    A number that matches no region of its country code gets the code's main region: for +1, the United States.
    """
    return verdict_of_valid(
        country_code, region or phonenumbers.region_code_for_country_code(country_code), receives_texts=True
    )


def strip_invisible(text: str) -> str:
    """Strip white space and invisible characters from both ends."""
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while start < end and _is_invisible(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_invisible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in _INVISIBLE_CATEGORIES or char in _INVISIBLE_OTHERS


def _invalid(reason: RowReason) -> Verdict:
    return Verdict(None, None, Status.INVALID, reason)


def _parse(text: str, default_region: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, default_region)
    except NumberParseException as error:
        if default_region is not None or error.error_type != NumberParseException.INVALID_COUNTRY_CODE:
            raise
        international = _with_plus_sign(text)
        if international is None:
            raise
    return phonenumbers.parse(international, None)


def _with_plus_sign(text: str) -> str | None:
    """Return the text with a plus sign before its digits and without a leading `00`; None if it has a plus sign.

    libphonenumber must have accepted `text` except for its country code. The number starts by libphonenumber's rule:
    at the first plus sign or digit, or after `tel:` in an RFC 3966 text with a context.
    """
    context = text.find(_RFC3966_CONTEXT)
    label = text.find(_RFC3966_LABEL) if context >= 0 else -1
    begin = label + len(_RFC3966_LABEL) if label >= 0 else 0
    first = _PLUS_OR_DIGIT.search(text, begin)
    context_has_plus = context >= 0 and text.startswith("+", context + len(_RFC3966_CONTEXT))
    if context_has_plus or first is None or not first.group().isdecimal():
        return None
    # The text after the zeros stays unchanged: libphonenumber may cut it off ("00/x123": a second number).
    rest = text[first.start() :]
    zeros = [digit.start() for digit in islice(_DIGIT.finditer(rest), 2) if unicodedata.decimal(digit.group()) == 0]
    if len(zeros) == len("00"):
        rest = rest[zeros[0] + 1 : zeros[1]] + rest[zeros[1] + 1 :]
    return f"{text[:begin]}+{rest}"
