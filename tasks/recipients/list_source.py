"""A recipient list as found: its URI, its format, and the identity of its content."""

import os
import weakref
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed


class Format(StrEnum):
    """The format of a list, detected from its content."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"
    XLSX = "xlsx"


class Compression(StrEnum):
    """The compression of a CSV or NDJSON list, detected from its first bytes."""

    GZIP = "gzip"
    ZSTD = "zstd"


class EmptyListError(InputError):
    """The lists have no rows, perhaps not even a header."""


class DecodedCopy:
    """A temporary UTF-8 copy of a list in another encoding.

    The file is removed with the last ListSource that holds it, at the latest when the process ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._removal = weakref.finalize(self, _remove, str(path))

    def remove(self) -> None:
        """Remove the file now; safe to call twice."""
        self._removal()


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text list is split into rows and fields; fields that don't apply keep their defaults."""

    delimiter: str | None = None
    """One character, or None if each line is one field."""
    names: tuple[str, ...] = ()
    """The column names as written, in order; without a header the positions, from "1"."""
    has_header: bool = True
    """Whether a first line names the columns; without one, the first line is a row."""
    header_lines: int = 0
    """Lines of the file before the first data row."""
    spare_fields: int = 1
    """How many fields more than columns a row may have before polars fails; all must be empty."""


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
    """The identity of the content: S3 VersionId or ETag, or the SHA-256 of a local file."""
    layout: Layout = field(default_factory=Layout)
    copy: DecodedCopy | None = field(default=None, repr=False, compare=False)

    @property
    def delimiter(self) -> str | None:
        """The delimiter of a CSV list; None for one column and for other formats."""
        return self.layout.delimiter

    @property
    def on_s3(self) -> bool:
        """Whether the list itself (not a decoded copy) is read from S3."""
        return is_s3(self.uri)

    @property
    def readable(self) -> str:
        """The path or URI for polars: the decoded copy if there is one, else the list itself."""
        return os.fspath(self.copy.path) if self.copy else self.uri


def position_names(width: int) -> tuple[str, ...]:
    """Return the column names of a list without a header: the positions, from "1"."""
    return tuple(str(position) for position in range(1, width + 1))


def is_s3(uri: str) -> bool:
    """Whether this is an S3 URI, not a local path."""
    return uri.startswith("s3://")


def empty(uri: str) -> EmptyListError:
    """Return the error for an empty list."""
    return EmptyListError(f"{mask_typed(one_line(uri))}: it is empty: remove it, or upload it again")


def refusal(uri: str, what: str) -> InputError:
    """Return a one-line error that names a list and what's wrong with it."""
    return InputError(f"{mask_typed(one_line(uri))}: {what}")
