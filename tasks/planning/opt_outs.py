"""Who must not be texted: opt-out lists, and numbers that earlier campaigns have texted.

Numbers are compared as integers, `e164`. The lists' numbers are written to a file once, each with the first list that
has it; rows are joined with it in polars' streaming engine. A list that can't be read is never taken for an empty one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.recipients import Format, ListSource, find_lists, open_table, refusal, translate_errors
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.statuses import Status

TEXT_HASH: Final = "text_hash"
_NUMBER: Final = "phone_number"
_RESULTS: Final = ("status", "sent_at")
_NO_RESULTS: Final = (
    "it isn't a campaign's results.parquet: name the results of earlier campaigns, such as <results>/*/results.parquet"
)


def read_suppressed(uris: tuple[str, ...], default_region: str | None, s3: Callable[[], S3Access], file: Path) -> None:
    """Write the numbers of opt-out lists to a parquet file: e164 (Int64) and source (String), each number once.

    A list may have any format and any usual name of the number column, as a recipient list. Rows that
    aren't phone numbers are skipped.

    Raises:
        InputError: a list can't be read, or none of its rows is a phone number.
    """
    with open_table(uris, s3) as numbers:
        read = validate(numbers, default_region=default_region)
        _write_firsts(read, file)
        rows = read.group_by("source").agg(pl.len(), numbers=pl.col("e164").count()).collect(engine="streaming")
    for source, count, numbers in rows.iter_rows():
        if count and not numbers:
            raise refusal(source, f"none of its {count:,} rows is a phone number, so that nobody would be left out")


def read_texted(uris: tuple[str, ...], days: float, s3: Callable[[], S3Access], file: Path, *, now: datetime) -> None:
    """Write the numbers that results say were accepted in the last `days` to a file, as `read_suppressed` does.

    Raises:
        InputError: results can't be read, or aren't results.
    """
    sources = find_results(uris, s3)
    since = now - timedelta(days=days)
    with translate_errors(sources, number_column=_NUMBER, s3=s3):
        found = [_texted_since(source, since, s3) for source in sources]
        _write_firsts(pl.concat(found), file)


def check_suppressed(uris: tuple[str, ...], s3: Callable[[], S3Access]) -> None:
    """Find opt-out lists that can't be read, by the first bytes and the columns of each; a second for a hundred.

    Raises:
        InputError: a list doesn't exist, can't be read, has an unknown format, or has no column of phone numbers.
    """
    with open_table(uris, s3):
        pass


def check_texted(uris: tuple[str, ...], s3: Callable[[], S3Access]) -> None:
    """Check that each file is the results of a campaign, by its footer.

    Raises:
        InputError: as `read_texted`, except for values in the rows.
    """
    sources = find_results(uris, s3)
    with translate_errors(sources, number_column=_NUMBER, s3=s3):
        for source in sources:
            _scan_results(source, s3)


def _texted_since(source: ListSource, since: datetime, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Return the numbers that one campaign's results say were accepted since then, with the results' URI."""
    return (
        _scan_results(source, s3)
        .filter(pl.col("status") == Status.ACCEPTED, pl.col("sent_at") >= since)
        .select(
            pl.lit(source.uri).alias("source"),
            pl.col(_NUMBER).str.strip_chars_start("+").cast(pl.Int64).alias("e164"),
        )
    )


def find_results(uris: tuple[str, ...], s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the results of earlier campaigns.

    Raises:
        InputError: a URI matches nothing, or something that can't be results.
    """
    try:
        return find_lists(uris, s3, every_file=True)
    except InputError as error:
        whole = [uri for uri in uris if not uri.endswith(".parquet")]
        if not whole:
            raise
        # A results folder holds more than results: an error about a plan or a claim would help nobody.
        raise InputError(f"--exclude-results {whole[0]}: {_NO_RESULTS} ({error})") from None


def _scan_results(source: ListSource, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Return the rows of results; reads no more than the footer."""
    if source.format is not Format.PARQUET:
        raise refusal(source.uri, _NO_RESULTS)
    options: dict[str, Any] = s3().polars_options(source.bucket) if source.bucket else {}
    rows = pl.scan_parquet(source.readable, glob=False, hive_partitioning=False, **options)
    schema = rows.collect_schema()
    if any(schema.get(name) != RESULTS_SCHEMA[name] for name in (_NUMBER, *_RESULTS)):
        raise refusal(source.uri, _NO_RESULTS)
    return rows


def leave_out(rows: pl.LazyFrame, *files: Path) -> pl.LazyFrame:
    """Mark rows whose number is in one of the files `suppressed`, with the file's source as the reason.

    A file has the columns e164 and source, and `text_hash` where it leaves out only the row's own text (`hash_texts`).
    """
    for file in files:
        listed = pl.scan_parquet(file, glob=False).rename({"source": "listed"})
        keys = [name for name in listed.collect_schema() if name != "listed"]
        if TEXT_HASH in keys:
            rows = rows.with_columns(hash_texts(pl.col("message")))
        joined = rows.join(listed, on=keys, how="left", maintain_order="left")
        reason = pl.col("listed").cast(pl.String)
        rows = mark_rows(joined, reason.is_not_null(), Status.SUPPRESSED, reason).drop("listed", *keys[1:])
    return rows


def hash_texts(texts: pl.Expr) -> pl.Expr:
    """Return the hash that a file of `leave_out` knows a text by; the same within a process."""
    return texts.hash().alias(TEXT_HASH)


def _write_firsts(numbers: pl.LazyFrame, file: Path) -> None:
    (
        numbers.select("e164", "source")
        .filter(pl.col("e164").is_not_null())
        .with_row_index("index")
        .group_by("e164")
        .agg(pl.col("source").sort_by("index").first())
        .sink_parquet(file, compression="lz4", engine="streaming")
    )
