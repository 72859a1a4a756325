"""The GSM 7-bit default alphabet, its extension table (3GPP TS 23.038, 6.2.1), and look-alike replacements.

A text is sent in GSM-7 if the two tables hold all its characters; otherwise the whole text is sent in UCS-2.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import polars as pl

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one septet; the 128th code, the escape code, isn't a character."""

EXTENSION: Final = "\f^{}\\[~]|€"
"""Characters of two septets: the escape code and another."""

_LOOK_ALIKES: Final = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    **dict.fromkeys("\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u180e\u200b\u2060\ufeff\u00ad", ""),
    "\u2026": "...",
}


def character_class(characters: str, *, outside: bool = False) -> str:
    """Return a character class for polars' regular expressions (Rust's `regex`); `outside` negates it."""
    listed = "".join(f"\\x{{{ord(character):X}}}" for character in characters)
    return f"[{'^' if outside else ''}{listed}]"


NOT_GSM: Final = character_class(BASIC + EXTENSION, outside=True)
EXTENDED: Final = character_class(EXTENSION)
SUPPLEMENTARY: Final = r"[\x{10000}-\x{10FFFF}]"
"""Characters of two UTF-16 units (a surrogate pair)."""

_NO_LOOK_ALIKES: Final = character_class("".join(_LOOK_ALIKES), outside=True) + "+"
_REPLACEMENTS: Final = str.maketrans(_LOOK_ALIKES)
_GSM: Final = frozenset(BASIC + EXTENSION)


def is_gsm(text: str) -> bool:
    """Whether a text can be sent in GSM-7."""
    return _GSM.issuperset(text)


def forcing_characters(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the characters that force texts into UCS-2, most frequent first."""
    found = Counter(character for text in texts for character in text if character not in _GSM)
    return tuple(character for character, _ in found.most_common())


def look_alikes_in(text: str) -> tuple[str, ...]:
    """Return the characters of a text that `without_look_alikes` replaces, each once, the most frequent first."""
    found = Counter(character for character in text if character in _LOOK_ALIKES)
    return tuple(character for character, _ in found.most_common())


def replace_look_alikes(text: str) -> str:
    """Return one text as `without_look_alikes` returns a column of them."""
    return text.translate(_REPLACEMENTS)


def only_look_alikes(texts: pl.Expr) -> pl.Expr:
    """Return what `without_look_alikes` replaces in each text, in order; null if there's nothing to replace."""
    found = texts.str.replace_all(_NO_LOOK_ALIKES, "")
    return pl.when(found != "").then(found)


def without_look_alikes(texts: pl.Expr) -> pl.Expr:
    """Replace typographic quotes, dashes, blanks and the ellipsis with their GSM-7 counterparts; letters stay."""
    return texts.str.replace_many(list(_LOOK_ALIKES), list(_LOOK_ALIKES.values()))
