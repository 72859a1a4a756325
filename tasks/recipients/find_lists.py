"""URIs -> lists: each is looked at once, before anything is read in earnest."""

import codecs
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from globe_sms.tasks.recipients.csv_dialect import csv_layout
from globe_sms.tasks.recipients.file_content import Head, read_head, unpacked
from globe_sms.tasks.recipients.file_formats import (
    UTF8,
    Text,
    binary_format,
    compression_of,
    decode_head,
    known_encoding,
    parse_line,
    text_format,
    undecodable,
    unpack,
)
from globe_sms.tasks.recipients.list_source import (
    DecodedCopy,
    EmptyListError,
    Format,
    Layout,
    ListSource,
    empty,
    refusal,
)
from globe_sms.tasks.recipients.uri_expansion import expand
from globe_sms.tasks.store.s3_access import S3Access

_FIRST_LOOK = 256 << 10
_SECOND_LOOK = 16 << 20  # for headers with thousands of columns
_AT_ONCE = 16
_SAMPLE_LINES = 200
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def find_lists(
    uris: Sequence[str], s3: Callable[[], S3Access], *, encoding: str | None = None, has_header: bool = True
) -> tuple[ListSource, ...]:
    """Find the recipient lists that URIs stand for, and look at the first bytes of each.

    A URI is an s3:// object, prefix or glob (`*`, `?`, `**`), or a local file, folder or glob. An object or file whose
    name really holds a wildcard is taken literally. The order is that of `uris`, sorted within each; each list stands
    there once. Local files are read once for their SHA-256. A list that is not UTF-8 is copied to a temporary UTF-8
    file, which lives as long as its ListSource. Objects that Spark and the like leave beside the data are passed over,
    and so are empty lists where a prefix, folder or glob stands for others as well.

    Args:
        uris: Where the lists are.
        s3: Gives the access to S3; called only when a URI is on S3.
        encoding: What text lists without a byte order mark are written in; UTF-8 where it is None.
        has_header: Whether CSV lists and workbooks begin with the names of their columns.

    Raises:
        InputError: A URI stands for nothing, or a list cannot be reached, is empty or not in a readable format.
    """
    named = known_encoding(encoding) if encoding is not None else None
    access = cache(s3)
    places = expand(uris, access)
    looked = on_each(partial(_look_for_content, s3=access, named=named, has_header=has_header), _each_once(places))
    found = dict(zip(_each_once(places), looked, strict=True))
    for uri in places:
        _refuse_if_all_empty([found[place] for place in places[uri]])
    return tuple(source for source in looked if isinstance(source, ListSource))


def _each_once(places: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(places.values())))


def _refuse_if_all_empty(looked: Sequence[ListSource | EmptyListError]) -> None:
    empties = [each for each in looked if isinstance(each, EmptyListError)]
    if len(empties) == len(looked):
        raise empties[0]


def _look_for_content(
    uri: str, *, s3: Callable[[], S3Access], named: str | None, has_header: bool
) -> ListSource | EmptyListError:
    try:
        return _look(uri, s3=s3, named=named, has_header=has_header)
    except EmptyListError as error:
        return error


def on_each(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Do what waits for S3 or the disk on each item, 16 at a time, results in order; the first error ends it."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="lists") as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _look(uri: str, *, s3: Callable[[], S3Access], named: str | None, has_header: bool) -> ListSource:
    for limit in (_FIRST_LOOK, _SECOND_LOOK):
        head = read_head(uri, s3, limit)
        source = _judge(uri, head, named, limit, has_header=has_header)
        if source is not None:
            return source if source.encoding == UTF8 else _decoded(source, s3)
        if head.whole:
            break
    raise refusal(uri, f"its first line does not end within {_SECOND_LOOK >> 20} MiB: it is no list")


def _judge(uri: str, head: Head, named: str | None, limit: int, *, has_header: bool) -> ListSource | None:
    """Judge a list by its head; None where more of it is needed."""
    if not head.size:
        raise empty(uri)
    binary = binary_format(uri, head.data)
    if binary is not None:
        return ListSource(uri, binary, None, UTF8, head.size, head.identity, Layout(has_header=has_header))
    compression = compression_of(head.data)
    data = unpack(uri, head.data, compression, limit) if compression else head.data
    text = decode_head(uri, data, named, whole=head.whole and (compression is None or len(data) < limit))
    form = text_format(uri, text)
    layout = _ndjson_layout(text) if form is Format.NDJSON else csv_layout(uri, text, has_header=has_header)
    if layout is None:
        return None
    return ListSource(uri, form, compression, text.encoding, head.size, head.identity, layout)


def _ndjson_layout(head: Text) -> Layout | None:
    lines = head.text.split("\n")
    if not head.whole:
        lines.pop()
    objects = [parsed for line in lines[:_SAMPLE_LINES] if isinstance(parsed := parse_line(line), dict)]
    if not objects:
        return None
    names = dict.fromkeys(str(name) for each in objects for name in each)
    return Layout(names=tuple(names))


def _decoded(source: ListSource, s3: Callable[[], S3Access]) -> ListSource:
    handle, name = tempfile.mkstemp(prefix="globe-sms-list-", suffix=".txt")
    copy = DecodedCopy(Path(name))
    decoder = codecs.getincrementaldecoder(source.encoding)()
    lines, first = 1, True
    with open(handle, "wb") as file:  # noqa: PTH123 - a handle has no path
        for piece in chain(unpacked(source, s3), (b"",)):
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError:
                raise undecodable(source.uri, source.encoding, lines) from None
            file.write((text.removeprefix("\ufeff") if first else text).encode())
            lines += text.count("\n")
            first = first and not text
    return replace(source, copy=copy)
