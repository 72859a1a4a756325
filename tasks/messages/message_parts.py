"""Counts the parts of a text, which set its price: one part of 160 septets or 70 UTF-16 units, or several of 153 or 67.

Source: 3GPP TS 23.040, 9.2.3.24.1: each of several parts loses 6 octets to the concatenation header. An escape pair or
a surrogate pair is never split over two parts, so `]` x 153 makes 3 parts of 152, 152 and 2 septets.
"""

from typing import Final

import polars as pl

from globe_sms.tasks.messages.gsm7_alphabet import EXTENDED, NOT_GSM, SUPPLEMENTARY, is_gsm

_GSM_ALONE: Final = 160
_GSM_PART: Final = 153
_UCS_ALONE: Final = 70
_UCS_PART: Final = 67
_FIRST_HALF: Final = "\x1b"  # the escape code is in neither table, so it can represent a pair's first unit


def count_parts(texts: pl.Expr, gsm: pl.Expr | None = None) -> pl.Expr:
    """Return the parts of each text (UInt16; null stays null, an empty text has 0), some millions a second.

    `gsm` tells which texts fit GSM-7, if the caller knows it without scanning all their characters.
    """
    known = ~texts.str.contains(NOT_GSM) if gsm is None else gsm
    return pl.struct(text=texts, gsm=known).map_batches(_count, return_dtype=pl.UInt16, is_elementwise=True)


def parts_of(text: str) -> int:
    """Return the parts of one text."""
    return int(pl.select(count_parts(pl.lit(text))).item())


def encoding_of(text: str) -> str:
    """Return `GSM-7` or `UCS-2`."""
    return "GSM-7" if is_gsm(text) else "UCS-2"


def _count(batch: pl.Series) -> pl.Series:
    texts, text = batch.struct.field("text"), pl.col("text")
    counted = (
        batch.struct.unnest()
        .select("gsm", characters=text.str.len_chars(), octets=text.str.len_bytes())
        .with_columns(alone=pl.when("gsm").then(_GSM_ALONE).otherwise(_UCS_ALONE))
    )
    # Most texts fit one part even in the worst case: in GSM-7 every character is a pair, in UCS-2 every character with
    # 3 extra octets.
    most_pairs = pl.when("gsm").then("characters").otherwise((pl.col("octets") - pl.col("characters")) // 3)
    short = pl.col("characters") + most_pairs <= pl.col("alone")
    parts = counted.select(pl.when(short).then((pl.col("characters") > 0).cast(pl.UInt16)).alias("parts")).to_series()
    long = (parts.is_null() & texts.is_not_null()).arg_true()
    if long.is_empty():
        return parts
    return parts.scatter(long, _count_long(texts.gather(long), counted["gsm"].gather(long)))


def _count_long(texts: pl.Series, gsm: pl.Series) -> pl.Series:
    text, is_in_gsm = pl.col("text"), pl.col("gsm")
    pairs = pl.when(is_in_gsm).then(text.str.count_matches(EXTENDED)).otherwise(text.str.count_matches(SUPPLEMENTARY))
    units = pl.col("units")
    part = pl.when(is_in_gsm).then(_GSM_PART).otherwise(_UCS_PART)
    alone = pl.when(is_in_gsm).then(_GSM_ALONE).otherwise(_UCS_ALONE)
    fewest = pl.when(units <= alone).then(1).otherwise((units + part - 1) // part)
    # A part with no room for a pair at its end wastes one unit, never two.
    most = pl.when(units <= alone).then(1).otherwise((units + part - 2) // (part - 1))
    counted = (
        pl.DataFrame({"text": texts, "gsm": gsm})
        .with_columns(pairs=pairs)
        .with_columns(units=(text.str.len_chars() + pl.col("pairs")).cast(pl.Int64))
        .select("text", "gsm", fewest=fewest.cast(pl.UInt16), open=(pl.col("pairs") > 0) & (fewest != most))
    )
    parts = counted["fewest"]
    for is_gsm_text, pair, size in ((True, EXTENDED, _GSM_PART), (False, SUPPLEMENTARY, _UCS_PART)):
        rows = (counted["open"] & (counted["gsm"] == is_gsm_text)).arg_true()
        if not rows.is_empty():
            parts = parts.scatter(rows, _pack(counted["text"].gather(rows), pair, size))
    return parts


def _pack(texts: pl.Series, pair: str, size: int) -> pl.Series:
    """Count parts by filling them: each takes units up to its size, or one fewer if the last would split a pair."""
    units = texts.str.replace_all(_FIRST_HALF, "x", literal=True).str.replace_all(pair, f"{_FIRST_HALF}x")
    return units.str.count_matches(rf"(?s).{{0,{size - 1}}}[^\x1B]").cast(pl.UInt16)
