"""The preview says which markers of a missing value the lists have, and in how many rows."""

from pathlib import Path
from typing import Any

from globe_sms.tasks.reports.null_markers import NullMarkers, count_null_markers
from tests.unit.planned_csv import planned

ROWS = "phone,name,code\n" + "".join(
    f"{number},{values}\n"
    for number, values in {
        "6581234560": "Ann,NULL",
        "6581234561": "NULL,nan",
        "6581234562": "Bob,#N/A",
        "6581234563": "Null,7",
        "n/a": "None,7",
    }.items()
)


def markers(folder: Path, message: str, **options: Any) -> NullMarkers | None:
    return count_null_markers(planned(folder, ROWS, message=message, **options))


def test_each_marker_is_counted_with_its_rows(tmp_path: Path) -> None:
    """The first one of a row that could be sent otherwise, also where a default takes its place."""
    found = markers(tmp_path, "Hi {name}, {code|none}")
    assert found == NullMarkers((("NULL", 2), ("#N/A", 1)))
    assert found.sentence() == (
        "Markers of a missing value count as empty in 3 rows: NULL (2), #N/A (1). --keep-null-markers sends them as "
        "they are."
    )


def test_nothing_is_said_where_nothing_was_taken_for_one(tmp_path: Path) -> None:
    assert markers(tmp_path, "Hi {name}", keep_null_markers=True) is None
    assert markers(tmp_path, "Hi") is None
