"""The columns of `results.parquet`: one row for every row of the lists.

Columns are added at the end; none is renamed or removed. After them come the columns of the lists that a campaign
keeps.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.statuses import DELIVERIES, STATUSES

E164: Final = pl.col("phone_number").str.strip_chars_start("+").cast(pl.Int64, strict=False).alias("e164")
"""The number of a row of a plan or of results, as an integer; null where only its hash is left (`number_hashes`)."""

RESULTS_KEY: Final = "results.parquet"
FAILURES_KEY: Final = "failures.csv"
"""The rows that somebody may want to mend, beside the results."""
RESULTS_SCHEMA: Final = pl.Schema(
    {
        "campaign": pl.String(),
        "source": pl.String(),
        "row": pl.UInt64(),
        "recipient": pl.String(),
        "phone_number": pl.String(),
        "region": pl.String(),
        "status": pl.Enum(STATUSES),
        "reason": pl.String(),
        "message_id": pl.String(),
        "request_id": pl.String(),
        "response_code": pl.String(),
        "response_description": pl.String(),
        "chunk": pl.UInt32(),
        "attempts": pl.UInt8(),
        "segments": pl.UInt16(),
        "sent_at": pl.Datetime("us", "UTC"),
        "metadata": pl.String(),
        "delivery": pl.Enum(DELIVERIES),
        "delivery_code": pl.String(),
        "delivered_at": pl.Datetime("us", "UTC"),
        "settled_by": pl.String(),
        "variant": pl.String(),
    }
)
_OF_LISTS: Final = "list_"
_PACKED: Final = "columns of the lists"


def names_in_results(kept: Iterable[str]) -> Mapping[str, str]:
    """Return the name that each column of the lists has in the results: its own, or with `list_` where that is taken.

    Names that differ in case only are the same to many readers, and count as taken.
    """
    taken = {name.casefold() for name in RESULTS_SCHEMA}
    names: dict[str, str] = {}
    for name in kept:
        free = name
        while free.casefold() in taken:
            free = _OF_LISTS + free
        taken.add(free.casefold())
        names[name] = free
    return names


def pack_kept(results: pl.LazyFrame) -> tuple[pl.LazyFrame, tuple[str, ...]]:
    """Pack the columns of the lists into one column, so that no join clashes with them; return its name, too.

    Select that name with the other columns, and `unnest` it later. Results without such columns stay as they are, and
    no name is returned.
    """
    kept = [name for name in results.collect_schema() if name not in RESULTS_SCHEMA]
    if not kept:
        return results, ()
    return results.select(*RESULTS_SCHEMA, pl.struct(kept).alias(_PACKED)), (_PACKED,)
