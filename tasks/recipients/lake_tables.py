"""Tables of a data lake as lists: `delta+s3://bucket/table` and `iceberg+s3://bucket/table`, each at one version.

A table's files also hold rows that were deleted from it, so its own log says which rows count. What a reader can't
honour is refused by name. The version is the one that the table has when its list is found.
"""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.recipients.file_content import read_head
from globe_sms.tasks.recipients.list_source import Format, LakeTable, refusal
from globe_sms.tasks.store.s3_access import S3Access, is_s3, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_TABLE: Final = re.compile(r"(delta|iceberg)\+(.+)", re.IGNORECASE | re.DOTALL)
_METADATA: Final = re.compile(r"v?(\d+)(-[^/]*)?(\.gz)?\.metadata\.json(\.gz)?")
_HINT: Final = "version-hint.text"
_LONGEST_HINT: Final = 1 << 10
_EXTRAS: Final[Mapping[Format, str]] = {
    Format.DELTA: 'pip install "globe-sms[delta]"',
    Format.ICEBERG: 'pip install "globe-sms[iceberg]"',
}
_EXPORT: Final = "export the table to parquet or CSV, and name what you exported"
# What polars calls the settings of S3, and what pyiceberg does.
_OF_ICEBERG: Final[Mapping[str, str]] = {
    "aws_endpoint_url": "s3.endpoint",
    "aws_region": "s3.region",
    "aws_access_key_id": "s3.access-key-id",
    "aws_secret_access_key": "s3.secret-access-key",
    "aws_session_token": "s3.session-token",
    "aws_virtual_hosted_style_request": "s3.force-virtual-addressing",
}


def is_table(uri: str) -> bool:
    """Whether a list is a table of a data lake."""
    return _TABLE.match(uri) is not None


def find_table_version(uri: str, s3: Callable[[], S3Access]) -> LakeTable:
    """Return a table at the version that it has now, once it's known that its rows can be read.

    Raises:
        InputError: there's no table, it has a feature that can't be honoured, or its extra isn't installed.
    """
    found = _TABLE.fullmatch(uri)
    if found is None:
        raise refusal(uri, "it isn't a table: write it like delta+s3://bucket/table")
    form, place = Format(found[1].lower()), found[2].rstrip("/")
    if not is_s3(place):
        place = str(Path(place.removeprefix("file://")).expanduser().absolute())
    with _reading(uri, form):
        table = (_delta if form is Format.DELTA else _iceberg)(uri, place, s3)
        if table.version is not None:
            scan_table(table, s3).head(1).collect(engine="streaming")
    return table


def scan_table(table: LakeTable, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Return the rows of a table at its version, without those that were deleted; reads only what is selected."""
    options = _options(table.place, s3)
    if table.format is Format.DELTA:
        return pl.scan_delta(table.place, version=table.version, **options)
    storage = _iceberg_properties(options)
    return pl.scan_iceberg(table.place, snapshot_id=table.version, storage_options=storage)


@contextmanager
def reading_table(table: LakeTable) -> Generator[None]:
    """Turn errors of the readers into one line that names the table.

    Raises:
        InputError: for any of them.
    """
    with _reading(table.uri, table.format):
        yield


def _options(place: str, s3: Callable[[], S3Access]) -> dict[str, Any]:
    """Return how polars reads a place, with the settings that deltalake and pyiceberg take, too: texts."""
    if not is_s3(place):
        return {"credential_provider": None}
    options = s3().polars_options(split_uri(place)[0])
    texts = {name: each for name, each in options["storage_options"].items() if isinstance(each, str)}
    return {**options, "storage_options": texts}


def _delta(uri: str, place: str, s3: Callable[[], S3Access]) -> LakeTable:
    if not _names(place, "_delta_log/", s3):
        raise refusal(uri, "there's no Delta table (no _delta_log): check the URI")
    deltalake = import_module("deltalake")
    options = _options(place, s3)
    provider = options["credential_provider"]
    storage = {**options.get("storage_options", {}), **({} if provider is None else provider()[0])}
    stored = deltalake.DeltaTable(place, storage_options=storage)
    table = LakeTable(uri, Format.DELTA, place, int(stored.version()))
    _check_deletions(table, stored, s3)
    return table


def _check_deletions(table: LakeTable, stored: Any, s3: Callable[[], S3Access]) -> None:
    """Make sure that rows in deletion vectors aren't read: they're found by the paths of files, which may differ."""
    if "deletionVectors" not in (stored.protocol().reader_features or ()):
        return
    vectors = pl.DataFrame(stored.deletion_vectors())
    if not vectors.height:
        return
    files = pl.DataFrame(stored.get_add_actions(flatten=True))
    rows = scan_table(table, s3).select(pl.len()).collect(engine="streaming").item()
    deleted: int = vectors.select((~pl.col("selection_vector").explode()).sum()).item()
    if files["num_records"].null_count() or rows != files["num_records"].sum() - deleted:
        raise refusal(table.uri, f"its deleted rows (deletion vectors) can't be told from the others: {_EXPORT}")


def _iceberg(uri: str, place: str, s3: Callable[[], S3Access]) -> LakeTable:
    metadata = place if place.endswith((".metadata.json", ".metadata.json.gz")) else _newest_metadata(uri, place, s3)
    table = import_module("pyiceberg.table")
    import_module("pyiceberg.io.pyarrow")
    stored = table.StaticTable.from_metadata(metadata, _iceberg_properties(_options(metadata, s3)))
    snapshot = stored.current_snapshot()
    return LakeTable(uri, Format.ICEBERG, metadata, None if snapshot is None else int(snapshot.snapshot_id))


def _newest_metadata(uri: str, place: str, s3: Callable[[], S3Access]) -> str:
    """Return the file with the metadata of the table's latest version, as the folder tells without a catalog."""
    names = _names(place, "metadata/", s3)
    numbered = [(int(found[1]), name) for name in names if (found := _METADATA.fullmatch(name))]
    if not numbered:
        raise refusal(uri, "there's no Iceberg table (no metadata/*.metadata.json): check the URI")
    latest = max(number for number, _ in numbered)
    if _HINT in names:
        hint = read_head(f"{place}/metadata/{_HINT}", s3, _LONGEST_HINT).data.decode().strip()
        latest = int(hint) if hint.isdecimal() else latest
    newest = [name for number, name in numbered if number == latest]
    if len(newest) != 1:
        raise refusal(
            uri,
            f"which metadata file is the table's can't be told ({', '.join(sorted(newest)) or f'none of {latest}'}): "
            f"ask its catalog, and name the file: {uri.rstrip('/')}/metadata/...metadata.json",
        )
    return f"{place}/metadata/{newest[0]}"


def _names(place: str, folder: str, s3: Callable[[], S3Access]) -> list[str]:
    """Return the names of the files in a folder of a table."""
    if not is_s3(place):
        return [each.name for each in Path(place, folder).glob("*")]
    bucket, key = split_uri(place)
    prefix = f"{key}/{folder}" if key else folder
    with s3_errors_name(place):
        pages = s3().client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        return [str(entry["Key"]).removeprefix(prefix) for page in pages for entry in page.get("Contents", ())]


def _iceberg_properties(options: Mapping[str, Any]) -> dict[str, str]:
    provider = options["credential_provider"]
    if provider is None:
        return {}
    settings = {**options["storage_options"], **provider()[0]}
    known = {_OF_ICEBERG[name]: value for name, value in settings.items() if name in _OF_ICEBERG}
    others = {name: value for name, value in settings.items() if name in {"aws_allow_http", "aws_request_payer"}}
    return known | others


@contextmanager
def _reading(uri: str, form: Format) -> Generator[None]:
    try:
        yield
    except ImportError:
        raise refusal(uri, f"tables like this need a package that isn't installed: {_EXTRAS[form]}") from None
    except Exception as error:
        if not _is_of_a_reader(error):
            raise
        raise refusal(uri, f"the {form.capitalize()} table can't be read: {_in_words(error)}") from None


def _is_of_a_reader(error: Exception) -> bool:
    """Whether an error comes from polars, deltalake or pyiceberg, or from what they call."""
    module = type(error).__module__.partition(".")[0]
    return isinstance(error, pl.exceptions.PolarsError | OSError | ValueError) or module in {
        *("_internal", "deltalake", "pyiceberg", "pyarrow"),
    }


def _in_words(error: Exception) -> str:
    said = mask_numbers_in((str(error).strip().splitlines() or [type(error).__name__])[0]).rstrip(". ")
    is_feature = any(word in said for word in ("does not support", "not yet support", "unsupported", "requires"))
    return f"{said}: {_EXPORT}" if is_feature else said
