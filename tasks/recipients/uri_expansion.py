"""Expands URIs to lists: objects, prefixes and globs on S3; files, folders and globs on disk."""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from botocore.exceptions import ClientError

from globe_sms.tasks.recipients.lake_tables import find_table_version, is_table
from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.passed_over import (
    TABLE_FOLDERS,
    all_passed_over,
    find_campaigns,
    find_table,
    folders_above,
    glob_to_regex,
    rule_of,
    table_refusal,
)
from globe_sms.tasks.store.s3_access import S3Access, is_s3, one_line, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.errors import InputError

_WILD = re.compile(r"[*?]")
_MOST_SHOWN = 5
# Marker files of Spark, Hive, Databricks, EMR and macOS beside the data, where every other file counts.
_MARKER_FILES = re.compile(r"_SUCCESS|_committed_.*|_started_.*|_(common_)?metadata|\..*\.crc|.*_\$folder\$|\.DS_Store")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class Expanded:
    """The sorted URIs of the lists that a URI matches, and the files and folders there that aren't lists."""

    uris: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


def expand(uris: Sequence[str], s3: Callable[[], S3Access], *, every_file: bool = False) -> dict[str, Expanded]:
    """Return what each of `uris` matches, in the order given.

    `every_file` passes over only known marker files, so that no opt-out list is missed because of its name.

    Raises:
        InputError: a URI matches nothing or a table's folder, or access is denied.
    """
    if not uris:
        raise InputError("no recipient list was given: name at least one URI")
    found = {uri: _expand(uri, s3, every_file=every_file) for uri in uris}
    for uri, expanded in found.items():
        if expanded.passed_over and not expanded.uris:
            raise refusal(uri, all_passed_over([one_line(each) for each in expanded.passed_over], _MOST_SHOWN))
        if not expanded.uris:
            raise refusal(uri, _not_found(uri))
    return found


def _expand(uri: str, s3: Callable[[], S3Access], *, every_file: bool) -> Expanded:
    if is_table(uri):
        return Expanded((uri.rstrip("/"),))
    listed = _listed_on_s3(uri, s3()) if is_s3(uri) else _listed_on_disk(uri)
    if listed.base is None:
        return Expanded(tuple(file.uri for file in listed.files))
    start = len(listed.base)
    if table := find_table(listed.names):
        raise _refuse_table(f"{listed.base}{table[0]}", table[1])
    if listed.table is not None:
        raise _refuse_table(*listed.table)
    if every_file:
        return Expanded(tuple(file.uri for file in listed.files if not _is_marker(file.uri)))
    part_passed_over = rule_of(listed.pattern, find_campaigns(listed.names))
    parts = {file.uri: part_passed_over(file.uri[start:]) for file in listed.files}
    return Expanded(
        tuple(uri for uri, part in parts.items() if part is None),
        tuple(dict.fromkeys(part for part in parts.values() if part is not None)),
    )


def _refuse_table(folder: str, kind: str) -> InputError:
    place = folder.rstrip("/")
    return refusal(place, table_refusal(kind, place))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object or file: its URI, size in bytes, and content identity (ETag; on disk, size and time)."""

    uri: str
    size: int
    identity: str


@dataclass(frozen=True, slots=True)
class _Listed:
    """What a URI matches. For a folder or a glob also where it is (`base`, up to a slash), and the names to judge by.

    `names` are relative to `base`, and may be more than the files that match; `pattern` is the glob after `base`.
    `table` is the folder and the kind of a table that `base` is a partition of.
    """

    files: Sequence[StoredFile]
    base: str | None = None
    names: Sequence[str] = ()
    pattern: str = ""
    table: tuple[str, str] | None = None


def list_files(uri: str, s3: Callable[[], S3Access]) -> list[StoredFile]:
    """Return the files that a URI matches, sorted, without known marker files; possibly none. A table is one.

    Raises:
        InputError: access is denied.
    """
    if is_table(uri):
        return [StoredFile(uri, 0, find_table_version(uri, s3).in_words)]
    listed = _listed_on_s3(uri, s3()) if is_s3(uri) else _listed_on_disk(uri)
    return [file for file in listed.files if listed.base is None or not _is_marker(file.uri)]


def _is_marker(uri: str) -> bool:
    return _MARKER_FILES.fullmatch(uri.rpartition("/")[2]) is not None


def _listed_on_s3(uri: str, access: S3Access) -> _Listed:
    bucket, key = split_uri(uri)
    if _WILD.search(bucket):
        raise refusal(uri, "a bucket's name can't have wildcards: name one bucket")
    wild = _WILD.search(key)
    with s3_errors_name(uri):
        literal = _exact_object(access.client(), bucket, key) if key and not key.endswith("/") else None
        if literal is not None:
            return _Listed([literal])
        if wild:
            folder = key[: key.rfind("/", 0, wild.start()) + 1]
            fits = re.compile(glob_to_regex(key), re.DOTALL)
            everything = list(_list_objects(access.client(), bucket, key[: wild.start()]))
            everything += _signs_of_a_table(access.client(), bucket, folder)
            files = [file for file in everything if fits.fullmatch(split_uri(file.uri)[1])]
        else:
            folder = key if not key or key.endswith("/") else f"{key}/"
            files = everything = list(_list_objects(access.client(), bucket, folder))
        table = _table_above(folder, lambda above: _keys_that_tell(access.client(), bucket, above))
    base = f"s3://{bucket}/{folder}"
    return _Listed(
        sorted(files, key=lambda file: file.uri),
        base,
        [file.uri[len(base) :] for file in everything],
        key[len(folder) :] if wild else "",
        None if table is None else (f"s3://{bucket}/{table[0]}", table[1]),
    )


def _table_above(folder: str, names_in: Callable[[str], Iterable[str]]) -> tuple[str, str] | None:
    """Return the folder and the kind of the table that a folder is a partition of; None if it isn't in one.

    `names_in` returns those of the names in a folder that tell what it is, relative to it.
    """
    for above in folders_above(folder):
        found = find_table(names_in(above))
        if found is not None and not found[0]:
            return above, found[1]
    return None


def _keys_that_tell(client: Any, bucket: str, folder: str) -> list[str]:
    return [split_uri(file.uri)[1].removeprefix(folder) for file in _signs_of_a_table(client, bucket, folder)]


def _signs_of_a_table(client: Any, bucket: str, folder: str) -> list[StoredFile]:
    """Return objects that tell that a folder is a table, which a glob's own listing may not have."""
    found: list[StoredFile] = []
    for name in TABLE_FOLDERS:
        try:
            page = client.list_objects_v2(Bucket=bucket, Prefix=f"{folder}{name}")
        except ClientError:  # keys that may list the glob only
            continue
        found += _objects_of(page, bucket)
    return found


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
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from _objects_of(page, bucket)


def _objects_of(page: Mapping[str, Any], bucket: str) -> Iterator[StoredFile]:
    for entry in page.get("Contents", ()):
        key = str(entry["Key"])
        if entry["Size"] or not key.endswith("/"):
            yield StoredFile(f"s3://{bucket}/{key}", int(entry["Size"]), _etag(entry))


def _listed_on_disk(uri: str) -> _Listed:
    path = uri.removeprefix("file://")
    if _SCHEME.match(path):
        raise refusal(uri, "only s3:// URIs and local paths can be read: copy the list to one of them")
    if not path or "\0" in path:
        raise refusal(uri or "''", "it isn't a path: name a file, a folder or a pattern")
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path would fold "**" and the like
    try:
        return _listed(path)
    except OSError as error:
        raise refusal(uri, f"it can't be looked up ({error.strerror}): check the path") from None


def _file(path: str) -> StoredFile:
    status = Path(path).stat()
    return StoredFile(path, status.st_size, f"size {status.st_size}, changed {status.st_mtime_ns}")


def _listed(path: str) -> _Listed:
    file = Path(path)
    if file.is_file():
        return _Listed([_file(path)])
    if file.is_dir():
        base = f"{path.rstrip('/')}/"
        paths = sorted(str(each) for each in file.rglob("*") if each.is_file())
        names = [each[len(base) :] for each in paths]
        return _Listed([_file(each) for each in paths], base, names, table=_table_above(base, _files_that_tell))
    if file.exists():
        raise refusal(one_line(path), "it isn't a regular file: write the list to a file first")
    wild = _WILD.search(path)
    if not wild:
        return _Listed([])
    matches = glob.glob(path.replace("[", "[[]"), recursive=True, include_hidden=True)  # noqa: PTH207 - Path.glob fails on absolute patterns
    base = path[: path.rfind("/", 0, wild.start()) + 1]
    paths = sorted({each for each in matches if Path(each).is_file()})
    table = _table_above(base, _files_that_tell)
    return _Listed([_file(each) for each in paths], base, _names_above(base, paths), path[len(base) :], table)


def _names_above(base: str, paths: Sequence[str]) -> list[str]:
    """Return the files of a glob, relative to its base, and those in their folders that say what the folder is."""
    names = {each[len(base) :] for each in paths}
    folders = {str(parent) for name in names for parent in PurePath(name).parents}
    for folder in folders:
        start = Path(base, folder)
        names |= {str(Path(folder, name)) for name in _files_that_tell(start)}
    return sorted(names)


def _files_that_tell(folder: str | Path) -> list[str]:
    """Return the files in a folder that tell that it's a table or a campaign, relative to it."""
    start = Path(folder)
    telling = (
        start / "campaign.json",
        start / "plan.parquet",
        start / "results.parquet",
        start / ".hoodie_partition_metadata",
        *start.glob("plans/*"),
        *start.glob("_delta_log/*"),
        *start.glob("metadata/*.metadata.json"),
        *start.glob(".hoodie/*"),
    )
    return [str(each.relative_to(start)) for each in telling if each.exists()]
