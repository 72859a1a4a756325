"""Opens a workbook's zip archive, once its own directory says that it's an XLSX workbook of acceptable size."""

import io
import zipfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import IO, Final

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.vocabulary.errors import InputError

SAVE_AS: Final = "open it in a spreadsheet program and save it as XLSX or CSV"
DAMAGED: Final = "it isn't a readable XLSX workbook: save it again, or as CSV"
_LARGEST_UNPACKED: Final = 2 << 30
_MOST_PARTS: Final = 20_000
_LARGEST_DIRECTORY: Final = 8 << 20
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_LONGEST_COMMENT: Final = 1 << 16
_STREAMED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks others in pieces of any size
# zipfile raises RuntimeError, or a subclass of it, for a part that is encrypted, patched or of a later version.
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)

# A part of the archive, in lower case -> what the archive is.
_OTHER_PACKAGES: Final = (
    ("xl/workbook.bin", "a binary Excel workbook (XLSB)"),
    ("content.xml", "an OpenDocument file, such as an ODS spreadsheet"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint presentation"),
    ("index/document.iwa", "an Apple Numbers document"),
    ("index.zip", "an Apple Numbers document"),
)


class Package:
    """The parts of an open workbook, by their names in any case."""

    def __init__(self, uri: str, archive: zipfile.ZipFile) -> None:
        self.uri = uri
        self._archive = archive
        self._parts = {_plain(part.filename): part for part in archive.infolist()}

    def has(self, name: str) -> bool:
        """Whether it has a part of this name."""
        return _plain(name) in self._parts

    @contextmanager
    def open(self, name: str) -> Generator[IO[bytes]]:
        """Open a part; what is read of it never exceeds the size that the archive's directory gives.

        Raises:
            InputError: the part doesn't exist or is damaged; also for errors while it's read.
        """
        try:
            entry = self._parts[_plain(name)]
            if entry.compress_type not in _STREAMED:
                raise refusal(self.uri, DAMAGED)
            with self._archive.open(entry) as part:
                yield part
        except InputError:
            raise
        except (KeyError, *_UNREADABLE):
            raise refusal(self.uri, DAMAGED) from None


@contextmanager
def open_package(uri: str, file: IO[bytes]) -> Generator[Package]:
    """Open a workbook.

    Raises:
        InputError: it is something else (the message says what), too large when unpacked, or damaged.
    """
    try:
        _check_directory(uri, file)
        archive = zipfile.ZipFile(file)
    except _UNREADABLE:
        raise refusal(uri, DAMAGED) from None
    with archive:
        parts = archive.infolist()
        _check_kind(uri, [part.filename for part in parts])
        if sum(part.file_size for part in parts) > _LARGEST_UNPACKED:
            raise refusal(uri, f"it unpacks to more than {_LARGEST_UNPACKED >> 30} GiB: save the list as CSV")
        yield Package(uri, archive)


def _check_directory(uri: str, file: IO[bytes]) -> None:
    """Refuse a directory with so many parts that listing them would fill the memory."""
    size = file.seek(0, io.SEEK_END)
    tail = min(size, _END_SIZE + _LONGEST_COMMENT)
    file.seek(size - tail)
    data = file.read(tail)
    place = data.rfind(_END)
    if place < 0 or len(data) < place + _END_SIZE:
        raise zipfile.BadZipFile
    parts = int.from_bytes(data[place + 10 : place + 12], "little")
    directory = int.from_bytes(data[place + 12 : place + 16], "little")
    if parts > _MOST_PARTS or directory > _LARGEST_DIRECTORY:
        raise refusal(uri, f"it is a zip archive of more than {_MOST_PARTS:,} parts, not a workbook: {SAVE_AS}")
    file.seek(0)


def _check_kind(uri: str, names: Sequence[str]) -> None:
    plain = {_plain(name) for name in names}
    for part, what in _OTHER_PACKAGES:
        if part in plain:
            raise refusal(uri, f"it is {what}: {SAVE_AS}")
    if any(name.startswith("index/") and name.endswith(".iwa") for name in plain):
        raise refusal(uri, f"it is an Apple Numbers document: {SAVE_AS}")
    if any("\\" in name for name in names):
        raise refusal(
            uri,
            "it is an XLSX workbook whose parts are named with backslashes, against the format, so a faulty program "
            f"wrote it: {SAVE_AS}",
        )
    if not any(name.startswith("xl/") and name.endswith(".xml") for name in plain):
        raise refusal(uri, "it is a zip archive, not an XLSX workbook: unpack it and pass the lists in it")


def _plain(name: str) -> str:
    return name.lstrip("/").casefold()
