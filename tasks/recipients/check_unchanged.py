"""Checks that lists haven't changed since they were found."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from botocore.exceptions import ClientError

from globe_sms.tasks.recipients.file_content import identity_of_file, identity_of_object
from globe_sms.tasks.recipients.find_lists import map_in_threads
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.store.s3_access import S3Access, s3_errors_name, split_uri


def check_unchanged(sources: Sequence[ListSource], s3: Callable[[], S3Access]) -> None:
    """Check that no list has changed since `find_lists`; call it once the plan is written.

    A list on S3 costs one HEAD request; a local one is read again.

    Raises:
        InputError: a list has been changed or removed, or can't be reached.
    """
    access = cache(s3)
    if any(source.on_s3 for source in sources):
        access()
    map_in_threads(partial(_check, s3=access), sources)


def _check(source: ListSource, *, s3: Callable[[], S3Access]) -> None:
    if source.origin is None and _identity_now(source, s3) != source.identity:
        raise refusal(source.uri, "it has changed since it was found: run the command again")


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
