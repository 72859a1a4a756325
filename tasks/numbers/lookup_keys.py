"""Converts texts to lookup keys of a table without a Python call per row; odd texts are left to libphonenumber.

Each step handles only texts in which libphonenumber sees just the digits and whether a plus sign comes first: no
letters after the first digit except "ext. 12", no other marks of an extension, no other plus sign, 3 to 18 digits.
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

_LONGEST_TEXT: Final = 250  # libphonenumber refuses longer ones; in bytes, which are never fewer than characters
_ASCII_SEPARATORS: Final = [" ", "-", "(", ")", ".", "/"]
_MANY_TEXTS: Final = 1_000
_FIRST_LOOK: Final = 200
_TIMES: Final = 10  # so many texts for each different one are worth finding them
_TEXT, _SHOWN, _DIGITS = "text", "shown", "digits"
_VALUE, _MARK, _KEY = "value", "mark", "key"
_ASCII_WHITE: Final = " \t\r\n"

# Invisible characters, some of those that `strip_invisible` strips: texts with others go to libphonenumber.
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
    # ASCII that can't start a number, without the semicolon, which has a meaning in RFC 3966
    r"^[^0-9+;\x80-\x{10FFFF}]*"
    rf"([+\x{{FF0B}}]*(?:[{_PUNCTUATION_CLASS}]*[0-9\x{{FF10}}-\x{{FF19}}])+)"
    # a labeled extension
    r"(?:[ \x{A0}]*(?i-u:ext(?:n|ension)?)[:.]?[ \x{A0}]*[0-9]{1,20})?"
    # the end that libphonenumber cuts off: no letters, digits or # (extension)
    rf"[{_PUNCTUATION_CLASS} -\x22$-/:-@\[-`{{-~]*$"
)
_PLAIN_FORMS: Final = {
    **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    "\uff0b": "+",
    **dict.fromkeys(_PUNCTUATION, ""),
}
_AT_MOST_ONE_DIGIT: Final = r"^[\x00-/:-\x7F]*[0-9]?[\x00-/:-\x7F]*$"
_ASCII_BLANK: Final = r"^[\x00-\x20\x7F]*$"

# What to add to the digits to get their key, indexed by 2 * length, minus 1 with a plus sign (counted in the length).
_MARKS: Final = [
    mode * 10**count if FEWEST_DIGITS <= count <= MOST_DIGITS else None
    for count in range(MOST_DIGITS + 1)
    for mode in (PLAIN, PLUS)
]


def keys_of(texts: pl.Series) -> pl.Series:
    """Return the key of each text as Int64: `ASK_REFERENCE` for odd texts, `EMPTY` for null."""
    keys = _keys_of_plain_digits(texts)
    left = _rows_without_key(keys)
    if left.is_empty():
        return keys
    others = texts.gather(left)
    few = _few_texts(others)
    if few is None:
        return keys.scatter(left, _keys_of_others(others))
    return keys.scatter(left, others.replace_strict(few, _keys_of_others(few), return_dtype=pl.Int64))


def _few_texts(texts: pl.Series) -> pl.Series | None:
    """Return the different ones among many texts that are few, such as `n/a` in half of a list; None for others."""
    if texts.len() < _MANY_TEXTS or texts.head(_FIRST_LOOK).n_unique() * _TIMES > _FIRST_LOOK:
        return None
    different = texts.unique()
    return different if different.len() * _TIMES <= texts.len() else None


def _keys_of_others(texts: pl.Series) -> pl.Series:
    """Return the keys of texts with more than digits."""
    keys = _keys_of_wordy_texts(texts)
    left = _rows_without_key(keys)
    if left.is_empty():
        return keys
    texts = texts.gather(left)
    rest = _cleaned(texts, _separated())
    odd = _rows_without_key(rest)
    if not odd.is_empty():
        rest = rest.scatter(odd, _keys_of_odd_texts(texts.gather(odd)))
    return keys.scatter(left, rest)


# A list comes in batches, and each query on a batch costs as much as a thousand rows. So there are few queries, their
# expressions are built once, and each selects two columns: for a single column, polars 2.1 computes the parts in other
# threads and waits for them.


def _keys_of_plain_digits(texts: pl.Series) -> pl.Series:
    """Return the keys of texts that are only digits, with or without a leading plus sign, and not only zeros.

    A cast also reads digits after a minus sign: those values are below zero or zero.
    """
    return texts.to_frame(_TEXT).select_seq(*_parts_of_digits()).select_seq(_VALUE, _key_of_parts())[_KEY]


def _keys_of_wordy_texts(texts: pl.Series) -> pl.Series:
    """Return the keys of blank texts, and of words without a number: lists may be full of them."""
    return texts.to_frame(_TEXT).select_seq(_TEXT, _digitless())[_KEY]


def _keys_of_odd_texts(texts: pl.Series) -> pl.Series:
    """Return the keys of texts with more than digits and the usual separators."""
    rows = texts.to_frame(_TEXT).select_seq(_TEXT, _as_shown())
    cleaned = rows.select_seq(_TEXT, _invisible(), _separated_without_invisible())
    keys = cleaned.select_seq(_TEXT, _key_or_of_cleaned())[_KEY]
    left = _rows_without_key(keys)
    if not left.is_empty():
        keys = keys.scatter(left, _cleaned(texts.gather(left), _decorated()).fill_null(ASK_REFERENCE))
    return keys


def _cleaned(texts: pl.Series, digits: pl.Expr) -> pl.Series:
    """Return the keys of texts that `digits` reduces to digits and an optional plus sign; null for the others."""
    return texts.to_frame(_TEXT).select_seq(_TEXT, digits).select_seq(_TEXT, _key_of_cleaned())[_KEY]


def _rows_without_key(keys: pl.Series) -> pl.Series:
    return keys.is_null().arg_true()


@cache
def _parts_of_digits() -> list[pl.Expr]:
    return [_value(pl.col(_TEXT)).alias(_VALUE), _mark(pl.col(_TEXT)).alias(_MARK)]


@cache
def _key_of_parts() -> pl.Expr:
    return pl.when(pl.col(_VALUE) >= 1).then(pl.col(_VALUE) + pl.col(_MARK)).alias(_KEY)


@cache
def _key_of_cleaned() -> pl.Expr:
    """Return the key of a cleaned text's digits, zeros included, unless libphonenumber finds the text too long."""
    digits = pl.col(_DIGITS)
    return pl.when(pl.col(_TEXT).str.len_bytes() <= _LONGEST_TEXT).then(_value(digits) + _mark(digits)).alias(_KEY)


@cache
def _key_or_of_cleaned() -> pl.Expr:
    return pl.coalesce(_KEY, _key_of_cleaned())


def _value(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)


def _mark(digits: pl.Expr) -> pl.Expr:
    # Among texts that cast to a non-negative number, only a plus sign sorts before the digits.
    marked = 2 * digits.str.len_bytes() - (digits < "0").cast(pl.UInt32)
    return pl.lit(pl.Series(_MARKS, dtype=pl.Int64)).gather(marked, null_on_oob=True)


@cache
def _separated() -> pl.Expr:
    """Return the digits of texts with the usual separators, or of a spreadsheet's decimal number."""
    return _without_separators(pl.col(_TEXT).str.strip_chars(_ASCII_WHITE)).alias(_DIGITS)


@cache
def _as_shown() -> pl.Expr:
    return _shown(pl.col(_TEXT)).alias(_SHOWN)


@cache
def _digitless() -> pl.Expr:
    """Return the keys of empty and blank texts, and of ASCII texts with too few digits for libphonenumber."""
    text = pl.col(_TEXT)
    few = text.str.contains(_AT_MOST_ONE_DIGIT) & (text.str.len_bytes() <= _LONGEST_TEXT)
    is_empty = text.is_null() | text.str.contains(_ASCII_BLANK)
    return pl.when(is_empty).then(EMPTY).when(few).then(NOT_A_NUMBER).cast(pl.Int64).alias(_KEY)


@cache
def _invisible() -> pl.Expr:
    """Return the keys of texts with only invisible characters."""
    return pl.when(pl.col(_SHOWN) == "").then(EMPTY).cast(pl.Int64).alias(_KEY)


@cache
def _separated_without_invisible() -> pl.Expr:
    """Return the digits of texts with the usual separators and invisible characters around them."""
    return _without_separators(pl.col(_SHOWN)).alias(_DIGITS)


def _shown(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars(_INVISIBLE)


def _without_separators(text: pl.Expr) -> pl.Expr:
    return text.str.strip_suffix(".0").str.replace_many(_ASCII_SEPARATORS, [""])


@cache
def _decorated() -> pl.Expr:
    """Return the digits of texts with any punctuation, full-width digits, invisible characters, or words around."""
    number = _shown(pl.col(_TEXT)).str.strip_suffix(".0").str.extract(_NUMBER_IN_TEXT)
    plain = number.str.replace_many(list(_PLAIN_FORMS), list(_PLAIN_FORMS.values()))
    return plain.str.replace(r"^\++", "+").alias(_DIGITS)
