"""Which lists a URI stands for: objects, prefixes and globs on S3; files, folders and globs on disk."""

import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from globe_sms.tasks.recipients.list_source import is_s3, refusal
from globe_sms.tasks.store.s3_access import S3Access, one_line, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.errors import InputError

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
    places = {uri: look_up(uri, s3) for uri in uris}
    for uri, found in places.items():
        if not found:
            raise refusal(uri, _nothing_there(uri))
    return {uri: [place.uri for place in found] for uri, found in places.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """One object or file: its URI, its size in bytes, and which content it has (ETag; size and time on disk)."""

    uri: str
    size: int
    identity: str


def look_up(uri: str, s3: Callable[[], S3Access]) -> list[Place]:
    """Return what a URI stands for, sorted; it may be nothing.

    Raises:
        InputError: It may not be looked up.
    """
    return _on_s3(uri, s3()) if is_s3(uri) else _on_disk(uri)


def _on_s3(uri: str, access: S3Access) -> list[Place]:
    bucket, key = split_uri(uri)
    if _WILD.search(bucket):
        raise refusal(uri, "a bucket's name has no wildcards: name one bucket")
    wild = _WILD.search(key)
    with s3_errors_name(uri):
        literal = _literal(access.client(), bucket, key) if key and not key.endswith("/") else None
        if literal is not None:
            return [literal]
        if wild:
            fits = re.compile(_pattern(key), re.DOTALL)
            places = [
                place
                for place in _keys(access.client(), bucket, key[: wild.start()])
                if fits.fullmatch(split_uri(place.uri)[1])
            ]
        else:
            places = list(_keys(access.client(), bucket, key if not key or key.endswith("/") else f"{key}/"))
    return sorted(places, key=lambda place: place.uri)


def _nothing_there(uri: str) -> str:
    if not is_s3(uri):
        what = "no file fits this pattern" if _WILD.search(uri) else "there is no such file, or the folder is empty"
        return f"{what}: check the path"
    _, key = split_uri(uri)
    if _WILD.search(key):
        return "no object fits this pattern: check it"
    if not key or key.endswith("/"):
        return "there are no objects under this prefix: check it"
    return "there is no such object, and none under it as a folder: check the URI"


def _literal(client: Any, bucket: str, key: str) -> Place | None:
    # One byte is asked for, since the answer to a HEAD says nothing of why it was refused.
    uri = f"s3://{bucket}/{key}"
    try:
        answer = client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in {"NoSuchKey", "404"}:
            return None
        if code == "InvalidRange":
            return Place(uri, 0, "empty")
        raise
    answer["Body"].close()
    total = str(answer.get("ContentRange", "")).rpartition("/")[2]
    size = int(total) if total.isdigit() else int(answer["ContentLength"])
    return Place(uri, size, _etag(answer))


def _etag(answer: Mapping[str, Any]) -> str:
    etag = str(answer.get("ETag", "")).strip('"')
    return f"etag {etag}"


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[Place]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            key = str(entry["Key"])
            marker = key.endswith("/") and not entry["Size"]
            if not marker and not _LEFT_BESIDE.fullmatch(key.rpartition("/")[2]):
                yield Place(f"s3://{bucket}/{key}", int(entry["Size"]), _etag(entry))


def _pattern(wild: str) -> str:
    """Write a glob as a regular expression: `*` and `?` stay within one folder, `**` does not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wild)
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part) or re.escape(part) for part in parts)


def _on_disk(uri: str) -> list[Place]:
    path = uri.removeprefix("file://")
    if _SCHEME.match(path):
        raise refusal(uri, "only s3:// URIs and local paths can be read: copy the list to one of them")
    if not path or "\0" in path:
        raise refusal(uri or "''", "this is no path: name a file, a folder or a pattern")
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path would fold "**" and the like
    try:
        return [_file(each) for each in sorted(_files(path))]
    except OSError as error:
        raise refusal(uri, f"it cannot be looked up ({error.strerror})") from None


def _file(path: str) -> Place:
    status = Path(path).stat()
    return Place(path, status.st_size, f"size {status.st_size}, changed {status.st_mtime_ns}")


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
