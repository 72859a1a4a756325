"""The ways people and spreadsheets write a phone number; all of them can be read."""

import random
from collections.abc import Callable

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

Spelling = Callable[[PhoneNumber, random.Random], str]

_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {ord("+"): 0xFF0B}
# Characters that copying adds: left-to-right embedding and mark, word joiner, zero-width space, byte order mark.
_INVISIBLE = ("\u202a", "\u200e", "\u2060", "\u200b", "\ufeff")


def _e164(number: PhoneNumber, _: random.Random) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _without_plus(number: PhoneNumber, dice: random.Random) -> str:
    return _e164(number, dice)[1:]


def _international(number: PhoneNumber, _: random.Random) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def _double_zero(number: PhoneNumber, dice: random.Random) -> str:
    return f"00{_without_plus(number, dice)}"


def _double_zero_spaced(number: PhoneNumber, dice: random.Random) -> str:
    return f"00{_international(number, dice)[1:]}"


def _dashes(number: PhoneNumber, dice: random.Random) -> str:
    return _international(number, dice).replace(" ", "-")


def _dots(number: PhoneNumber, dice: random.Random) -> str:
    return _international(number, dice).replace("-", " ").replace(" ", ".")


def _brackets(number: PhoneNumber, dice: random.Random) -> str:
    code, _, rest = _international(number, dice).partition(" ")
    return f"({code}) {rest}" if dice.random() < 1 / 2 else f"{code} ({rest[:2]}) {rest[2:].lstrip(' -')}"


def _full_width(number: PhoneNumber, dice: random.Random) -> str:
    return _e164(number, dice).translate(_FULL_WIDTH)


def _invisible(number: PhoneNumber, dice: random.Random) -> str:
    text = _e164(number, dice)
    return f"{dice.choice(_INVISIBLE)}{text}" if dice.random() < 1 / 2 else f"{text}{dice.choice(_INVISIBLE)}"


def _no_break_spaces(number: PhoneNumber, dice: random.Random) -> str:
    return f" {_international(number, dice)} ".replace(" ", "\u00a0")


def _trailing_zero(number: PhoneNumber, dice: random.Random) -> str:
    return f"{_without_plus(number, dice)}.0"


def _extension(number: PhoneNumber, dice: random.Random) -> str:
    return f"{_international(number, dice)}{dice.choice((' ext. 12', ' x7', ';ext=305'))}"


def _labelled(number: PhoneNumber, dice: random.Random) -> str:
    return f"{dice.choice(('Tel: ', 'tel:', 'mob. '))}{_e164(number, dice)}"


WITHOUT_PLUS: Spelling = _without_plus
SPELLINGS: tuple[Spelling, ...] = (
    _e164,
    _e164,
    _without_plus,
    _international,
    _double_zero,
    _double_zero_spaced,
    _dashes,
    _dots,
    _brackets,
    _full_width,
    _invisible,
    _no_break_spaces,
    _trailing_zero,
    _extension,
    _labelled,
)
