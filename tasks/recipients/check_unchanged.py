"""Checks that lists haven't changed since they were found."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from globe_sms.tasks.recipients.file_content import identity_of_file, identity_of_object
from globe_sms.tasks.recipients.find_lists import map_in_threads
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.store.s3_access import S3Access, s3_errors_name, split_uri

_WORTH_A_LISTING: Final = 20
_LISTED_AT_ONCE: Final = 1_000


def check_unchanged(sources: Sequence[ListSource], s3: Callable[[], S3Access]) -> None:
    """Check that no list has changed since `find_lists`; call it once the plan is written.

    Many lists in one folder on S3 are looked up in its listing, others cost a HEAD request each; a local list is read
    again.

    Raises:
        InputError: a list has been changed or removed, or can't be reached.
    """
    access = cache(s3)
    if any(source.on_s3 for source in sources):
        access()
    files = [source for source in sources if source.origin is None]
    seen = _seen_in_listings([source.uri for source in files if source.on_s3], access)
    map_in_threads(partial(_check, s3=access), [each for each in files if seen.get(each.uri) != _etag_of(each)])


def _check(source: ListSource, *, s3: Callable[[], S3Access]) -> None:
    if _identity_now(source, s3) != source.identity:
        raise refusal(source.uri, "it has changed since it was found: run the command again")


def _etag_of(source: ListSource) -> str:
    """Return the identity of a list without its version, which listings don't have."""
    return f"etag {source.identity.rpartition('etag ')[2]}"


def _seen_in_listings(uris: Iterable[str], s3: Callable[[], S3Access]) -> dict[str, str]:
    """Return the ETags of objects that have many neighbours among the URIs, as far as listings are worth it."""
    folders: dict[tuple[str, str], list[str]] = {}
    for uri in uris:
        bucket, key = split_uri(uri)
        folders.setdefault((bucket, key[: key.rfind("/") + 1]), []).append(key)
    found: dict[str, str] = {}
    for (bucket, folder), keys in folders.items():
        if len(keys) < _WORTH_A_LISTING:
            continue
        most = len(keys) // _WORTH_A_LISTING + 1  # of pages: the folder may have many more objects
        pages = s3().client().get_paginator("list_objects_v2")
        limit = {"MaxItems": most * _LISTED_AT_ONCE}
        listed = pages.paginate(Bucket=bucket, Prefix=folder, PaginationConfig=limit)
        with suppress(ClientError, BotoCoreError, HTTPError):  # keys that may read but not list: each is asked for
            entries = (entry for page in listed for entry in page.get("Contents", ()))
            found.update((f"s3://{bucket}/{entry['Key']}", identity_of_object(entry)) for entry in entries)
    return found


def _identity_now(source: ListSource, s3: Callable[[], S3Access]) -> str | None:
    if not source.on_s3:
        return identity_of_file(source.uri) if Path(source.uri).exists() else None
    bucket, key = split_uri(source.uri)
    with s3_errors_name(source.uri):
        try:
            return identity_of_object(s3().client().head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                return None
            raise
