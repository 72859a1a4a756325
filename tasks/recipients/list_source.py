"""One recipient list, as it was found: where it is, what it is made of, and which version of it was seen."""

import os
import weakref
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed


class Format(StrEnum):
    """What a list is written in, judged by its content."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"
    XLSX = "xlsx"


class Compression(StrEnum):
    """What a CSV or NDJSON list is packed with, judged by its first bytes."""

    GZIP = "gzip"
    ZSTD = "zstd"


class EmptyListError(InputError):
    """A list holds nothing, not even a header."""


class DecodedCopy:
    """A list in another encoding, written to a temporary file as UTF-8.

    The file goes when the last ListSource that holds it goes, and at the latest when the process ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._removal = weakref.finalize(self, _remove, str(path))

    def remove(self) -> None:
        """Remove the file now; doing it twice is harmless."""
        self._removal()


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a text list are cut up; the parts that do not apply stay empty."""

    delimiter: str | None = None
    """One character, or None where a line is one field."""
    names: tuple[str, ...] = ()
    """The column names as written, in order; without a header the places, from "1"."""
    has_header: bool = True
    """Whether a line names the columns; without one, CSV lists and workbooks begin with their first row."""
    header_lines: int = 0
    """Lines of the file before the first data row."""
    spare_fields: int = 1
    """How many fields beyond the columns a row may have before polars gives up; all must be empty."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """One recipient list: an object on S3 or a local file."""

    uri: str
    """`s3://bucket/key`, or the absolute path of a local file."""
    format: Format
    compression: Compression | None
    encoding: str
    size: int
    """Bytes as stored."""
    identity: str
    """Which content this is: the S3 VersionId or ETag, the SHA-256 of a local file."""
    layout: Layout = field(default_factory=Layout)
    copy: DecodedCopy | None = field(default=None, repr=False, compare=False)

    @property
    def delimiter(self) -> str | None:
        """The character between the fields of a CSV list; None for one column and for other formats."""
        return self.layout.delimiter

    @property
    def on_s3(self) -> bool:
        """Whether the list itself (not a decoded copy) is read from S3."""
        return is_s3(self.uri)

    @property
    def readable(self) -> str:
        """What polars opens: the decoded copy where there is one, else the list itself."""
        return os.fspath(self.copy.path) if self.copy else self.uri


def place_names(width: int) -> tuple[str, ...]:
    """Name the columns of a list without a header by their places, from "1"."""
    return tuple(str(place) for place in range(1, width + 1))


def is_s3(uri: str) -> bool:
    """Tell an S3 URI from a local path."""
    return uri.startswith("s3://")


def empty(uri: str) -> EmptyListError:
    """Return the error for a list that holds nothing."""
    return EmptyListError(f"{mask_typed(one_line(uri))}: it is empty: remove it, or upload it again")


def refusal(uri: str, what: str) -> InputError:
    """Return the error that names a list and says what is wrong with it, in one line."""
    return InputError(f"{mask_typed(one_line(uri))}: {what}")
