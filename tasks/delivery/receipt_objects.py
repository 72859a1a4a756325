"""The objects and files that hold delivery receipts: which there are, and their contents."""

import io
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from globe_sms.tasks.recipients.file_content import decompress, decompress_stream, read_head
from globe_sms.tasks.recipients.file_formats import UTF8, compression_of
from globe_sms.tasks.recipients.list_source import Format, Layout, ListSource, refusal
from globe_sms.tasks.recipients.uri_expansion import StoredFile, list_files
from globe_sms.tasks.store.s3_access import S3Access, is_s3, s3_errors_name, split_uri

_AT_ONCE: Final = 16
_SMALL: Final = 1 << 20  # bytes; read whole, sixteen at once
_HEAD: Final = 16


def find_receipts(uris: Sequence[str], s3: Callable[[], S3Access]) -> tuple[dict[str, StoredFile], tuple[str, ...]]:
    """Return the objects and files by URI, each once, and the `uris` where there is nothing yet.

    A URI is an s3:// object, prefix or glob, or a local path. Empty objects are skipped, and so are files and folders
    whose name starts with `_` or `.`, unless the URI names them: the receipts endpoint keeps other things there.

    Raises:
        InputError: a URI can't be listed, or its bucket doesn't exist.
    """
    places: dict[str, StoredFile] = {}
    nothing: list[str] = []
    for uri in uris:
        named = _hidden(uri if is_s3(uri) else str(Path(uri.removeprefix("file://")).expanduser().absolute()))
        found = [place for place in list_files(uri, s3) if place.size and not _hidden(place.uri) - named]
        if not found:
            nothing.append(uri)
        places |= {place.uri: place for place in found}
    return places, tuple(nothing)


def _hidden(uri: str) -> set[str]:
    return {part for part in uri.split("/") if part.startswith(("_", "."))}


def open_receipts(
    places: Sequence[StoredFile], s3: Callable[[], S3Access]
) -> Iterator[tuple[StoredFile, Callable[[], Iterator[bytes]]]]:
    """Yield each object with a function that reads it; small objects are fetched in advance."""
    ahead: deque[tuple[StoredFile, Future[bytes] | None]] = deque()
    waiting = iter(places)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="receipts") as pool:
        try:
            while True:
                while len(ahead) < 2 * _AT_ONCE and (place := next(waiting, None)) is not None:
                    ahead.append((place, pool.submit(_whole, place, s3) if place.size <= _SMALL else None))
                if not ahead:
                    return
                place, fetched = ahead.popleft()
                yield place, lambda place=place, fetched=fetched: _pieces(place, fetched, s3)
        finally:
            pool.shutdown(cancel_futures=True)


def _whole(place: StoredFile, s3: Callable[[], S3Access]) -> bytes:
    if not is_s3(place.uri):
        with _file(place.uri) as file:
            return file.read()
    bucket, key = split_uri(place.uri)
    with s3_errors_name(place.uri):
        return s3().client().get_object(Bucket=bucket, Key=key)["Body"].read()


def _pieces(place: StoredFile, fetched: Future[bytes] | None, s3: Callable[[], S3Access]) -> Iterator[bytes]:
    if fetched is not None:
        body = fetched.result()
        yield from decompress_stream(place.uri, io.BytesIO(body), compression_of(body))
    elif is_s3(place.uri):
        head = read_head(place.uri, s3, _HEAD)
        compression = compression_of(head.data)
        source = ListSource(place.uri, Format.NDJSON, compression, UTF8, head.size, head.identity, Layout())
        yield from decompress(source, s3)
    else:
        with _file(place.uri) as file:
            compression = compression_of(file.read(_HEAD))
            file.seek(0)
            yield from decompress_stream(place.uri, file, compression)


@contextmanager
def _file(path: str) -> Generator[IO[bytes]]:
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise refusal(path, f"it can't be read ({error.strerror or type(error).__name__})") from None
