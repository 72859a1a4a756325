"""Plans a test: the operator's own numbers get the texts of the lists' first rows, and nobody on the lists does.

A test is a small campaign of its own, with claims, send records and results. Its id is made of the campaign's id, the
numbers, the settings and the lists' contents: running the same test again sends nothing, and any change makes it a new
test.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import polars as pl
from pydantic import SecretStr

from globe_sms.tasks.campaign.options.own_numbers import OPTION, is_number
from globe_sms.tasks.messages import CHOICES, TEXT_COLUMNS
from globe_sms.tasks.numbers import Overrides, validate
from globe_sms.tasks.planning.chunk_layout import SendingGroups
from globe_sms.tasks.recipients import KEPT, open_table
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, about
from globe_sms.tasks.vocabulary.masking import mask_recipient
from globe_sms.tasks.vocabulary.row_reasons import explain_reason

MOST_OWN_NUMBERS: Final = 20
_LOOKED_THROUGH: Final = 1_000


@about(OPTION)
def read_own_numbers(
    given: Sequence[SecretStr], *, default_region: str | None, overrides: Overrides, s3: Callable[[], S3Access]
) -> pl.DataFrame:
    """Return the numbers as validated rows: source, row, recipient, e164, region, status, reason.

    Raises:
        InputError: one of them can't be texted, there are too many, or their list can't be read.
    """
    values = [each.get_secret_value() for each in given]
    if is_number(values[0]):
        rows = pl.LazyFrame(
            {"source": [OPTION] * len(values), "row": range(len(values)), "recipient": values},
            schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String},
        )
        own = validate(rows, default_region=default_region, overrides=overrides).collect()
    else:
        with open_table(values[0], s3, option=OPTION) as table:
            rows, region = table.rows.head(MOST_OWN_NUMBERS + 1), table.format.region_or(default_region)
            own = validate(rows, default_region=region, overrides=overrides).collect(engine="streaming")
    if not 0 < own.height <= MOST_OWN_NUMBERS:
        found = "none" if not own.height else f"more than {MOST_OWN_NUMBERS}"
        raise InputError(f"{OPTION}: a test goes to 1 to {MOST_OWN_NUMBERS} numbers of your own; there are {found}.")
    refused = own.filter(pl.col("status").is_not_null()).select(
        pl.col("recipient"), pl.col("status").cast(pl.String), "reason"
    )
    if refused.height:
        lines = [
            f"{OPTION}: {mask_recipient(raw)}: {status}, {reason}. {explain_reason(status, reason)}"
            for raw, status, reason in refused.iter_rows()
        ]
        raise InputError("\n".join(lines))
    return own


def put_in_place_of_rows(
    validated: pl.LazyFrame, own: pl.DataFrame
) -> tuple[pl.LazyFrame, Callable[[SendingGroups], SendingGroups]]:
    """Return the own numbers as the rows to plan, with the texts of the first sendable rows, one each.

    Of several texts (by variant or language) the first number gets one, the next another, and so on. Where the lists
    have fewer rows, texts are used again. The second value makes groups put each number where the row belongs whose
    text it gets, so that it has the row's sender.

    Args:
        validated: the lists' rows, with their texts if each has its own.
        own: of `read_own_numbers`.

    Raises:
        InputError: no row of the lists can be sent.
    """
    columns = validated.collect_schema()
    texts = [name for name in (*TEXT_COLUMNS, *CHOICES) if name in columns]
    first = (
        validated.filter(pl.col("status").is_null())
        .select("e164", "region", *texts)
        .head(_LOOKED_THROUGH)
        .collect(engine="streaming")
        .unique("e164", keep="first", maintain_order=True)
    )
    if not first.height:
        raise InputError(f"{OPTION}: no row of the lists can be sent, so there's no text to test. --dry-run shows why.")
    for choice in set(CHOICES).intersection(texts):
        first = first.sort(pl.int_range(pl.len()).over(choice), maintain_order=True)
    places = pl.Series([number % first.height for number in range(own.height)])
    kept = {name: dtype for name, dtype in columns.items() if name.startswith(KEPT)}
    rows = own.with_columns(
        *(first[name].gather(places) for name in texts),
        *(pl.lit(None, dtype).alias(name) for name, dtype in kept.items()),  # what is kept is about other people
    )
    regions: dict[int, str | None] = {}
    for number, region in zip(own["e164"], first["region"].gather(places), strict=True):
        regions.setdefault(number, region)  # of a number that was given twice the first is sent

    def as_the_rows(groups: SendingGroups) -> SendingGroups:
        def sort(facts: pl.DataFrame) -> pl.Series:
            region = [regions[number] for number in facts["e164"]]
            return groups.sort(facts.with_columns(region=pl.Series(region, dtype=pl.String)))

        return replace(groups, sort=sort)

    return rows.lazy(), as_the_rows
