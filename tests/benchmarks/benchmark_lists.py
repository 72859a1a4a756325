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
_PRIME = 100_000_007  # the numbers of one prefix are 100 million
_DUPLICATES_PERCENT = 30
_JUNK_PERCENT = 3
_NAMES = ("Aisha Tan", "Chloé García", "Kwame Okafor", "Linh Nguyễn", "João Santos", "Müller, Eva")
_CITIES = ("Singapore", "São Paulo", "Nairobi", "Kraków", "Auckland")


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


SHAPES = ("duplicates", "junk", "same", "sorted", "reversed", "files")
_NEW_PERCENT = 6
_GOOD_PERCENT = 5


def shaped(rows: int, shape: str) -> pl.LazyFrame:
    """Make a list of one of `SHAPES`: customer and phone.

    `duplicates`: all after the first 6 % repeat one of them. `junk`: 95 % aren't numbers. `same`: one number.
    `sorted`, `reversed`: different ones in order. `files`: different ones in disorder, to be split by `customer`.
    """
    row = pl.col("row")
    person = {
        "duplicates": row % max(1, rows * _NEW_PERCENT // 100),
        "same": row * 0,
        "reversed": rows - 1 - row,
        "files": row * 48_271 % _PRIME,
    }.get(shape, row)
    number = pl.format("49151{}", person.cast(pl.String).str.zfill(8))
    if shape == "junk":
        number = pl.when(row.hash(1) % 100 < _GOOD_PERCENT).then(number).otherwise(pl.lit("n/a"))
    return pl.LazyFrame({"row": pl.int_range(rows, eager=True)}).select(customer=pl.format("C{}", "row"), phone=number)


def customers(rows: int, seed: int = 1) -> pl.LazyFrame:
    """Make a list as a shop has it: customer, name, phone, city; 30 % of the rows repeat a number, 3 % are junk.

    The numbers are French and German mobiles in five spellings, as many different ones as rows ask for, up to 200
    million.
    """

    def drawn(place: int, below: int) -> pl.Expr:
        return pl.col("row").hash(seed + place) % below

    def one_of(words: tuple[str, ...], place: int) -> pl.Expr:
        return drawn(place, len(words)).replace_strict(dict(enumerate(words)), return_dtype=pl.String)

    person = pl.when(drawn(0, 100) < _DUPLICATES_PERCENT).then(drawn(1, rows).cast(pl.Int64)).otherwise(pl.col("row"))
    code = pl.when(person % 2 == 0).then(pl.lit("33")).otherwise(pl.lit("49"))
    head = pl.when(person % 2 == 0).then(pl.lit("6")).otherwise(pl.lit("151"))
    tail = (person // 2 * 48_271 % _PRIME).cast(pl.String).str.zfill(8)
    spelt = (
        pl.when(drawn(2, 100) < 40)  # the shares of the spellings
        .then(pl.format("+{}{}{}", code, head, tail))
        .when(drawn(2, 100) < 75)
        .then(pl.format("{}{}{}", code, head, tail))
        .when(drawn(2, 100) < 85)
        .then(pl.format("+{} {} {}", code, head, tail))
        .when(drawn(2, 100) < 95)
        .then(pl.format("+{} ({}) {}", code, head, tail))
        .otherwise(pl.format("00{}{}{}", code, head, tail))
    )
    return pl.LazyFrame({"row": pl.int_range(rows, eager=True)}).select(
        customer=pl.format("C{}", "row"),
        name=one_of(_NAMES, 3),
        phone=pl.when(drawn(4, 100) < _JUNK_PERCENT).then(pl.lit("n/a")).otherwise(spelt),
        city=one_of(_CITIES, 5),
    )
