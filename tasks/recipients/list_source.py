"""A recipient list as found: its URI, its format, and the identity of its content."""

import os
import weakref
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from globe_sms.tasks.recipients.column_samples import ColumnSample
from globe_sms.tasks.recipients.read_options import AS_IT_IS, ReadOptions
from globe_sms.tasks.store.s3_access import is_s3, one_line, split_uri
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed


class Format(StrEnum):
    """The format of a list: detected from a file's content, or named with a table."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    DELTA = "delta"
    ICEBERG = "iceberg"


class Compression(StrEnum):
    """The compression of a CSV or NDJSON list, detected from its first bytes."""

    GZIP = "gzip"
    ZSTD = "zstd"


class EmptyListError(InputError):
    """The lists have no rows, perhaps not even a header."""


class LocalCopy:
    """A temporary copy of a list: decoded to plain UTF-8, or as stored where polars can't reach the object on S3.

    The file is removed with the last ListSource that holds it, at the latest when the process ends.
    """

    def __init__(self, path: Path, *, is_decoded: bool) -> None:
        self.path = path
        self.is_decoded = is_decoded
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
    header_row: int | None = None
    """The line that the header begins on, from 1."""
    rows_above: int = 0
    """How many rows above the header aren't blank."""
    samples: tuple[ColumnSample, ...] = field(default=(), repr=False, compare=False)
    """What the first values of each column look like."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a list come from that isn't a file of the operator's.

    `connection` and `rows` are a query's, `version` is a table's. Its content never changes: a query's rows are kept,
    and each version of a table is another list.
    """

    connection: str | None = None
    rows: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ListReading:
    """What was read of a list, to be shown: where its columns begin, and what was passed over.

    `header_row` counts from 1, as editors and spreadsheets do. `hidden_rows` is how many rows the spreadsheet hides,
    `hidden` what was done with them, and `hidden_sheets` names the sheets that weren't looked at.
    """

    format: str
    number_column: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    rows_above: int = 0
    region_column: str | None = None
    hidden_rows: int = 0
    hidden: str | None = None
    hidden_sheets: tuple[str, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What a folder, prefix or glob holds beside lists: how many files and folders, and the names of the first few."""

    uri: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table at one of its versions.

    Attributes:
        uri: as it was named.
        format: Delta or Iceberg.
        place: the URI or path of the table, or of Iceberg's metadata of this version.
        version: Delta's version, or Iceberg's snapshot; None for an Iceberg table that never had rows.
    """

    uri: str
    format: Format
    place: str
    version: int | None

    @property
    def in_words(self) -> str:
        """The version as people know it."""
        return f"{'version' if self.format is Format.DELTA else 'snapshot'} {self.version}"


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
    copy: LocalCopy | None = field(default=None, repr=False, compare=False)
    options: ReadOptions = AS_IT_IS
    reading: ListReading | None = field(default=None, repr=False, compare=False)
    """What was read of it; None before that."""
    origin: Origin | None = None
    """Of a query or a table; None for a file."""
    table: LakeTable | None = None
    """The table at its version; None for a file."""
    partitions: tuple[tuple[str, str | None], ...] = ()
    """The columns that the folders of a parquet file name, as in `country=SG/`, and their values; the file's own
    columns go before them."""
    passed_over: PassedOver | None = field(default=None, repr=False, compare=False)
    """What was passed over where this list was found; on the first list of each place."""

    @property
    def delimiter(self) -> str | None:
        """The delimiter of a CSV list; None for one column and for other formats."""
        return self.layout.delimiter

    @property
    def on_s3(self) -> bool:
        """Whether the list is on S3, copied or not."""
        return is_s3(self.uri)

    @property
    def bucket(self) -> str | None:
        """The bucket that polars reads the list from; None if it reads a file."""
        return split_uri(self.uri)[0] if self.on_s3 and self.copy is None else None

    @property
    def readable(self) -> str:
        """The path or URI for polars: the local copy if there is one, else the list itself."""
        return os.fspath(self.copy.path) if self.copy else self.uri


def position_names(width: int) -> tuple[str, ...]:
    """Return the column names of a list without a header: the positions, from "1"."""
    return tuple(str(position) for position in range(1, width + 1))


def empty(uri: str) -> EmptyListError:
    """Return the error for an empty list."""
    return EmptyListError(f"{mask_typed(one_line(uri))}: it is empty: remove it, or upload it again")


def refusal(uri: str, what: str) -> InputError:
    """Return a one-line error that names a list and what's wrong with it."""
    return InputError(f"{mask_typed(one_line(uri))}: {what}")
