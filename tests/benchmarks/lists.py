"""Recipient lists for the measurements: as many different valid numbers as are wanted, in no time.

Singapore's mobile numbers of eight digits from 81 000 000 to 88 999 999 are valid without a gap in libphonenumber's
metadata: eight million of them.
"""

import random
from pathlib import Path

import phonenumbers
import polars as pl

NUMBERS = range(6_581_000_000, 6_589_000_000)
_SAMPLE = 200


def write_list(path: Path, numbers: range) -> None:
    """Write a parquet of one column, `phone`: the numbers as the API page writes them, country code first.

    Raises:
        ValueError: a sampled number is no mobile number; libphonenumber's metadata has changed.
    """
    for number in random.Random(len(numbers)).sample(numbers, min(_SAMPLE, len(numbers))):
        parsed = phonenumbers.parse(f"+{number}")
        kind = phonenumbers.number_type(parsed)
        if (
            number not in NUMBERS
            or not phonenumbers.is_valid_number(parsed)
            or kind != phonenumbers.PhoneNumberType.MOBILE
        ):
            raise ValueError(f"{number} is no mobile number of Singapore")
    written = pl.int_range(numbers.start, numbers.stop, eager=True).cast(pl.String)
    pl.DataFrame({"phone": written}).write_parquet(path, compression="zstd")
