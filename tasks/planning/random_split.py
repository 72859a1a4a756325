"""Chance that is the same each time: which variant a number gets, and whether it's held out.

A number's place between 0 and 1 is a hash of the number with a key made from the campaign. So it's the same in each
run, in each process and for any order of the list. Another campaign places it elsewhere; so the holdout, whose key
differs from the variants', doesn't depend on them.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.experiment import Variant, upper_bounds
from globe_sms.tasks.messages import VARIANT

HELD_OUT: Final = "held out"
"""Whether a row's number gets no text, to compare with; a column on the way to the plan."""
_BITS: Final = 53  # of a float's fraction


def with_variants(rows: pl.LazyFrame, variants: Sequence[Variant], key: str) -> pl.LazyFrame:
    """Add the name of each row's variant, by its number (e164); null for rows without a number."""
    place = place_of_number(key, VARIANT)
    ends = zip(variants, upper_bounds(variants), strict=True)
    found = pl.coalesce([pl.when(pl.col("place") < end).then(pl.lit(variant.name)) for variant, end in ends])
    return rows.with_columns(place=place).with_columns(found.alias(VARIANT)).drop("place")


def with_holdout(rows: pl.LazyFrame, share: float, key: str) -> pl.LazyFrame:
    """Add which rows' numbers (e164) are held out (`HELD_OUT`); false for rows without a number."""
    return rows.with_columns((place_of_number(key, "holdout") < share).fill_null(value=False).alias(HELD_OUT))


def place_of_number(key: str, purpose: str) -> pl.Expr:
    """Return the place of each row's number (e164) between 0 (included) and 1, evenly spread; null without a number.

    Args:
        key: What the hash is keyed with; another key is another draw.
        purpose: What is drawn; draws for two purposes don't depend on each other.
    """
    digest = blake2b(key.encode(), person=purpose.encode(), digest_size=16).digest()
    number = pl.col("e164").cast(pl.UInt64)
    for start in (0, 8):
        number = _mixed(number ^ pl.lit(int.from_bytes(digest[start : start + 8]), pl.UInt64))
    return (number // 2 ** (64 - _BITS)).cast(pl.Float64) / 2**_BITS


def _mixed(bits: pl.Expr) -> pl.Expr:
    """Spread 64 bits: SplitMix64's finalizer (https://prng.di.unimi.it/splitmix64.c); products wrap around."""
    bits = (bits ^ (bits // 2**30)) * pl.lit(0xBF58476D1CE4E5B9, pl.UInt64)
    bits = (bits ^ (bits // 2**27)) * pl.lit(0x94D049BB133111EB, pl.UInt64)
    return bits ^ (bits // 2**31)
