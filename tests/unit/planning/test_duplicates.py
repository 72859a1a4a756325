"""Rows are ranked and repeated numbers found, however the list is taken apart for it."""

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from globe_sms.tasks.planning.duplicates import rank_rows

LISTS = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=12), max_size=4)


@given(LISTS, st.integers(1, 9), st.integers(1, 9))
@example([], 1, 1)
def test_parts_and_blocks_make_no_difference(lists: list[list[int | None]], part: int, block: int) -> None:
    """Of equal numbers the first row counts, and each later one names it by its list and row."""
    rows = [(f"list-{place}", row, number) for place, numbers in enumerate(lists) for row, number in enumerate(numbers)]
    first: dict[int, tuple[str, int]] = {}
    expected: list[tuple[int | None, str | None, int | None]] = []
    for source, row, number in rows:
        if number is None:
            expected.append((None, None, None))
        elif number in first:
            expected.append((None, *first[number]))
        else:
            expected.append((len(first), None, None))
            first[number] = (source, row)
    frame = pl.DataFrame(
        rows, schema={"source": pl.String, "row": pl.UInt64, "e164": pl.Int64}, orient="row"
    ).with_columns(status=pl.when(pl.col("e164").is_null()).then(pl.lit("invalid")))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "rows.parquet"
        frame.write_parquet(path)
        found = rank_rows(path, Path(name), part_numbers=part, block_rows=block).collect()
    assert found.columns == ["nth", "first_source", "first_row"]
    assert found.rows() == expected


def test_a_row_with_a_status_takes_no_part(tmp_path: Path) -> None:
    """A number that is not sent is no duplicate, and none is one of it."""
    pl.DataFrame(
        {
            "source": ["a"] * 4,
            "row": [0, 1, 2, 3],
            "e164": [1, 1, 1, 1],
            "status": ["suppressed", None, "invalid", None],
        },
        schema_overrides={"row": pl.UInt64},
    ).write_parquet(tmp_path / "rows.parquet")
    found = rank_rows(tmp_path / "rows.parquet", tmp_path).collect()
    assert found.rows() == [(None, None, None), (0, None, None), (None, None, None), (None, "a", 1)]
