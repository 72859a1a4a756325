"""The keyed hashes that stand for numbers and texts once they are erased, in plans, results and deliveries.

A number becomes `~` and twelve letters, which no search for digits finds. The key is made once for a results folder and
lies in it (`.globe-sms/hash-key`): the same number has the same hash in all of its campaigns, so it's still known who
was texted. Anyone who can read the key can test whether a number is among the hashes; without it, nobody can. Deleting
the key makes the erasure final.
"""

import secrets
from collections.abc import Iterable
from functools import cached_property
from hashlib import blake2b
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.results_schema import E164
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError

HASH_KEY: Final = ".globe-sms/hash-key"
MARK: Final = "~"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_TRIPLES: Final = [a + b + c for a in _LETTERS for b in _LETTERS for c in _LETTERS]
_MANY: Final = len(_TRIPLES)
_BYTES: Final = 32

HASHED: Final = (
    pl.col("phone_number")
    .str.strip_chars_start(MARK)
    .str.to_integer(base=36, dtype=pl.Int64, strict=False)
    .alias("e164")
)
"""The hash of a row's number, as an integer above every phone number."""


class NumberHashes:
    """Hashes with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @cached_property
    def _of_numbers(self) -> "blake2b":
        return blake2b(b"number:", key=self._key, digest_size=8)

    @cached_property
    def _of_texts(self) -> "blake2b":
        return blake2b(b"text:", key=self._key, digest_size=8)

    def number(self, phone_number: str) -> str:
        """Return the hash of an E.164 number with its plus sign."""
        return _hashed(self._of_numbers, phone_number)

    def numbers(self, phone_numbers: pl.Series) -> pl.Series:
        """Return the hashes of E.164 numbers with plus signs; whatever isn't one stays."""
        return _each(self._of_numbers, phone_numbers, starts="+")

    def of_integers(self, e164: pl.Series) -> pl.Series:
        """Return the hashes of numbers that are integers, as integers (`HASHED`)."""
        hashed = self.numbers(("+" + e164.cast(pl.String)).alias("phone_number"))
        return hashed.to_frame().select(HASHED).to_series().alias(e164.name)

    def text(self, text: str) -> str:
        """Return the hash of a text."""
        return _hashed(self._of_texts, text)

    def texts(self, texts: pl.Series) -> pl.Series:
        """Return the hashes of texts; hashes stay."""
        return _each(self._of_texts, texts, starts="")


def number_or_hash() -> pl.Expr:
    """Return a row's number as an integer, or its hash where only that is left; for the rows of an erased campaign."""
    return pl.when(is_hashed()).then(HASHED).otherwise(E164).alias("e164")


def is_hashed(column: str = "phone_number") -> pl.Expr:
    """Return whether a column has a hash."""
    return pl.col(column).str.starts_with(MARK).fill_null(value=False)


def read_hashes(place: Store) -> NumberHashes | None:
    """Return the hashes of a results folder; None if nothing was ever erased there.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    stored = place.get(HASH_KEY)
    return None if stored is None else NumberHashes(bytes.fromhex(stored.body.decode("ascii")))


def existing_hashes(place: Store) -> NumberHashes:
    """Return the hashes of a results folder in which numbers were erased.

    Raises:
        InputError: the key is gone, so nobody knows whose numbers they were.
        StoreError: the store didn't answer, or refused.
    """
    found = read_hashes(place)
    if found is None:
        raise InputError(
            f"numbers of campaigns in {place.uri} were erased, and the key of their hashes, {HASH_KEY}, is gone: it "
            "isn't known who was texted, so nobody is. Restore the object."
        )
    return found


def make_hashes(place: Store) -> NumberHashes:
    """Return the hashes of a results folder; its key is made if there is none.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    place.put_if_absent(HASH_KEY, secrets.token_hex(_BYTES).encode())
    return existing_hashes(place)


def nothing_written() -> NumberHashes:
    """Return hashes that are thrown away: what would be erased is only counted."""
    return NumberHashes(secrets.token_bytes(_BYTES))


def _each(base: "blake2b", values: pl.Series, *, starts: str) -> pl.Series:
    found: Iterable[str | None] = (
        value if value is None or value.startswith(MARK) or not value.startswith(starts) else _hashed(base, value)
        for value in values
    )
    return pl.Series(values.name, list(found), dtype=pl.String)


def _hashed(base: "blake2b", value: str) -> str:
    each = base.copy()
    each.update(value.encode())
    number = int.from_bytes(each.digest())
    rest, first = divmod(number, _MANY)
    rest, second = divmod(rest, _MANY)
    rest, third = divmod(rest, _MANY)
    return f"{MARK}{_TRIPLES[first]}{_TRIPLES[second]}{_TRIPLES[third]}{_TRIPLES[rest % _MANY]}"
