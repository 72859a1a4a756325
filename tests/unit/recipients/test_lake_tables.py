"""Delta and Iceberg tables as lists: the rows of one version, without those that were deleted from it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.recipients import EmptyListError, ListSource, find_lists, list_files, open_lists, rows_of
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.recipients.lakes import (
    ROWS,
    delete_by_equality,
    delete_by_position,
    delete_by_vector,
    delete_from_delta,
    delta_table,
    iceberg_table,
)

LEFT = [("+6581234561", "Anna"), ("+6581234563", "Cleo")]


def no_s3() -> S3Access:
    raise AssertionError("nothing is on S3")


def read(source: ListSource, s3: Callable[[], S3Access] = no_s3) -> list[tuple[str, str]]:
    """Return number and name of each row, sorted; they are numbered from 0, with the table's URI as their source."""
    opened = open_lists([source], number_column=None, s3=s3, columns=("name",))
    rows = rows_of(opened, s3=s3, columns=("name",)).collect(engine="streaming")
    assert rows["row"].to_list() == [*range(rows.height)]
    assert rows["source"].unique().to_list() == ([source.uri] if rows.height else [])
    return sorted(rows.select("recipient", "name").iter_rows())


@pytest.mark.parametrize("options", [{}, {"partition_by": ["country"]}], ids=["whole", "partitioned"])
def test_rows_that_were_deleted_from_a_delta_table_are_not_read(options: dict[str, list[str]], tmp_path: Path) -> None:
    place = str(tmp_path / "members")
    uri = delta_table(place, **options)
    (first,) = find_lists([uri], no_s3)
    delete_from_delta(place)
    (second,) = find_lists([f"delta+file://{place}/"], no_s3)
    assert (first.identity, second.identity) == ("version 0", "version 1")
    assert read(second) == LEFT
    assert len(read(first)) == 3  # the version that it had when it was found
    assert "country" in open_lists([second], number_column=None, s3=no_s3)[0].names


def test_rows_in_a_deletion_vector_are_not_read(tmp_path: Path) -> None:
    place = str(tmp_path / "members")
    uri = delta_table(place, configuration={"delta.enableDeletionVectors": "true"})
    delete_by_vector(place)
    (found,) = find_lists([uri], no_s3)
    assert read(found) == LEFT


def test_deletion_vectors_that_the_reader_passes_over_are_refused(tmp_path: Path) -> None:
    """It finds them by their file's path. Here the log counts a row more than there is."""
    place = str(tmp_path / "members")
    uri = delta_table(place, configuration={"delta.enableDeletionVectors": "true"})
    delete_by_vector(place, stats='{"numRecords": 4}')
    with pytest.raises(InputError, match=r"its deleted rows \(deletion vectors\) can't be told"):
        find_lists([uri], no_s3)


def test_a_delta_table_with_a_feature_that_cannot_be_honoured_is_refused_by_its_name(tmp_path: Path) -> None:
    uri = delta_table(str(tmp_path / "members"), configuration={"delta.columnMapping.mode": "name"})
    with pytest.raises(InputError, match=r"members: the Delta table can't be read: .*column mapping.*export") as caught:
        find_lists([uri], no_s3)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_vacuumed_is_missed(tmp_path: Path) -> None:
    place = tmp_path / "members"
    (found,) = find_lists([delta_table(str(place))], no_s3)
    next(place.glob("*.parquet")).unlink()
    with pytest.raises((InputError, OSError, pl.exceptions.PolarsError)):
        read(found)


@pytest.mark.parametrize("place", ["delta+{}/none", "iceberg+{}/none", "iceberg+file://{}"])
def test_a_place_without_a_table_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there's no (Delta|Iceberg) table .*check the URI"):
        find_lists([place.format(tmp_path)], no_s3)


@pytest.mark.parametrize(("kind", "package"), [("delta", "deltalake"), ("iceberg", "pyiceberg.table")])
def test_a_missing_extra_is_one_line_with_what_to_install(
    kind: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_delta_log/0.json", "metadata/v1.metadata.json"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("{}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf'isn.t installed: pip install "globe-sms\[{kind}\]"$'):
        find_lists([f"{kind}+{tmp_path}"], no_s3)


class TestIceberg:
    """One table, changed from test to test as a table is: its versions stay."""

    def test_rows_that_were_deleted_by_rewriting_or_by_position_are_not_read(self, tmp_path: Path) -> None:
        with iceberg_table(f"file://{tmp_path}") as table:
            uri = f"iceberg+{tmp_path}/crm/members"
            (first,) = find_lists([uri], no_s3)
            delete_by_position(table)
            (second,) = find_lists([uri], no_s3)
            assert read(second) == LEFT
            table.refresh().delete("name = 'Cleo'")
            (third,) = find_lists([uri], no_s3)
            assert read(third) == LEFT[:1]
            assert len(read(first)) == 3  # the snapshot that it had when it was found
            assert len({first.identity, second.identity, third.identity}) == 3
            assert first.identity.startswith("snapshot ")
            (named,) = find_lists([f"iceberg+{table.refresh().metadata_location}"], no_s3)
            assert read(named) == LEFT[:1]
            metadata = Path(table.metadata_location.removeprefix("file://"))
            shutil.copy(metadata, metadata.with_name(metadata.name.replace("-", "-0", 1)))
            with pytest.raises(InputError, match=r"which metadata file is the table's can't be told .*ask its catalog"):
                find_lists([uri], no_s3)
            (metadata.parent / "version-hint.text").write_text("1")
            (hinted,) = find_lists([uri], no_s3)
            assert hinted.identity == first.identity

    def test_deletes_that_cannot_be_honoured_are_refused_by_their_name(self, tmp_path: Path) -> None:
        with iceberg_table(f"file://{tmp_path}") as table:
            delete_by_equality(table)
        with pytest.raises(InputError, match=r"members: the Iceberg table can't be read: .*equality deletes.*export"):
            find_lists([f"iceberg+{tmp_path}/crm/members"], no_s3)


def test_an_opt_out_table_is_read_again_when_it_has_another_version(tmp_path: Path) -> None:
    place = str(tmp_path / "optouts")
    uri = delta_table(place)
    (before,) = list_files(uri, no_s3)
    delete_from_delta(place)
    (after,) = list_files(uri, no_s3)
    assert (before.uri, before.identity, after.identity) == (uri, "version 0", "version 1")


def test_a_table_without_rows_is_an_empty_list(tmp_path: Path) -> None:
    uri = delta_table(str(tmp_path / "members"), ROWS.clear())
    (found,) = find_lists([uri], no_s3)
    assert read(found) == []


def test_empty_error_names_the_table(tmp_path: Path) -> None:
    with iceberg_table(f"file://{tmp_path}") as table:
        table.catalog.create_table("crm.nobody", schema=table.schema())
    with pytest.raises(EmptyListError, match="nobody: it is empty"):
        find_lists([f"iceberg+{tmp_path}/crm/nobody"], no_s3)
