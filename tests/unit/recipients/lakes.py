"""Delta and Iceberg tables for tests, with rows that were deleted in each way that a table has for it."""

import json
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.table import Table
from pyiceberg.typedef import Record

ROWS = pl.DataFrame(
    {
        "phone": ["+6581234561", "+6581234562", "+6581234563"],
        "name": ["Anna", "Bert", "Cleo"],
        "country": ["SG", "SG", "MY"],
    }
)
_SECOND_ROW = "^Bg9^0rr910000000000iXQKl0rr91000005c8Xg0rr91"


def delta_table(place: str, rows: pl.DataFrame = ROWS, **options: Any) -> str:
    """Write a table and return its URI as a list."""
    write_deltalake(place, rows, **options)
    return f"delta+{place}"


def delete_from_delta(place: str) -> None:
    """Delete Bert by rewriting files, as deltalake does."""
    DeltaTable(place).delete("name = 'Bert'")


def delete_by_vector(place: str, **changed: Any) -> None:
    """Delete the second row of a table's only file by a deletion vector, as Spark and Databricks do."""
    log = Path(place, "_delta_log")
    actions = [json.loads(line) for line in (log / f"{0:020}.json").read_text("utf-8").splitlines()]
    (added,) = [each["add"] for each in actions if "add" in each]
    vector = {"storageType": "i", "pathOrInlineDv": _SECOND_ROW, "sizeInBytes": 34, "cardinality": 1}
    removed = {"path": added["path"], "dataChange": True, "deletionTimestamp": added["modificationTime"] + 1}
    new = [{"remove": removed}, {"add": {**added, "deletionVector": vector, **changed}}]
    (log / f"{1:020}.json").write_text("\n".join(map(json.dumps, new)), "utf-8")


@contextmanager
def iceberg_table(warehouse: str, **properties: str) -> Generator[Table]:
    """Write a table of format 2, and yield it; its catalog, a database in memory, is closed at the end."""
    with closing(InMemoryCatalog("tests", warehouse=warehouse, **properties)) as catalog:
        catalog.create_namespace("crm")
        rows = ROWS.to_arrow(compat_level=pl.CompatLevel.oldest())
        table = catalog.create_table("crm.members", schema=rows.schema, properties={"format-version": "2"})
        table.append(rows)
        yield table


class _DeletesWriter(ManifestWriterV2):
    """Writes a manifest of deletes, which pyiceberg reads but doesn't write."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def delete_by_position(table: Table) -> Table:
    """Delete the second row as Spark's merge-on-read does."""
    data = next(iter(table.scan().plan_files())).file.file_path
    columns = {"file_path": (pa.string(), "2147483546", [data]), "pos": (pa.int64(), "2147483545", [1])}
    return _deleted(table, columns, DataFileContent.POSITION_DELETES, None)


def delete_by_equality(table: Table) -> Table:
    """Delete Bert as Flink does."""
    return _deleted(table, {"name": (pa.string(), "2", ["Bert"])}, DataFileContent.EQUALITY_DELETES, [2])


def _deleted(table: Table, columns: dict[str, Any], content: DataFileContent, ids: list[int] | None) -> Table:
    fields = [
        pa.field(name, dtype, nullable=False, metadata={"PARQUET:field_id": field})
        for name, (dtype, field, _) in columns.items()
    ]
    path = Path(table.location().removeprefix("file://"), "data", "deletes.parquet")
    pq.write_table(pa.table([values for *_, values in columns.values()], schema=pa.schema(fields)), path)
    file = DataFile.from_args(
        _table_format_version=2,
        content=content,
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=path.stat().st_size,
        equality_ids=ids,
    )
    file.spec_id = 0
    with table.transaction() as change:
        snapshot = change.update_snapshot().fast_append()
        snapshot.append_data_file(file)
        snapshot.new_manifest_writer = lambda spec: _DeletesWriter(  # pyright: ignore[reportAttributeAccessIssue]
            spec, table.schema(), snapshot.new_manifest_output(), snapshot.snapshot_id, "deflate"
        )
        snapshot.commit()
    return table.refresh()
