"""Numbers that earlier campaigns texted lately, from their results (`--exclude-results`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import HASH_KEY, HASHED, NumberHashes, is_hashed, read_hashes
from globe_sms.tasks.campaign.results_schema import E164, RESULTS_SCHEMA
from globe_sms.tasks.planning.left_out import write_numbers
from globe_sms.tasks.recipients import Format, ListSource, find_lists, refusal, translate_errors
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, about
from globe_sms.tasks.vocabulary.statuses import Status

_OPTION: Final = "--exclude-results"
_NUMBER: Final = "phone_number"
_HASHED_AT_ONCE: Final = 500_000  # numbers
_RESULTS: Final = ("status", "sent_at")
_NO_RESULTS: Final = (
    "it isn't a campaign's results.parquet: name the results of earlier campaigns, such as <results>/*/results.parquet"
)


@dataclass(frozen=True, slots=True)
class ErasedResults:
    """Results of which hashes are left (`globe-sms purge`, `forget`): its URI, the key's, and who was texted lately."""

    uri: str
    hashes: NumberHashes
    texted: pl.Series


@about(_OPTION)
def read_texted(
    uris: tuple[str, ...], days: float, s3: Callable[[], S3Access], file: Path, *, now: datetime
) -> tuple[ErasedResults, ...]:
    """Write the numbers that results say were accepted in the last `days` to a file for `leave_out`.

    Returns:
        The results that have hashes instead, for `find_hashed`.

    Raises:
        InputError: results can't be read, aren't results, or have hashes whose key is gone.
    """
    sources = find_results(uris, s3)
    since = now - timedelta(days=days)
    with translate_errors(sources, number_column=_NUMBER, s3=s3):
        erased = [found for source in sources if (found := _erased(source, since, s3)) is not None]
        write_numbers(pl.concat([_texted_since(source, since, s3) for source in sources]), file)
    return tuple(erased)


def find_hashed(erased: Sequence[ErasedResults], rows: pl.LazyFrame, folder: Path) -> tuple[Path, ...]:
    """Return files for `leave_out`: whose of these rows (e164) the hashes are.

    A million numbers take some seconds, and little memory however many there are.
    """
    if not erased:
        return ()
    ours = rows.select(pl.col("e164").drop_nulls().unique()).collect(engine="streaming")["e164"]
    files: list[Path] = []
    for place, results in enumerate(erased):
        found = [
            numbers.filter(results.hashes.of_integers(numbers).is_in(results.texted.implode()))
            for numbers in ours.to_frame().iter_slices(_HASHED_AT_ONCE)
            for numbers in [numbers["e164"]]
        ]
        if numbers := [each for each in found if each.len()]:
            files.append(folder / f"hashed-{place}.parquet")
            source = pl.lit(results.uri).alias("source")
            pl.concat(numbers).to_frame().select("e164", source).write_parquet(files[-1], compression="lz4")
    return tuple(files)


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


def _erased(source: ListSource, since: datetime, s3: Callable[[], S3Access]) -> ErasedResults | None:
    """Return whom hashes say results texted since then; None if they have none.

    Raises:
        InputError: the key is gone: their people would get the text again.
    """
    texted = _scan_results(source, s3).filter(
        pl.col("status") == Status.ACCEPTED, pl.col("sent_at") >= since, is_hashed()
    )
    hashed = texted.select(HASHED).collect(engine="streaming")["e164"].drop_nulls()
    if hashed.is_empty():
        return None
    place = source.uri.rpartition("/")[0].rpartition("/")[0]
    try:
        hashes = read_hashes(open_store(place, s3, _OPTION))
    except StoreError as error:
        raise refusal(
            source.uri, f"its numbers were erased, and the key of their hashes can't be read: {error}"
        ) from error
    if hashes is None:
        raise refusal(
            source.uri,
            f"its numbers were erased (globe-sms purge), and the key of their hashes, {place}/{HASH_KEY}, isn't there, "
            "so it isn't known whom to leave out: name the results where they were written, restore the key, or leave "
            f"them out of {_OPTION}",
        )
    return ErasedResults(source.uri, hashes, hashed)


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
