"""Columns of the lists that a campaign keeps: under which names, with which types, over several lists."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.recipients import KEPT, find_lists, read_lists, translate_errors
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.recipients.list_files import no_s3, workbook

PHONES = ["+6581234567", "+6581234568"]


def kept(folder: Path, keep: Sequence[str], **lists: pl.DataFrame | str | bytes) -> pl.DataFrame:
    """Write lists (a frame as parquet), and return the columns that are kept of them."""
    paths: list[str] = []
    for name, content in lists.items():
        path = folder / name
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(str(path))
    sources = find_lists(paths, no_s3)
    with translate_errors(sources, number_column="phone", s3=no_s3, keep=keep):
        rows = read_lists(sources, number_column="phone", s3=no_s3, keep=keep).collect(engine="streaming")
    return rows.select(pl.col(f"^{KEPT}.*$").name.map(lambda name: name.removeprefix(KEPT)))


def test_a_parquet_list_s_columns_keep_their_types(tmp_path: Path) -> None:
    """Whatever they are; categories and columns without a value are text."""
    frame = pl.DataFrame(
        {
            "phone": PHONES,
            "id": pl.Series([2**62 + 1, None], dtype=pl.UInt64),
            "since": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), None],
            "spent": [0.1, float("nan")],
            "tags": [["a", None], []],
            "address": [{"city": "Bern", "lines": [1]}, None],
            "vip": [True, None],
            "key": [b"\xff", None],
        }
    )
    found = kept(tmp_path, ["*"], one=frame)
    assert found.equals(frame)
    assert found.schema == frame.schema
    texts = frame.select("phone", segment=pl.Series(["gold", None], dtype=pl.Categorical), nothing=pl.lit(None))
    assert kept(tmp_path, ["nothing", "segment"], one=texts).schema == {"nothing": pl.String, "segment": pl.String}


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("phone,id,name\n+6581234567,007,\n+6581234568,1.0,Zoë\n", [("007", None), ("1.0", "Zoë")]),
        ('{"phone":"+6581234567","id":7,"name":null}\n{"phone":"1","name":["a"]}\n', [("7", None), (None, '["a"]')]),
        (workbook([["phone", "id", "name"], ["+6581234567", 7, None], ["1", "x", "Zoë"]]), [("7", None), ("x", "Zoë")]),
    ],
    ids=["csv", "ndjson", "xlsx"],
)
def test_other_lists_have_text_as_written(content: str | bytes, texts: list[object], tmp_path: Path) -> None:
    found = kept(tmp_path, ["id", "name"], one=content)
    assert found.schema == {"id": pl.String, "name": pl.String}
    assert found.rows() == texts


def test_of_several_lists_a_column_has_the_first_one_s_name_and_a_type_that_fits_them_all(tmp_path: Path) -> None:
    """Whole numbers stay whole numbers; what isn't alike becomes text, as each list wrote it."""
    one = pl.DataFrame({"phone": PHONES[:1], "Customer ID": pl.Series([1], dtype=pl.Int32), "n": [1], "x": [1.5]})
    two = pl.DataFrame({"phone": PHONES[1:], "customer_id": [2**40], "n": [2.5], "x": ["a"]})
    found = kept(tmp_path, ["customer_id", "n", "x"], one=one, two=two)
    assert found.schema == {"Customer ID": pl.Int64, "n": pl.String, "x": pl.String}
    assert found.rows() == [(1, "1", "1.5"), (2**40, "2.5", "a")]


def test_all_columns_of_lists_that_differ_are_the_columns_of_any(tmp_path: Path) -> None:
    """A list without one has no values there; columns without a name, as pandas writes its index, are passed over."""
    found = kept(tmp_path, ["*"], one=",phone,a\n0,+6581234567,1\n", two=pl.DataFrame({"phone": PHONES[1:], "b": [2]}))
    assert found.to_dicts() == [{"phone": PHONES[0], "a": "1", "b": None}, {"phone": PHONES[1], "a": None, "b": 2}]


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    """A column that a list lacks, with the names that are there; types that can't be one, not even as text."""
    with pytest.raises(InputError, match=r"two: no column 'b' \(columns: phone, a\); --keep names it$"):
        kept(tmp_path, ["b"], one="phone,b\n1,2\n", two="phone,a\n1,2\n")
    with pytest.raises(InputError, match=r"several columns are named 'a'"):
        kept(tmp_path, ["*"], one="phone,a,a\n1,2,3\n")
    nested = pl.DataFrame({"phone": PHONES, "a": [["x"], ["y"]]})
    with pytest.raises(InputError, match=r"two: the column 'a' is of type List\(String\), and of type String in"):
        kept(tmp_path, ["a"], one="phone,a\n1,2\n", two=nested)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.text("ab,;\"'|é \n", min_size=1, max_size=5).map(lambda text: f"x{text}x")),
        min_size=1,
        max_size=8,
    )
)
def test_a_list_s_texts_are_the_same_from_each_format(rows: list[tuple[int, str]]) -> None:
    frame = pl.DataFrame(
        [(f"+65{number:010}", str(number), text) for number, text in rows], schema=["phone", "id", "name"], orient="row"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [
            kept(folder, ["*"], **{kind: content})
            for kind, content in (("p", frame), ("csv", frame.write_csv()), ("nd", frame.write_ndjson()))
        ]
    assert all(each.equals(frame) for each in found)
