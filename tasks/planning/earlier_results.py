"""Numbers that earlier campaigns texted lately, from their results (`--exclude-results`)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import is_hashed
from globe_sms.tasks.campaign.results_schema import E164, RESULTS_SCHEMA
from globe_sms.tasks.planning.left_out import write_numbers
from globe_sms.tasks.recipients import Format, ListSource, find_lists, refusal, translate_errors
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, about
from globe_sms.tasks.vocabulary.statuses import Status

_OPTION: Final = "--exclude-results"
_NUMBER: Final = "phone_number"
_RESULTS: Final = ("status", "sent_at")
_NO_RESULTS: Final = (
    "it isn't a campaign's results.parquet: name the results of earlier campaigns, such as <results>/*/results.parquet"
)


@about(_OPTION)
def read_texted(uris: tuple[str, ...], days: float, s3: Callable[[], S3Access], file: Path, *, now: datetime) -> None:
    """Write the numbers that results say were accepted in the last `days` to a file for `leave_out`.

    Raises:
        InputError: results can't be read, or aren't results.
    """
    sources = find_results(uris, s3)
    since = now - timedelta(days=days)
    with translate_errors(sources, number_column=_NUMBER, s3=s3):
        for source in sources:
            _refuse_erased(source, since, s3)
        found = [_texted_since(source, since, s3) for source in sources]
        write_numbers(pl.concat(found), file)


@about(_OPTION)
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
            E164,
        )
    )


def _refuse_erased(source: ListSource, since: datetime, s3: Callable[[], S3Access]) -> None:
    """Fail closed where all numbers are hashes: their people would get the text again.

    Raises:
        InputError: they are.
    """
    texted = _scan_results(source, s3).filter(pl.col("status") == Status.ACCEPTED, pl.col("sent_at") >= since)
    is_erased = texted.select(is_hashed().all() & (pl.len() > 0)).collect(engine="streaming").item()
    if is_erased:
        raise refusal(
            source.uri,
            "its numbers were erased (globe-sms purge), so it isn't known whom to leave out: leave it out of "
            f"{_OPTION}, or lower --exclude-days",
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
        raise InputError(f"{_OPTION} {whole[0]}: {_NO_RESULTS} ({error})") from None


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
