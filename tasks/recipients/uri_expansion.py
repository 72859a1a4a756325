"""Expands URIs to lists: objects, prefixes and globs on S3; files, folders and globs on disk."""

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
# Marker files of Spark, Hive, Databricks, EMR and macOS beside the data; never lists.
_MARKER_FILES = re.compile(r"_SUCCESS|_committed_.*|_started_.*|_(common_)?metadata|\..*\.crc|.*_\$folder\$|\.DS_Store")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def expand(uris: Sequence[str], s3: Callable[[], S3Access]) -> dict[str, list[str]]:
    """Return the sorted URIs of the lists that each of `uris` matches, in the order given.

    Raises:
        InputError: a URI matches nothing, or access is denied.
    """
    if not uris:
        raise InputError("no recipient list was given: name at least one URI")
    files = {uri: list_files(uri, s3) for uri in uris}
    for uri, found in files.items():
        if not found:
            raise refusal(uri, _not_found(uri))
    return {uri: [file.uri for file in found] for uri, found in files.items()}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object or file: its URI, size in bytes, and content identity (ETag; on disk, size and time)."""

    uri: str
    size: int
    identity: str


def list_files(uri: str, s3: Callable[[], S3Access]) -> list[StoredFile]:
    """Return the files that a URI matches, sorted; possibly none.

    Raises:
        InputError: access is denied.
    """
    return _on_s3(uri, s3()) if is_s3(uri) else _on_disk(uri)


def _on_s3(uri: str, access: S3Access) -> list[StoredFile]:
    bucket, key = split_uri(uri)
    if _WILD.search(bucket):
        raise refusal(uri, "a bucket's name can't have wildcards: name one bucket")
    wild = _WILD.search(key)
    with s3_errors_name(uri):
        literal = _exact_object(access.client(), bucket, key) if key and not key.endswith("/") else None
        if literal is not None:
            return [literal]
        if wild:
            fits = re.compile(_pattern(key), re.DOTALL)
            files = [
                file
                for file in _list_objects(access.client(), bucket, key[: wild.start()])
                if fits.fullmatch(split_uri(file.uri)[1])
            ]
        else:
            files = list(_list_objects(access.client(), bucket, key if not key or key.endswith("/") else f"{key}/"))
    return sorted(files, key=lambda file: file.uri)


def _not_found(uri: str) -> str:
    if not is_s3(uri):
        what = "no file matches this pattern" if _WILD.search(uri) else "the file doesn't exist, or the folder is empty"
        return f"{what}: check the path"
    _, key = split_uri(uri)
    if _WILD.search(key):
        return "no object matches this pattern: check it"
    if not key or key.endswith("/"):
        return "no objects have this prefix: check it"
    return "no object or folder has this name: check the URI"


def _exact_object(client: Any, bucket: str, key: str) -> StoredFile | None:
    # Get one byte, because the answer to a refused HEAD gives no reason.
    uri = f"s3://{bucket}/{key}"
    try:
        answer = client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in {"NoSuchKey", "404"}:
            return None
        if code == "InvalidRange":
            return StoredFile(uri, 0, "empty")
        raise
    answer["Body"].close()
    total = str(answer.get("ContentRange", "")).rpartition("/")[2]
    size = int(total) if total.isdigit() else int(answer["ContentLength"])
    return StoredFile(uri, size, _etag(answer))


def _etag(answer: Mapping[str, Any]) -> str:
    etag = str(answer.get("ETag", "")).strip('"')
    return f"etag {etag}"


def _list_objects(client: Any, bucket: str, prefix: str) -> Iterator[StoredFile]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            key = str(entry["Key"])
            marker = key.endswith("/") and not entry["Size"]
            if not marker and not _MARKER_FILES.fullmatch(key.rpartition("/")[2]):
                yield StoredFile(f"s3://{bucket}/{key}", int(entry["Size"]), _etag(entry))


def _pattern(wild: str) -> str:
    """Convert a glob to a regular expression: `*` and `?` stay within a folder, `**` doesn't."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wild)
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part) or re.escape(part) for part in parts)


def _on_disk(uri: str) -> list[StoredFile]:
    path = uri.removeprefix("file://")
    if _SCHEME.match(path):
        raise refusal(uri, "only s3:// URIs and local paths can be read: copy the list to one of them")
    if not path or "\0" in path:
        raise refusal(uri or "''", "it isn't a path: name a file, a folder or a pattern")
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path would fold "**" and the like
    try:
        return [_file(each) for each in sorted(_files(path))]
    except OSError as error:
        raise refusal(uri, f"it can't be looked up ({error.strerror}): check the path") from None


def _file(path: str) -> StoredFile:
    status = Path(path).stat()
    return StoredFile(path, status.st_size, f"size {status.st_size}, changed {status.st_mtime_ns}")


def _files(path: str) -> list[str]:
    file = Path(path)
    if file.is_file():
        return [path]
    if file.is_dir():
        return [str(each) for each in file.rglob("*") if each.is_file() and not _MARKER_FILES.fullmatch(each.name)]
    if file.exists():
        raise refusal(one_line(path), "it isn't a regular file: write the list to a file first")
    if not _WILD.search(path):
        return []
    matches = glob.glob(path.replace("[", "[[]"), recursive=True, include_hidden=True)  # noqa: PTH207 - Path.glob fails on absolute patterns
    return [each for each in matches if Path(each).is_file() and not _MARKER_FILES.fullmatch(Path(each).name)]
