"""Texts to the keys of a table, without a Python call a row; what is odd is left to the reference.

Each step takes only texts of which libphonenumber sees nothing but the digits and whether a plus sign stands before
them: no letters behind the first digit but for "ext. 12", no other signs of an extension, no plus sign elsewhere, 3 to
18 digits.
"""

from typing import Final

import polars as pl

from tasks.numbers.table import ASK_REFERENCE, EMPTY, FEWEST_DIGITS, MOST_DIGITS, NOT_A_NUMBER, PLAIN, PLUS

_LONGEST_TEXT: Final = 250  # libphonenumber refuses longer ones; bytes here, which are never fewer than characters
_ASCII_SEPARATORS: Final = [" ", "-", "(", ")", ".", "/"]
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
    for step in (_of_separated, _of_digitless, _of_decorated):
        left = keys.is_null().arg_true()
        if left.is_empty():
            break
        keys = keys.scatter(left, step(texts.gather(left)))
    return keys.fill_null(ASK_REFERENCE)


def _of_digits(texts: pl.Series) -> pl.Series:
    """Digits alone, with or without one plus sign before them; not zeros alone.

    A cast reads digits behind a minus sign too. Below zero it shows, and minus zero is a zero.
    """
    return _keys(texts, texts, least=1)


def _of_separated(texts: pl.Series) -> pl.Series:
    """Digits with the usual separators, or as a spreadsheet's decimal number."""
    digits = texts.str.strip_chars(_ASCII_WHITE).str.strip_suffix(".0").str.replace_many(_ASCII_SEPARATORS, [""])
    return _keys(digits, texts, least=0)


def _of_decorated(texts: pl.Series) -> pl.Series:
    """Any punctuation, full-width digits, invisible characters, words before the number, marks after it."""
    number = texts.str.strip_chars(_INVISIBLE).str.strip_suffix(".0").str.extract(_NUMBER_IN_TEXT)
    plain = number.str.replace_many(list(_PLAIN_FORMS), list(_PLAIN_FORMS.values())).str.replace(r"^\++", "+")
    return _keys(plain, texts, least=0)


def _of_digitless(texts: pl.Series) -> pl.Series:
    """Nothing, or ASCII with too few digits for libphonenumber to look at."""
    text = pl.col("text")
    few = text.str.contains(_AT_MOST_ONE_DIGIT) & (text.str.len_bytes() <= _LONGEST_TEXT)
    return (
        texts.to_frame("text")
        .select_seq(
            pl.when(text.is_null() | (text.str.strip_chars(_INVISIBLE) == ""))
            .then(EMPTY)
            .when(few)
            .then(NOT_A_NUMBER)
            .cast(pl.Int64)
        )
        .to_series()
    )


def _keys(digits: pl.Series, texts: pl.Series, least: int) -> pl.Series:
    """Return the keys of texts that have been cleaned to `digits`, null where more than digits and a plus is left."""
    is_short = pl.col("text").str.len_bytes() <= _LONGEST_TEXT
    # Among texts that a cast takes for a number of `least` or more, only a plus sign sorts before the digits.
    has_plus = pl.col("digits") < "0"
    plus = pl.col("plus").cast(pl.UInt32)
    mark = pl.lit(pl.Series(_MARKS, dtype=pl.Int64)).gather(2 * pl.col("size") - plus, null_on_oob=True)
    return (
        pl.DataFrame({"digits": digits, "text": texts})
        .select_seq(
            value=pl.col("digits").cast(pl.Int64, strict=False),
            plus=has_plus,
            size=pl.col("digits").str.len_bytes(),
            is_short=is_short,
        )
        .select_seq(pl.when((pl.col("value") >= least) & pl.col("is_short")).then(pl.col("value") + mark))
        .to_series()
    )
