"""Texts to the keys of a table, without a Python call a row; what is odd is left to the reference.

Each step takes only texts of which libphonenumber sees nothing but the digits and whether a plus sign stands before
them: no letters behind the first digit but for "ext. 12", no other signs of an extension, no plus sign elsewhere, 3 to
18 digits.
"""

from functools import cache
from typing import Final

import polars as pl

from globe_sms.tasks.numbers.lookup_table import (
    ASK_REFERENCE,
    EMPTY,
    FEWEST_DIGITS,
    MOST_DIGITS,
    NOT_A_NUMBER,
    PLAIN,
    PLUS,
)

_LONGEST_TEXT: Final = 250  # libphonenumber refuses longer ones; bytes here, which are never fewer than characters
_ASCII_SEPARATORS: Final = [" ", "-", "(", ")", ".", "/"]
_TEXT, _SHOWN, _DIGITS = "text", "shown", "digits"
_VALUE, _MARK, _KEY = "value", "mark", "key"
_ASCII_WHITE: Final = " \t\r\n"

# Characters that show as nothing, as the reference strips them. A part of its set: texts with others go to it.
_INVISIBLE: Final = "".join(
    chr(code)
    for first, last in ((0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064),
                        (0x2066, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF))
    for code in range(first, last + 1)
)  # fmt: skip
# libphonenumber's punctuation between digits, without those that may start an extension: x, tildes.
_PUNCTUATION: Final = (
    "- ()./[]\u00a0\u00ad\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u2060\u2212\u3000\u30fc"
    "\uff08\uff09\uff0d\uff0e\uff0f\uff3b\uff3d"
)
_PUNCTUATION_CLASS: Final = "".join(f"\\x{{{ord(char):x}}}" for char in _PUNCTUATION)
_NUMBER_IN_TEXT: Final = (
    # ASCII that cannot start a number, and no semicolon, which RFC 3966 gives a meaning
    r"^[^0-9+;\x80-\x{10FFFF}]*"
    rf"([+\x{{FF0B}}]*(?:[{_PUNCTUATION_CLASS}]*[0-9\x{{FF10}}-\x{{FF19}}])+)"
    # an extension that is called one
    r"(?:[ \x{A0}]*(?i-u:ext(?:n|ension)?)[:.]?[ \x{A0}]*[0-9]{1,20})?"
    # what libphonenumber cuts off at the end: neither letter nor digit, nor # (extension)
    rf"[{_PUNCTUATION_CLASS} -\x22$-/:-@\[-`{{-~]*$"
)
_PLAIN_FORMS: Final = {
    **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    "\uff0b": "+",
    **dict.fromkeys(_PUNCTUATION, ""),
}
_AT_MOST_ONE_DIGIT: Final = r"^[\x00-/:-\x7F]*[0-9]?[\x00-/:-\x7F]*$"

# By 2 * length - plus sign, of which one is a plus sign and no digit: what to add to the digits for their key.
_MARKS: Final = [
    way * 10**count if FEWEST_DIGITS <= count <= MOST_DIGITS else None
    for count in range(MOST_DIGITS + 1)
    for way in (PLAIN, PLUS)
]


def keys_of(texts: pl.Series) -> pl.Series:
    """Return the key of each text as Int64: `ASK_REFERENCE` for the odd ones, `EMPTY` for null."""
    keys = _of_digits(texts)
    left = _without_key(keys)
    if left.is_empty():
        return keys
    texts = texts.gather(left)
    rest = _cleaned(texts, _separated())
    odd = _without_key(rest)
    if not odd.is_empty():
        rest = rest.scatter(odd, _of_odd(texts.gather(odd)))
    return keys.scatter(left, rest)


# A list comes in batches, and each query on one costs as much as a thousand of its rows. So there are few, of
# expressions that are built once, and each selects two columns: of one alone, polars 2.1 has the parts computed by
# other threads, and waits for them.


def _of_digits(texts: pl.Series) -> pl.Series:
    """Return the keys of texts that are digits alone, with or without a plus sign before them; not of zeros alone.

    A cast reads digits behind a minus sign too. Below zero it shows, and minus zero is a zero.
    """
    return texts.to_frame(_TEXT).select_seq(*_parts_of_digits()).select_seq(_VALUE, _key_of_parts())[_KEY]


def _of_odd(texts: pl.Series) -> pl.Series:
    """Return the keys of texts with more than digits and the usual separators."""
    rows = texts.to_frame(_TEXT).select_seq(_TEXT, _as_shown())
    cleaned = rows.select_seq(_TEXT, _digitless(), _separated_in_shown())
    keys = cleaned.select_seq(_TEXT, _key_or_of_cleaned())[_KEY]
    left = _without_key(keys)
    if not left.is_empty():
        keys = keys.scatter(left, _cleaned(texts.gather(left), _decorated()).fill_null(ASK_REFERENCE))
    return keys


def _cleaned(texts: pl.Series, digits: pl.Expr) -> pl.Series:
    """Return the keys of texts that an expression cleans to digits, null where more than these and a plus is left."""
    return texts.to_frame(_TEXT).select_seq(_TEXT, digits).select_seq(_TEXT, _key_of_cleaned())[_KEY]


def _without_key(keys: pl.Series) -> pl.Series:
    return keys.is_null().arg_true()


@cache
def _parts_of_digits() -> list[pl.Expr]:
    return [_value(pl.col(_TEXT)).alias(_VALUE), _mark(pl.col(_TEXT)).alias(_MARK)]


@cache
def _key_of_parts() -> pl.Expr:
    return pl.when(pl.col(_VALUE) >= 1).then(pl.col(_VALUE) + pl.col(_MARK)).alias(_KEY)


@cache
def _key_of_cleaned() -> pl.Expr:
    """Return the key of digits that a text was cleaned to, zeros alone too, unless libphonenumber finds it too long."""
    digits = pl.col(_DIGITS)
    return pl.when(pl.col(_TEXT).str.len_bytes() <= _LONGEST_TEXT).then(_value(digits) + _mark(digits)).alias(_KEY)


@cache
def _key_or_of_cleaned() -> pl.Expr:
    return pl.coalesce(_KEY, _key_of_cleaned())


def _value(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)


def _mark(digits: pl.Expr) -> pl.Expr:
    # Among texts that a cast takes for a number that is not negative, only a plus sign sorts before the digits.
    marked = 2 * digits.str.len_bytes() - (digits < "0").cast(pl.UInt32)
    return pl.lit(pl.Series(_MARKS, dtype=pl.Int64)).gather(marked, null_on_oob=True)


@cache
def _separated() -> pl.Expr:
    """Digits with the usual separators, or as a spreadsheet's decimal number."""
    return _without_separators(pl.col(_TEXT).str.strip_chars(_ASCII_WHITE)).alias(_DIGITS)


@cache
def _as_shown() -> pl.Expr:
    return _shown(pl.col(_TEXT)).alias(_SHOWN)


@cache
def _digitless() -> pl.Expr:
    """Nothing, or ASCII with too few digits for libphonenumber to look at."""
    few = pl.col(_TEXT).str.contains(_AT_MOST_ONE_DIGIT) & (pl.col(_TEXT).str.len_bytes() <= _LONGEST_TEXT)
    is_empty = pl.col(_TEXT).is_null() | (pl.col(_SHOWN) == "")
    return pl.when(is_empty).then(EMPTY).when(few).then(NOT_A_NUMBER).cast(pl.Int64).alias(_KEY)


@cache
def _separated_in_shown() -> pl.Expr:
    """The usual separators, with invisible characters around them."""
    return _without_separators(pl.col(_SHOWN)).alias(_DIGITS)


def _shown(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars(_INVISIBLE)


def _without_separators(text: pl.Expr) -> pl.Expr:
    return text.str.strip_suffix(".0").str.replace_many(_ASCII_SEPARATORS, [""])


@cache
def _decorated() -> pl.Expr:
    """Any punctuation, full-width digits, invisible characters, words before the number, marks after it."""
    number = _shown(pl.col(_TEXT)).str.strip_suffix(".0").str.extract(_NUMBER_IN_TEXT)
    plain = number.str.replace_many(list(_PLAIN_FORMS), list(_PLAIN_FORMS.values()))
    return plain.str.replace(r"^\++", "+").alias(_DIGITS)
