"""Reads the bytes of a list on S3 or disk: its head, its whole stream, its identity."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard
from botocore.exceptions import ClientError

from globe_sms.tasks.recipients.list_source import Compression, ListSource, refusal
from globe_sms.tasks.store.s3_access import S3Access, is_s3, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.errors import InputError

_CHUNK = 1 << 20
_DAMAGED = (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile)
CHANGED = "it changed while it was being read: run the command again"


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a list as stored, with the size and identity of the whole."""

    data: bytes
    size: int
    identity: str

    @property
    def whole(self) -> bool:
        """Whether `data` is the whole list."""
        return len(self.data) >= self.size


def read_head(uri: str, s3: Callable[[], S3Access], limit: int) -> Head:
    """Read up to `limit` first bytes, with the size and identity of the whole.

    Raises:
        InputError: the list is missing or not readable.
    """
    if is_s3(uri):
        return _head_of_object(uri, s3(), limit)
    with _file_errors_name(uri), Path(uri).open("rb") as file:
        data = file.read(limit)
        size = file.seek(0, io.SEEK_END)
    return Head(data, size, identity_of_file(uri))


def _head_of_object(uri: str, access: S3Access, limit: int) -> Head:
    bucket, key = split_uri(uri)
    with s3_errors_name(uri):
        try:
            answer = access.client().get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{limit - 1}")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidRange":
                raise
            answer = access.client().get_object(Bucket=bucket, Key=key)  # an empty object has no first byte
        data: bytes = answer["Body"].read()
    total = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return Head(data, int(total) if total.isdigit() else len(data), identity_of_object(answer))


def identity_of_object(answer: dict[str, Any]) -> str:
    """Return the identity of an object's content (version and ETag) from an S3 answer to get or head."""
    etag = str(answer.get("ETag", "")).strip('"')
    version = answer.get("VersionId")
    return f"version {version}, etag {etag}" if version and version != "null" else f"etag {etag}"


def identity_of_file(path: str) -> str:
    """Return the SHA-256 of a local file; reads the whole file."""
    with _file_errors_name(path), Path(path).open("rb") as file:
        return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def _file_errors_name(path: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise refusal(path, "the file doesn't exist: check the path") from None
    except PermissionError:
        raise refusal(path, "this user isn't allowed to read it: check its permissions") from None
    except OSError as error:
        raise refusal(
            path, f"it can't be read ({error.strerror or type(error).__name__}): check the path and the disk"
        ) from None


@contextmanager
def open_stored(source: ListSource, s3: Callable[[], S3Access]) -> Generator[IO[bytes]]:
    """Open the whole list as stored.

    Raises:
        InputError: the list can't be read, now or later in the block, or it has changed since it was found.
    """
    copied = source.copy is not None and not source.copy.is_decoded
    if copied or not source.on_s3:
        with _file_errors_name(source.uri), Path(source.readable if copied else source.uri).open("rb") as file:
            yield file
        return
    bucket, key = split_uri(source.uri)
    with s3_errors_name(source.uri):
        answer = s3().client().get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            if identity_of_object(answer) != source.identity:
                raise refusal(source.uri, CHANGED)
            yield body


def decompress(source: ListSource, s3: Callable[[], S3Access]) -> Iterator[bytes]:
    """Yield a whole list, decompressed, in pieces of about 1 MiB (a compressed MiB may give more).

    Raises:
        InputError: the list can't be read, or its compression is damaged or truncated.
    """
    with open_stored(source, s3) as stored:
        yield from decompress_stream(source.uri, stored, source.compression)


def decompress_stream(uri: str, stored: IO[bytes], compression: Compression | None) -> Iterator[bytes]:
    """Yield the decompressed content of a stream, in pieces like `decompress`.

    Raises:
        InputError: the compression is damaged or truncated.
    """
    try:
        if compression is Compression.GZIP:
            with gzip.GzipFile(fileobj=stored) as plain:
                yield from _pieces(plain)
        elif compression is Compression.ZSTD:
            yield from _decompress_zstd(_pieces(stored))
        else:
            yield from _pieces(stored)
    except _DAMAGED:
        raise damaged(uri, compression) from None


def _pieces(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
        yield piece


def _decompress_zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # zstandard's stream_reader takes a truncated stream for a complete one.
    frame = None
    for piece in pieces:
        data = piece
        while data:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError


def damaged(uri: str, compression: Compression | None) -> InputError:
    """Return the error for a compressed list that can't be decompressed."""
    return refusal(uri, f"its {compression} compression is damaged or truncated: upload it again")


def decompress_head(uri: str, data: bytes, compression: Compression, limit: int) -> bytes:
    """Decompress the first bytes of a list as far as they go, up to `limit`.

    Raises:
        InputError: the bytes are damaged.
    """
    try:
        if compression is Compression.GZIP:
            return _decompress_gzip(data, limit)
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
        return _read_up_to(reader, limit)
    except _DAMAGED:
        raise damaged(uri, compression) from None


def _decompress_gzip(data: bytes, limit: int) -> bytes:
    plain = bytearray()
    while data.startswith(b"\x1f\x8b") and len(plain) < limit:  # a file may consist of several members
        member = zlib.decompressobj(wbits=31)
        plain += member.decompress(data, limit - len(plain))
        data = member.unused_data
    return bytes(plain)


def _read_up_to(reader: IO[bytes], limit: int) -> bytes:
    plain = bytearray()
    while len(plain) < limit and (piece := reader.read(limit - len(plain))):
        plain += piece
    return bytes(plain)
