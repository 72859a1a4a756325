"""Expands URIs to lists and inspects the first bytes of each, before any list is read."""

import codecs
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from globe_sms.tasks.recipients.column_samples import sample_columns
from globe_sms.tasks.recipients.csv_dialect import csv_layout
from globe_sms.tasks.recipients.file_content import Head, decompress, read_head
from globe_sms.tasks.recipients.file_formats import (
    UTF8,
    DecodedHead,
    binary_format,
    compression_of,
    decode_head,
    decoding_error,
    decompress_text,
    known_encoding,
    parse_line,
    text_format,
)
from globe_sms.tasks.recipients.lake_tables import find_table_version, is_table
from globe_sms.tasks.recipients.list_source import (
    EmptyListError,
    Format,
    Layout,
    ListSource,
    LocalCopy,
    Origin,
    PassedOver,
    empty,
    refusal,
)
from globe_sms.tasks.recipients.partitions import partitions_of
from globe_sms.tasks.recipients.polars_reach import within_reach
from globe_sms.tasks.recipients.read_options import AS_IT_IS, ReadOptions
from globe_sms.tasks.recipients.uri_expansion import Expanded, expand
from globe_sms.tasks.store.s3_access import S3Access, one_line

_FIRST_READ = 256 << 10
_SECOND_READ = 16 << 20  # for headers with thousands of columns
_THREADS = 16
_SAMPLE_LINES = 200
_MOST_NAMES = 5
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def find_lists(
    uris: Sequence[str],
    s3: Callable[[], S3Access],
    *,
    encoding: str | None = None,
    has_header: bool = True,
    options: ReadOptions = AS_IT_IS,
    every_file: bool = False,
) -> tuple[ListSource, ...]:
    """Find the recipient lists that URIs match, and inspect the first bytes of each.

    A URI is an s3:// object, prefix or glob (`*`, `?`, `**`), a local file, folder or glob, or a table
    (`delta+s3://...`, `iceberg+s3://...`); a name that exists literally with a wildcard in it is taken literally. Lists
    come in the order of `uris`, sorted within each, without repetitions. Local files are read once for their SHA-256. A
    list that isn't UTF-8 is copied to a temporary UTF-8 file, which lives as long as its ListSource. In a prefix,
    folder or glob, files and folders with the names in `passed_over` are left out, and so are empty lists beside
    others; the first list of each says how many.

    Args:
        uris: URIs of the lists.
        s3: returns the access to S3; called only if a URI is on S3.
        encoding: the encoding of text lists without a byte order mark; None means UTF-8.
        has_header: whether CSV lists and workbooks start with the names of their columns.
        options: what else is known about how to read them.
        every_file: leaves out only known marker files, so that no opt-out list is missed because of its name.

    Raises:
        InputError: a URI matches nothing or a table's folder, or a list can't be read, is empty or of an unsupported
            format.
    """
    named = known_encoding(encoding) if encoding is not None else None
    access = cache(s3)
    expanded = expand(uris, access, every_file=every_file)
    distinct = list(dict.fromkeys(chain.from_iterable(each.uris for each in expanded.values())))
    looked = map_in_threads(
        partial(_inspect_unless_empty, s3=access, named=named, has_header=has_header, options=options), distinct
    )
    found = dict(zip(distinct, looked, strict=True))
    for uri, each in expanded.items():
        _refuse_if_all_empty([found[one] for one in each.uris])
        _say_what_was_passed_over(uri, each, found)
    return tuple(source for source in found.values() if isinstance(source, ListSource))


def _refuse_if_all_empty(looked: Sequence[ListSource | EmptyListError]) -> None:
    empties = [each for each in looked if isinstance(each, EmptyListError)]
    if len(empties) == len(looked):
        raise empties[0]


def _say_what_was_passed_over(uri: str, expanded: Expanded, found: dict[str, ListSource | EmptyListError]) -> None:
    empties = [one.rpartition("/")[2] for one in expanded.uris if not isinstance(found[one], ListSource)]
    names = (*expanded.passed_over, *(f"{name} (empty)" for name in empties))
    for one in expanded.uris if names else ():
        source = found[one]
        if isinstance(source, ListSource) and source.passed_over is None:
            shown = tuple(map(one_line, names[:_MOST_NAMES]))
            found[one] = replace(source, passed_over=PassedOver(one_line(uri), len(names), shown))
            return


def _inspect_unless_empty(
    uri: str, *, s3: Callable[[], S3Access], named: str | None, has_header: bool, options: ReadOptions
) -> ListSource | EmptyListError:
    try:
        return _inspect(uri, s3=s3, named=named, has_header=has_header, options=options)
    except EmptyListError as error:
        return error


def map_in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Run I/O-bound work on all items, 16 at a time, and return the results in order; the first error ends it."""
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="lists") as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _inspect(
    uri: str, *, s3: Callable[[], S3Access], named: str | None, has_header: bool, options: ReadOptions
) -> ListSource:
    if is_table(uri):
        return _table(uri, s3, options)
    for limit in (_FIRST_READ, _SECOND_READ):
        head = read_head(uri, s3, limit)
        source = _describe(uri, head, named, limit, has_header=has_header, options=options)
        if source is not None:
            if source.encoding != UTF8:
                return _decoded(source, s3)
            return source if source.format is Format.XLSX else within_reach(source, s3)
        if head.whole:
            break
    raise refusal(uri, f"its first line is longer than {_SECOND_READ >> 20} MiB: check that it's a list")


def _describe(
    uri: str, head: Head, named: str | None, limit: int, *, has_header: bool, options: ReadOptions
) -> ListSource | None:
    """Describe a list by its head; None if a longer head is needed."""
    if not head.size:
        raise empty(uri)
    binary = binary_format(uri, head.data)
    if binary is not None:
        layout = Layout(has_header=has_header)
        partitions = partitions_of(uri) if binary is Format.PARQUET else ()
        return ListSource(
            uri, binary, None, UTF8, head.size, head.identity, layout, options=options, partitions=partitions
        )
    compression = compression_of(head.data)
    data = decompress_text(uri, head.data, compression, limit) if compression else head.data
    text = decode_head(uri, data, named, whole=head.whole and (compression is None or len(data) < limit))
    form = text_format(uri, text)
    layout = (
        _ndjson_layout(text) if form is Format.NDJSON else csv_layout(uri, text, has_header=has_header, options=options)
    )
    if layout is None:
        return None
    return ListSource(uri, form, compression, text.encoding, head.size, head.identity, layout, options=options)


def _table(uri: str, s3: Callable[[], S3Access], options: ReadOptions) -> ListSource:
    table = find_table_version(uri, s3)
    if table.version is None:
        raise empty(uri)
    version = table.in_words
    return ListSource(
        uri, table.format, None, UTF8, 0, version, options=options, table=table, origin=Origin(version=version)
    )


def _ndjson_layout(head: DecodedHead) -> Layout | None:
    lines = head.text.split("\n")
    if not head.whole:
        lines.pop()
    objects = [parsed for line in lines[:_SAMPLE_LINES] if isinstance(parsed := parse_line(line), dict)]
    if not objects:
        return None
    names = tuple(dict.fromkeys(str(name) for each in objects for name in each))
    rows = [["" if (value := each.get(name)) is None else str(value) for name in names] for each in objects]
    return Layout(names=names, samples=sample_columns(rows, len(names), names))


def _decoded(source: ListSource, s3: Callable[[], S3Access]) -> ListSource:
    handle, name = tempfile.mkstemp(prefix="globe-sms-list-", suffix=".txt")
    copy = LocalCopy(Path(name), is_decoded=True)
    decoder = codecs.getincrementaldecoder(source.encoding)()
    lines, first = 1, True
    with open(handle, "wb") as file:  # noqa: PTH123 - a handle has no path
        for piece in chain(decompress(source, s3), (b"",)):
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError:
                raise decoding_error(source.uri, source.encoding, lines) from None
            file.write((text.removeprefix("\ufeff") if first else text).encode())
            lines += text.count("\n")
            first = first and not text
    return replace(source, copy=copy)
