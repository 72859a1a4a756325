"""The failures as a spreadsheet opens them."""

import csv
from pathlib import Path

from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.reports.failures_csv import has_failures, write_failures
from globe_sms.tasks.reports.row_numbers import RowNumbers
from tests.unit.reports.test_campaign_page import report_of

HEADER = ["list", "row", "recipient", "phone_number", "status", "reason", "code", "answer"]
READINGS = [
    ("s3://b/titled.xlsx", ListReading(format="xlsx", number_column="phone", header_row=3)),
    ("s3://b/bare.csv", ListReading(format="csv", number_column="1")),
]


def test_failures_have_the_rows_of_the_spreadsheet_and_no_formulas(tmp_path: Path) -> None:
    """A cell that a spreadsheet would calculate is text; what needs no mending isn't there."""
    rows = [
        {"source": "s3://b/titled.xlsx", "row": 0, "status": "failed", "reason": "SENDER_REFUSED"},
        {"source": "s3://b/titled.xlsx", "row": 1, "status": "accepted", "reason": None},
        {"source": "s3://b/bare.csv", "row": 4, "status": "invalid", "reason": "not_a_number", "recipient": "=1+1"},
        {"source": "s3://b/other.parquet", "row": 2, "status": "unknown", "reason": "no_reply", "recipient": "+65 8"},
    ]
    results, path = report_of(tmp_path, rows).uri, tmp_path / "failures.csv"
    write_failures(Path(results), RowNumbers.of(READINGS), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == HEADER
    assert [(row[0], row[1], row[4]) for row in found[1:]] == [
        ("s3://b/titled.xlsx", "4", "failed"),
        ("s3://b/bare.csv", "5", "invalid"),
        ("s3://b/other.parquet", "3", "unknown"),
    ]
    assert [row[2] for row in found[2:]] == ["'=1+1", "+65 8"]


def test_only_rows_that_need_mending_make_a_file() -> None:
    """Duplicates and opt-outs are as they should be."""
    assert not has_failures({"accepted": 5, "duplicate": 1, "suppressed": 2, "failed": 0})
    assert has_failures({"accepted": 5, "invalid": 1})
