"""Which lists a URI stands for: objects, prefixes and globs on S3; files, folders and globs on disk."""

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tasks.errors import InputError
from tasks.recipients.sources import is_s3, refusal
from tasks.s3 import S3Access, one_line, s3_errors_name, split_uri

_WILD = re.compile(r"[*?]")
# What Spark, Hive, Databricks, EMR and macOS leave beside the data; never lists.
_LEFT_BESIDE = re.compile(r"_SUCCESS|_committed_.*|_started_.*|_(common_)?metadata|\..*\.crc|.*_\$folder\$|\.DS_Store")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def expand(uris: Sequence[str], s3: Callable[[], S3Access]) -> dict[str, list[str]]:
    """Return for each of `uris`, in the order given, the URIs of the lists that it stands for, sorted.

    Raises:
        InputError: A URI stands for nothing, or may not be looked up.
    """
    if not uris:
        raise InputError("no recipient list was given: name at least one URI")
    return {uri: _on_s3(uri, s3()) if is_s3(uri) else _on_disk(uri) for uri in uris}


def _on_s3(uri: str, access: S3Access) -> list[str]:
    bucket, key = split_uri(uri)
    if _WILD.search(bucket):
        raise refusal(uri, "a bucket's name has no wildcards: name one bucket")
    wild = _WILD.search(key)
    with s3_errors_name(uri):
        if key and not key.endswith("/") and _exists(access.client(), bucket, key):
            keys = [key]
        elif wild:
            fits = re.compile(_pattern(key), re.DOTALL)
            keys = [each for each in _keys(access.client(), bucket, key[: wild.start()]) if fits.fullmatch(each)]
        else:
            keys = list(_keys(access.client(), bucket, key if not key or key.endswith("/") else f"{key}/"))
    if not keys:
        raise refusal(uri, _nothing_there(key, wild=bool(wild)))
    return [f"s3://{bucket}/{each}" for each in sorted(keys)]


def _nothing_there(key: str, *, wild: bool) -> str:
    if wild:
        return "no object fits this pattern: check it"
    if not key or key.endswith("/"):
        return "there are no objects under this prefix: check it"
    return "there is no such object, and none under it as a folder: check the URI"


def _exists(client: Any, bucket: str, key: str) -> bool:
    # One byte is asked for, since the answer to a HEAD says nothing of why it was refused.
    try:
        client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in {"NoSuchKey", "404"}:
            return False
        return _is_empty_object(error)
    return True


def _is_empty_object(error: ClientError) -> bool:
    if error.response.get("Error", {}).get("Code") == "InvalidRange":
        return True
    raise error


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            key = str(entry["Key"])
            marker = key.endswith("/") and not entry["Size"]
            if not marker and not _LEFT_BESIDE.fullmatch(key.rpartition("/")[2]):
                yield key


def _pattern(wild: str) -> str:
    """Write a glob as a regular expression: `*` and `?` stay within one folder, `**` does not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wild)
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part) or re.escape(part) for part in parts)


def _on_disk(uri: str) -> list[str]:
    path = uri.removeprefix("file://")
    if _SCHEME.match(path):
        raise refusal(uri, "only s3:// URIs and local paths can be read: copy the list to one of them")
    if not path or "\0" in path:
        raise refusal(uri or "''", "this is no path: name a file, a folder or a pattern")
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path would fold "**" and the like
    try:
        found = _files(path)
    except OSError as error:
        raise refusal(uri, f"it cannot be looked up ({error.strerror})") from None
    if not found:
        what = "no file fits this pattern" if _WILD.search(path) else "there is no such file, or the folder is empty"
        raise refusal(uri, f"{what}: check the path")
    return sorted(found)


def _files(path: str) -> list[str]:
    place = Path(path)
    if place.is_file():
        return [path]
    if place.is_dir():
        return [str(each) for each in place.rglob("*") if each.is_file() and not _LEFT_BESIDE.fullmatch(each.name)]
    if place.exists():
        raise refusal(one_line(path), "this is no regular file: write the list to a file first")
    if not _WILD.search(path):
        return []
    matches = glob.glob(path.replace("[", "[[]"), recursive=True, include_hidden=True)  # noqa: PTH207 - Path.glob fails on absolute patterns
    return [each for each in matches if Path(each).is_file() and not _LEFT_BESIDE.fullmatch(Path(each).name)]
