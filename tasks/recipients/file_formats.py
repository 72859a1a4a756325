"""Detects a list's format, compression and encoding from its first bytes, not from its name."""

import codecs
import json
import re
from dataclasses import dataclass

from globe_sms.tasks.recipients.file_content import decompress_head
from globe_sms.tasks.recipients.list_source import Compression, Format, empty, refusal
from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

UTF8 = "utf-8"
_ACCEPTED = "lists may be CSV or NDJSON (both also as .gz or .zst), parquet or XLSX"
_SAVE_AS = f"save it as one of these: {_ACCEPTED}"
ENCODING_ADVICE = "name the list's encoding with --encoding, such as windows-1252, or save it as UTF-8"
_BINARY_SHARE = 0.05
_FEW_CONTROLS = 8
_ZEROS_OF_UTF16 = 0.4  # the share of zeros in every other byte; far fewer of the bytes in between are zero

_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60)))
_ZIP = b"PK\x03\x04"
_WORKBOOK_PARTS = (b"[Content_Types].xml", b"xl/", b"xl\\", b"_rels/", b"_rels\\", b"docProps", b"customXml/")
# What a zip archive is, by bytes in its head.
_ZIPPED = (
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (ODS)"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file"),
    (b"content.xml", "an OpenDocument file, such as a spreadsheet (ODS)"),
    (b".iwa", "an Apple Numbers document"),
    (b"Index.zip", "an Apple Numbers document"),
)
_COMPOUND = b"\xd0\xcf\x11\xe0"
# What a compound file (OLE) is, by the name of a stream in it.
_STREAMS = (
    ("EncryptedPackage", "it is a password-protected workbook: save it without a password"),
    ("Workbook", "it is an old Excel workbook (XLS): open it in a spreadsheet program and save it as XLSX or CSV"),
    ("Book", "it is an old Excel workbook (XLS): open it in a spreadsheet program and save it as XLSX or CSV"),
    ("WordDocument", f"it is a Word document: {_SAVE_AS}"),
)

# First bytes -> format. All can be fixed by saving the list in another format.
_OTHER_FORMATS = (
    (b"BZh", "it is compressed with bzip2"),
    (b"\xfd7zXZ\x00", "it is compressed with xz"),
    (b"\x04\x22\x4d\x18", "it is compressed with lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "it is compressed with snappy"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive"),
    (b"Rar!", "it is a RAR archive"),
    (b"PK\x05\x06", "it is an empty zip archive"),
    (b"PARE", "it is an encrypted parquet file"),
    (_COMPOUND, "it is an old Excel (.xls) or a password-protected workbook"),
    (b"ARROW1", "it is an Arrow file"),
    (b"ORC", "it is an ORC file"),
    (b"Obj\x01", "it is an Avro file"),
    (b"SQLite format 3", "it is an SQLite database"),
    (b"%PDF", "it is a PDF"),
)
# Longer marks first: UTF-16's is the start of UTF-32's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class DecodedHead:
    """The first part of a text list, decompressed and decoded."""

    text: str
    encoding: str
    whole: bool
    """Whether `text` is the whole list."""


def binary_format(uri: str, data: bytes) -> Format | None:
    """Detect parquet and XLSX by their first bytes; None for possible text, compressed or not.

    Raises:
        InputError: the list has a known but unsupported format; the message names it.
    """
    if data.startswith(b"PAR1"):
        return Format.PARQUET
    if data.startswith(_ZIP):
        return _zip_format(uri, data)
    if data.startswith(_COMPOUND):
        for stream, what in _STREAMS:
            if stream.encode("utf-16-le") in data:
                raise refusal(uri, what)
    for start, what in _OTHER_FORMATS:
        if data.startswith(start):
            raise refusal(uri, f"{what}: {_SAVE_AS}")
    if data[257:262] == b"ustar":
        raise refusal(uri, f"it is a tar archive: unpack it and pass the lists in it; {_ACCEPTED}")
    return None


def _zip_format(uri: str, data: bytes) -> Format:
    for mark, what in _ZIPPED:
        if mark in data:
            raise refusal(uri, f"it is {what}: open it in a spreadsheet program and save it as XLSX or CSV")
    if any(part in data[:4096] for part in _WORKBOOK_PARTS):
        return Format.XLSX
    raise refusal(uri, f"it is a zip archive: unpack it and pass the lists in it; {_ACCEPTED}")


def compression_of(data: bytes) -> Compression | None:
    """Detect gzip and zstd by the first bytes."""
    if data.startswith(_GZIP):
        return Compression.GZIP
    return Compression.ZSTD if data.startswith(_ZSTD) else None


def decompress_text(uri: str, data: bytes, compression: Compression, limit: int) -> bytes:
    """Decompress the head of a list, and check that it's text.

    Raises:
        InputError: the list is damaged, or the content isn't CSV or NDJSON.
    """
    plain = decompress_head(uri, data, compression, limit)
    inner = binary_format(uri, plain)
    if inner is not None or compression_of(plain):
        what = inner or "compressed twice"
        raise refusal(uri, f"only CSV and NDJSON may be compressed with {compression}, but it is {what}: decompress it")
    return plain


def known_encoding(name: str) -> str:
    """Return Python's name for a text encoding.

    Raises:
        InputError: the encoding is unknown.
    """
    try:
        found = codecs.lookup(name)
        "a,\n".encode(found.name)
    except (LookupError, UnicodeError, ValueError, TypeError):
        raise InputError(
            f"unknown text encoding {mask_typed(one_line(name))!r}: try utf-8, utf-16 or windows-1252"
        ) from None
    return UTF8 if found.name in {"utf-8", "utf-8-sig", "ascii"} else found.name


def decode_head(uri: str, data: bytes, named: str | None, *, whole: bool) -> DecodedHead:
    """Decode the first bytes of a text list: by its byte order mark, else as `named`, else as UTF-8.

    Raises:
        InputError: the bytes can't be decoded, or aren't text; the message names the line.
    """
    mark, encoding = next(((mark, name) for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), (b"", None))
    encoding = encoding or named or UTF8
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeError as error:
        place = error.start if isinstance(error, UnicodeDecodeError) else 0
        _refuse_zeros(uri, data, marked=bool(mark), named=named)
        _refuse_binary(uri, data)
        raise decoding_error(uri, encoding, data[:place].count(b"\n") + 1) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        _refuse_zeros(uri, data, marked=bool(mark), named=named)
        line = text[: text.index("\0")].count("\n") + 1
        raise refusal(uri, f"line {line} contains a NUL byte, so the list is damaged: write it again")
    return DecodedHead(text, encoding, whole)


def decoding_error(uri: str, encoding: str, line: int) -> InputError:
    """Return the error for bytes that aren't in the list's encoding."""
    advice = (
        ENCODING_ADVICE if encoding == UTF8 else "name the right encoding with --encoding, or save the list as UTF-8"
    )
    return refusal(uri, f"line {line} isn't {encoding.upper()}: {advice}")


def _refuse_zeros(uri: str, data: bytes, *, marked: bool, named: str | None) -> None:
    if marked or named:
        return
    pairs = len(data) // 2 or 1
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if data[place::2].count(0) > pairs * _ZEROS_OF_UTF16 > data[1 - place :: 2].count(0):
            raise refusal(
                uri, f"it looks like UTF-16 without a byte order mark: name its encoding, {name}, with --encoding"
            )
    _refuse_binary(uri, data)


def _refuse_binary(uri: str, data: bytes) -> None:
    odd = len(re.findall(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", data))
    if odd > max(len(data) * _BINARY_SHARE, _FEW_CONTROLS):
        raise refusal(uri, f"it is neither text nor a supported format: {_SAVE_AS}")


def text_format(uri: str, head: DecodedHead) -> Format:
    """Distinguish NDJSON from CSV by the first characters.

    Raises:
        InputError: the list is empty, XML, HTML, or JSON that isn't one object per line.
    """
    text = head.text.lstrip()
    if not text and head.whole:
        raise empty(uri)
    first = text[:1]
    if first == "<":
        raise refusal(uri, f"it is XML or HTML: {_SAVE_AS}")
    if re.match(r"\[\s*[\[{\"\]]", text):
        raise refusal(uri, "it is one JSON array: write one JSON object per line (NDJSON)")
    if first != "{":
        return Format.CSV
    line, _, rest = text.partition("\n")
    if isinstance(parse_line(line), dict) or not (rest or head.whole):
        return Format.NDJSON
    raise refusal(uri, "its first line isn't a complete JSON object: write one JSON object per line (NDJSON)")


def parse_line(line: str) -> object:
    """Parse one line of NDJSON; None if it isn't valid JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
