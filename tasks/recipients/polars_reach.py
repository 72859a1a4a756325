"""Whether polars' own S3 client can read an object, and a local copy of those that only boto3 can."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from globe_sms.tasks.recipients.file_content import open_stored
from globe_sms.tasks.recipients.list_source import ListSource, LocalCopy, refusal
from globe_sms.tasks.store.s3_access import S3Access, split_uri

_PIECE = 1 << 20
_FAILURES = (OSError, ValueError)


def within_reach(source: ListSource, s3: Callable[[], S3Access]) -> ListSource:
    """Return a list as it is if polars can read it, else with a copy that boto3 has fetched.

    polars drops or refuses empty parts and dots of keys, so those are always fetched. Whether it can reach a bucket at
    all is tried once for each: boto3 knows certificates, proxies and settings of its own that polars doesn't.

    Raises:
        InputError: boto3 can't read it either, or the disk is full.
    """
    if source.bucket is None:
        return source
    _, key = split_uri(source.uri)
    access = s3()
    if polars_takes(key) and access.reached_by_polars(source.bucket, lambda: _reads(source, access)):
        return source
    return fetched(source, s3)


def polars_takes(key: str) -> bool:
    """Whether polars asks for exactly this key: it takes keys for paths."""
    parts = key.split("/")
    return key.isprintable() and not any(part in {"", ".", ".."} for part in parts)


def _reads(source: ListSource, access: S3Access) -> bool:
    options = access.polars_options(source.bucket)
    try:
        pl.scan_lines(source.uri, glob=False, **options).head(1).collect(engine="streaming")
    except _FAILURES:
        return False
    except pl.exceptions.PolarsError:  # it was read, and isn't text
        return True
    return True


def fetched(source: ListSource, s3: Callable[[], S3Access]) -> ListSource:
    """Return a list with a local copy of its object as stored.

    Raises:
        InputError: boto3 can't read it, it has changed, or the disk is full.
    """
    handle, name = tempfile.mkstemp(prefix="globe-sms-list-")
    copy = LocalCopy(Path(name), is_decoded=False)
    with os.fdopen(handle, "wb") as file, open_stored(source, s3) as stored:
        while piece := stored.read(_PIECE):
            try:
                file.write(piece)
            except OSError as error:
                raise refusal(
                    source.uri, f"no copy of it can be written to {tempfile.gettempdir()} ({error.strerror}): make room"
                ) from None
    return replace(source, copy=copy)
