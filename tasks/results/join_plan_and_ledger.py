"""The results: the plan and the ledger's answers, joined into one row for every input row."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.planning.frozen_plan import FrozenPlan, kept_in_results
from globe_sms.tasks.planning.left_out import status_of
from globe_sms.tasks.results.ledger_answers import Answers
from globe_sms.tasks.results.look_up_answers import add_answers
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import PRESENTED, STATUSES, Status

_OF_DELIVERY: Final = ("delivery", "delivery_code", "delivered_at", "settled_by")  # null here: see `tasks.delivery`
_OF_AN_ANSWER: Final = ("request_id", "response_code", "response_description", "attempts", "sent_at")
_ARROW: Final = "ARROW:schema"


def make_results(
    plan: pl.LazyFrame,
    answers: Answers,
    campaign: str,
    not_sent_reason: str,
    phonenumbers: str | None = None,
    *,
    segments: int | None = None,
    resends: bool = False,
    to_write: bool = False,
) -> pl.LazyFrame:
    """Join the plan with what the ledger says: `RESULTS_SCHEMA` and kept columns, every input row once, in input order.

    Sendable rows of a chunk that was never claimed are `not_sent` for `not_sent_reason`. `phonenumbers` is the
    version of the metadata that the plan was validated by, noted beside each `not_valid_for_region`. `segments` is
    how many parts the text has that all numbers get; None where the plan has a column of them. Where the plan's rows
    have the column `left_out`, those with a reason in it that weren't presented have its status (`planning.left_out`),
    and where the run `resends` unknown rows, those too.

    Rows `to_write` have enums and categoricals for the texts that many rows share, which take a fraction of the time to
    make and to write; `write_results` stores them as texts all the same.
    """
    planned = pl.col("status").is_not_null()
    from_position = pl.col("position_status").is_not_null()
    from_chunk = pl.col("chunk_status").is_not_null()
    accepted = pl.col("chunk_status") == Status.ACCEPTED
    status = (
        pl.when(planned)
        .then(pl.col("status"))
        .when(from_position)
        .then(pl.col("position_status"))
        .when(from_chunk)
        .then(pl.col("chunk_status"))
        .otherwise(pl.lit(Status.NOT_SENT, dtype=pl.Enum(STATUSES)))
    )
    reason = (
        pl.when(planned)
        .then(pl.col("reason"))
        .when(from_position)
        .then(pl.col("position_reason"))
        .when(accepted & pl.col("message_id").is_null())
        .then(pl.lit("message_id_unmatched"))
        .when(accepted)
        .then(None)
        .otherwise(pl.coalesce("chunk_reason", pl.lit(not_sent_reason)))
    )
    unlisted = (pl.col("status") == Status.INVALID) & (pl.col("reason") == RowReason.NOT_VALID_FOR_REGION)
    left_out = pl.col("position_status") == Status.SUPPRESSED
    joined = add_answers(plan, answers)
    waiting = [Status.NOT_SENT, Status.UNKNOWN] if resends else [Status.NOT_SENT]
    columns = plan.collect_schema()
    if "left_out" in columns:
        left_out_now = pl.col("left_out").is_not_null() & status.is_in(waiting)
        status = pl.when(left_out_now).then(status_of(pl.col("left_out"))).otherwise(status)
        reason = pl.when(left_out_now).then(pl.col("left_out")).otherwise(reason)
    metadata = [] if phonenumbers is None else [f"phonenumbers {phonenumbers}"]
    made = {
        "campaign": pl.lit(campaign, dtype=pl.Enum([campaign])),
        "status": status,
        "reason": reason,
        "segments": pl.col("segments") if "segments" in columns else pl.when(~planned).then(pl.lit(segments)),
        "metadata": pl.when(unlisted).then(pl.lit(next(iter(metadata), None), dtype=pl.Enum(metadata))),
        **{name: pl.when(~left_out.fill_null(value=False)).then(pl.col(name)) for name in _OF_AN_ANSWER},
        **dict.fromkeys(_OF_DELIVERY, pl.lit(None)),
        **({} if "variant" in columns else {"variant": pl.lit(None)}),
    }
    types = {name: dtype for name, dtype in RESULTS_SCHEMA.items() if dtype != pl.String()}
    types |= dict.fromkeys(("delivery_code", "settled_by"), pl.Enum([]))
    types |= {} if "variant" in columns else {"variant": pl.Enum([])}
    found = {name: made.get(name, pl.col(name)).alias(name) for name in RESULTS_SCHEMA}
    rows = joined.select(
        *(each.cast(types[name]) if name in types else each for name, each in found.items()),
        *(pl.col(name).alias(shown) for name, shown in kept_in_results(columns).items()),
    )
    return rows if to_write else rows.with_columns(pl.col(name).cast(dtype) for name, dtype in RESULTS_SCHEMA.items())


def write_results(
    plan: FrozenPlan, results: Callable[[pl.LazyFrame, range], pl.LazyFrame], scratch: Path
) -> tuple[Path, dict[str, int]]:
    """Write the parquet to a local file; return it and the rows by status (all statuses, also those with none).

    `results` makes the results of some rows of the plan, in which the chunks of the range stand. It is called for one
    block of rows after the other, while the one before is written, so that the memory does not grow with the list.
    """
    path = scratch / RESULTS_KEY
    made = (results(rows, chunks).collect(engine="streaming") for rows, chunks in plan.blocks())
    first = next(made)
    schema, waiting = first.schema, [first]
    del first

    def blocks(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for block in chain((waiting.pop() for _ in (None,)), made):
            yield block if columns is None else block.select(columns)

    register_io_source(blocks, schema=schema).sink_parquet(
        path,
        compression="zstd",
        compression_level=1,
        statistics=False,
        metadata=_types_of(schema),
        engine="streaming",
    )
    counted = pl.scan_parquet(path, glob=False).group_by("status").len().collect()
    found = dict(counted.iter_rows())
    return path, {status: int(found.get(status, 0)) for status in STATUSES}


def _types_of(schema: pl.Schema) -> dict[str, str]:
    """Return what a file says of its types, so that readers find `RESULTS_SCHEMA` whatever a column was written from.

    Parquet stores the values of enums and categoricals as texts; only this note tells them apart. Columns of the lists
    keep the types that they have in `schema`.
    """
    empty = BytesIO()
    pl.DataFrame(schema={**schema, **RESULTS_SCHEMA}).write_parquet(empty)
    return {_ARROW: pl.read_parquet_metadata(BytesIO(empty.getvalue()))[_ARROW]}


def presented_rows(results: Path) -> pl.LazyFrame:
    """Return the rows that were presented to the gateway: a part costs money also where it fails."""
    return pl.scan_parquet(results, glob=False).filter(pl.col("status").cast(pl.String).is_in(PRESENTED))
