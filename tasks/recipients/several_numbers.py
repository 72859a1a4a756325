"""Finds cells that hold several phone numbers: a phone number parser may read only one, or all of them as one."""

import re
from typing import Final

import polars as pl

_SHORTEST: Final = len("1234567/1234567")  # two numbers of seven digits
_LONGEST: Final = 500
_BETWEEN: Final = re.compile(
    r"([,;|&\n\r\t\u3001\uff0c\uff1b]|\s+(?:or|and|oder|und|ou|et|o|y|e|atau|dan)\s+|\s+(?=[+\uff0b])|(?<=\d)(?=[+\uff0b]\d)"
    r"|(?<=\d{8})[\s-]+(?=\d{8})|[/\\\uff0f]|\s[-\u2013\u2014]\s)",
    re.IGNORECASE,
)
_MAY_BE_BETWEEN: Final = (  # for polars: wherever `_BETWEEN` matches, this does
    r"[,;|&\n\r\t\x{3001}\x{ff0c}\x{ff1b}/\\\x{ff0f}]|[\s\x1c-\x1f](?i:or|and|oder|und|ou|et|o|y|e|atau|dan)[\s\x1c-\x1f]"
    r"|[\s\x1c-\x1f\d][+\x{ff0b}]|\d{8}[\s\x1c-\x1f-]+\d{8}|[\s\x1c-\x1f][-\x{2013}\x{2014}][\s\x1c-\x1f]"
)
_DIGITS_OF_TWO: Final = r"(?:\d\D*){14}"
_WEAK: Final = re.compile(
    r"[/\\\uff0f]|\s[-\u2013\u2014]\s"
)  # also between the parts of one number, as in 0171/1234567
_PREFIX: Final = re.compile(r"\W*[+0](?:\D*\d){0,8}\D*")
_BEGINS_ANOTHER: Final = re.compile(r"\s*[+\uff0b0]")
_NUMBER: Final = re.compile(
    r"(?:[^\w+\uff0b]{0,4}[^\W\d]{1,10}[.:]?)?\s*[(\[]?[+\uff0b]?(?:[\s().\[\]\u2010-\u2015-]{0,4}\d){7,}[\s().\[\]]{0,4}(?:[^\W\d][^\d]{0,40})?"
)


def holds_several(recipients: pl.Series) -> pl.Series:
    """Say of each text whether it holds two phone numbers or more; null counts as none."""
    found = _candidates(recipients)
    several = pl.Series(recipients.name, [False], dtype=pl.Boolean).new_from_index(0, recipients.len())
    if found.is_empty():
        return several
    holding = pl.Series([len(split_numbers(text)) > 1 for text in recipients.gather(found)], dtype=pl.Boolean)
    return several.scatter(found, holding)


def first_numbers(recipients: pl.Series) -> pl.Series:
    """Return the first number of each text that holds several, and the other texts as they are."""
    found = _candidates(recipients)
    if found.is_empty():
        return recipients
    texts = recipients.gather(found).to_list()
    return recipients.scatter(
        found, [numbers[0] if len(numbers := split_numbers(text)) > 1 else text for text in texts]
    )


def split_numbers(text: str) -> list[str]:
    """Return the parts of a text that are numbers of their own: at least seven digits, and at most a label."""
    first, *rest = _BETWEEN.split(text[:_LONGEST])
    parts = [first]
    for between, part in zip(rest[::2], rest[1::2], strict=True):
        goes_on = _WEAK.fullmatch(between) and _PREFIX.fullmatch(parts[-1]) and not _BEGINS_ANOTHER.match(part)
        if goes_on:
            parts[-1] += between + part
        else:
            parts.append(part)
    return [part.strip() for part in parts if _NUMBER.fullmatch(part.strip())]


def _candidates(recipients: pl.Series) -> pl.Series:
    """Return the positions of texts that may hold several; almost all lists have none.

    Millions of rows come through here, and Python takes as long for one as polars for a hundred.
    """
    found = (recipients.str.len_bytes() >= _SHORTEST).fill_null(value=False).arg_true()
    for pattern in (_MAY_BE_BETWEEN, _DIGITS_OF_TWO):
        if found.is_empty():
            break
        found = found.filter(recipients.gather(found).str.contains(pattern))
    return found
