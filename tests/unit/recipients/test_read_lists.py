"""Lists of every format are read row by row, as written."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import zstandard
from list_files import Cell, no_s3, read, recipients, workbook

from globe_sms.tasks.recipients import Compression, Format, find_lists, read_lists
from globe_sms.tasks.vocabulary.errors import InputError

CSV_CASES = {
    "comma": (b"name,phone\nJo,001\nAl,+65 8\n", ["001", "+65 8"]),
    "semicolon": (b"name;phone\nDoe, Jo;001\nAl;+65\n", ["001", "+65"]),
    "tab": (b"name\tphone\nDoe, Jo\t001\n", ["001"]),
    "pipe": (b"name|phone\nDoe; Jo|001\n", ["001"]),
    "byte order mark": (b"\xef\xbb\xbfphone,name\n001,Jo\n", ["001"]),
    "quoted byte order mark": (b'\xef\xbb\xbf"phone,x",phone\na,001\n', ["001"]),
    "CRLF": (b"phone,name\r\n001,Jo\r\n002,Al\r\n", ["001", "002"]),
    "no last line end": (b"phone,name\n001,Jo\n002,Al", ["001", "002"]),
    "quoted line feed": (b'name,phone\n"Jo\nDoe",001\n"Al\r\nDoe",002\n', ["001", "002"]),
    "quoted header": (b'"phone\nnumber","name"\n001,Jo\n', ["001"]),
    "doubled quotes": (b'name,phone\n"Jo ""J"", Doe",001\n', ["001"]),
    "quotes within a field": (b'name,phone\nJo "J" Doe,001\n', ["001"]),
    "one column": (b"phone\n001\n+65 8123-4567\n", ["001", "+65 8123-4567"]),
    "one column, quoted": (b'"phone"\n"001"\n""\n', ["001", ""]),
    "an extension in one column": (
        b"phone\n001\n002\n+65 8123 4567, ext. 5\n",
        ["001", "002", "+65 8123 4567, ext. 5"],
    ),
    "blank lines before the header": (b"\n \nphone,name\n001,Jo\n", ["001"]),
    "a blank line is a row": (b"phone,name\n001,Jo\n\n002,Al\n", ["001", None, "002"]),
    "too few fields": (b"name,phone\nJo\nAl,002\n", [None, "002"]),
    "empty extra fields": (b"phone,name\n001,Jo,,\n002,Al, ,\n", ["001", "002"]),
    "empty names": (b"phone_number,,,name\n001,foo,bar,baz\n", ["001"]),
    "doubled other names": (b"phone,list,list\n001,a,b\n", ["001"]),
    "spreadsheet's separator line": (b"sep=;\r\nphone;name\r\n001;Jo, x\r\n", ["001"]),
    "header only": (b"phone,name\n", []),
    "header only, no line end": (b"phone", []),
    "unquoted white space": (b" phone number , name\n 001 ,Jo\n", [" 001 "]),
    "scientific": (b"phone\n6.58E+09\n6581234567.0\n", ["6.58E+09", "6581234567.0"]),
}


@pytest.mark.parametrize("case", CSV_CASES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gz", "zst"])
def test_csv_is_read_as_written(case: str, pack: type[bytes], tmp_path: Path) -> None:
    """Delimiters, quotes, line ends and compression are detected, and the number's text is kept."""
    data, expected = CSV_CASES[case]
    (tmp_path / "list").write_bytes(pack(data))
    assert recipients(tmp_path / "list") == expected


def test_rows_are_numbered_within_each_list_in_the_order_given(tmp_path: Path) -> None:
    """Two lists of one shape, one of another, one of the first again: each from 0."""
    for name, rows in {"b": "1\n2\n3\n", "a": "4\n", "d": "5\n6\n"}.items():
        (tmp_path / name).write_text(f"phone,x\n{rows}")
    (tmp_path / "c").write_text('{"phone": 7}\n')
    frame = read(*(tmp_path / name for name in "bacd"))
    assert frame.schema == {"source": pl.String, "row": pl.UInt64, "recipient": pl.String}
    assert frame.select(pl.col("source").str.slice(-1), "row", "recipient").rows() == [
        *(("b", 0, "1"), ("b", 1, "2"), ("b", 2, "3"), ("a", 0, "4"), ("c", 0, "7"), ("d", 0, "5"), ("d", 1, "6"))
    ]


def test_hundreds_of_lists_keep_their_order(tmp_path: Path) -> None:
    """Many small lists are read in one scan, and each row keeps its number."""
    for number in range(300):
        (tmp_path / f"{number:03}.csv").write_text("phone\n" + "".join(f"{number}-{row}\n" for row in range(5)))
    frame = read(tmp_path)
    assert frame["recipient"].to_list() == [f"{number}-{row}" for number in range(300) for row in range(5)]
    assert frame["row"].to_list() == list(range(5)) * 300


def test_lists_that_are_read_from_copies_are_named_as_given(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes("phone\n1\n2\n".encode("utf-16"))
    assert read(tmp_path).select("source", "row").rows() == [
        (str(tmp_path / name), row) for name in "ab" for row in (0, 1)
    ]


def write_many(folder: Path, form: str) -> dict[str, int]:
    """Write nine files of one shape, with and without rows, that are read in several batches; return their rows."""
    counts = {f"{place}.{form}": rows for place, rows in enumerate([25_000, 0, 1, 55_000, 2, 0, 3, 22_000, 4])}
    first = 0
    for name, rows in counts.items():
        frame = pl.DataFrame({"phone": range(first, first + rows)}).cast(pl.String)
        match form:
            case "csv":
                frame.write_csv(folder / name)
            case "ndjson":
                frame.write_ndjson(folder / name)
            case _:
                frame.write_parquet(folder / name)
        first += rows
    return counts


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_many_large_lists_lose_and_double_no_row_and_mix_none_up(form: str, tmp_path: Path) -> None:
    """Each row has its own list and its number there, and a part of the rows is a part of them."""
    counts = write_many(tmp_path, form)
    sources = find_lists([str(tmp_path)], no_s3)
    rows = read_lists(sources, number_column="phone", s3=no_s3)
    frame = rows.collect(engine="streaming")
    assert frame["recipient"].to_list() == [str(number) for number in range(sum(counts.values()))]
    expected = [(str(tmp_path / name), row) for name, rows in counts.items() for row in range(rows)]
    assert frame.select("source", "row").rows() == expected
    assert rows.head(25_002).collect(engine="streaming").equals(frame.head(25_002))
    some = pl.col("recipient").is_in(["7", "25001", "102009"])
    assert rows.filter(some).collect(engine="streaming").equals(frame.filter(some))
    assert rows.select("row").collect(engine="streaming").equals(frame.select("row"))


@pytest.mark.parametrize(("form", "damaged"), [("csv", b"1\x002\n"), ("ndjson", b'{"phone"\n')])
def test_of_many_lists_the_damaged_one_is_named(form: str, damaged: bytes, tmp_path: Path) -> None:
    write_many(tmp_path, form)
    with (tmp_path / f"7.{form}").open("ab") as file:
        file.write(damaged)
    with pytest.raises(InputError, match=rf"{tmp_path}/7\.{form}: (row 22000|line 22002) "):
        read(tmp_path)


def test_ndjson_values_become_text(tmp_path: Path) -> None:
    """Numbers keep their digits and scientific notation; blank lines aren't rows."""
    lines = [
        *('{"phone": "001", "x": {"phone": 1}}', "", '{"phone": 6581234567}', '{"phone": 6581234567.0}'),
        *('{"phone": 6.58e9}', '{"x": 1}', '{"phone": null}', '{"phone": "\\u00e9"}', '{"phone": true}'),
    ]
    (tmp_path / "list").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    expected = ["001", "6581234567", "6581234567.0", "6.58e9", None, None, "é", "true"]
    assert recipients(tmp_path / "list") == expected


@pytest.mark.parametrize("name", ["Phone No.", "tele'phone", 'the "phone"', "téléphone", "a.b[0]", "$"])
def test_ndjson_keys_may_contain_any_character(name: str, tmp_path: Path) -> None:
    """The key is looked up literally, not as a path."""
    (tmp_path / "list").write_text(json.dumps({name: "001"}) + "\n" + json.dumps({name: "2"}, ensure_ascii=False))
    assert recipients(tmp_path / "list", number=name) == ["001", "2"]


PARQUET_CASES = [
    (pl.Series(["001", None, "+65"]), ["001", None, "+65"]),
    (pl.Series([6581234567, None]), ["6581234567", None]),
    (pl.Series([6581234567, 0], dtype=pl.UInt64), ["6581234567", "0"]),
    (pl.Series([6581234567.0, None, 1.5, float("nan")]), ["6581234567.0", None, "1.5", None]),
    (pl.Series([123456789012345.0, -5.0]), ["123456789012345.0", "-5.0"]),
    (pl.Series([1e16, 2.5e20]), ["1e+16", "2.5e+20"]),
    (pl.Series([float("inf"), float("-inf")]), ["inf", "-inf"]),
    (pl.Series([Decimal("6581234567.00"), Decimal("1.50")]), ["6581234567.0", "1.50"]),
    (pl.Series([Decimal(6581234567)]), ["6581234567"]),
    (pl.Series(["001", "001"], dtype=pl.Categorical), ["001", "001"]),
    (pl.Series([b"001"]), ["001"]),
    (pl.Series([None, None]), [None, None]),
]


@pytest.mark.parametrize(("values", "expected"), PARQUET_CASES, ids=[str(case[0].dtype) for case in PARQUET_CASES])
def test_parquet_values_become_text(values: pl.Series, expected: list[str | None], tmp_path: Path) -> None:
    """No number is rounded, and no exact number becomes scientific notation."""
    nested = [{"phone": [1]}] * len(values)
    pl.DataFrame({"path": nested, "phone": values, "source": nested}).write_parquet(tmp_path / "list")
    assert recipients(tmp_path / "list") == expected


def test_whole_floats_in_a_text_have_no_point(tmp_path: Path) -> None:
    """As pandas writes a column of counts in which one is missing: nobody has 1200.0 points."""
    columns = {"points": [1200.0, 0.5, None], "price": [Decimal("3.00"), Decimal("3.50"), None], "v": ["2.0", "", "x"]}
    pl.DataFrame({"phone": ["1", "2", "3"], **columns}).write_parquet(tmp_path / "list")
    found = read(tmp_path / "list", columns=list(columns))
    assert found["points"].to_list() == ["1200", "0.5", None]
    assert found["price"].to_list() == ["3", "3.50", None]
    assert found["v"].to_list() == ["2.0", "", "x"]


def test_whole_floats_in_text_files_have_no_point(tmp_path: Path) -> None:
    """Pandas writes the same column to CSV and NDJSON; a string in NDJSON is meant as it stands, and so is the rest."""
    texts = ["1200.0", "-3.0", "0.0", "0.50", "1.2.0", "007.0", "v2.0", ""]
    (tmp_path / "a.csv").write_text("phone,x\n" + "".join(f"{row}.0,{text}\n" for row, text in enumerate(texts)))
    found = read(tmp_path / "a.csv", columns=["x"])
    assert found["recipient"].to_list() == [f"{row}.0" for row in range(len(texts))]
    assert found["x"].to_list() == ["1200", "-3", "0", "0.50", "1.2.0", "007.0", "v2.0", None]
    (tmp_path / "b").write_text('{"phone": 1.0, "x": 1200.0}\n{"phone": "2", "x": "2.0", "y": 2.0}\n')
    found = read(tmp_path / "b", columns=["x"])
    assert found.select("recipient", "x").rows() == [("1.0", "1200"), ("2", "2.0")]


def test_parquet_lists_may_differ_in_columns_and_types(tmp_path: Path) -> None:
    """With another order, other columns or another type, each list is read with its own schema."""
    pl.DataFrame({"x": [1], "phone": ["1"]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"phone": ["2"], "y": [1.0], "x": ["z"]}).write_parquet(tmp_path / "b.parquet")
    pl.DataFrame({"Mobile": [3]}).write_parquet(tmp_path / "c.parquet")
    assert recipients(tmp_path / "*.parquet") == ["1", "2", "3"]


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Boolean, pl.Date, pl.List(pl.String)])
def test_parquet_types_that_cannot_hold_numbers_are_refused(dtype: pl.DataType, tmp_path: Path) -> None:
    """Types that lose digits or have none."""
    pl.DataFrame({"phone": pl.Series([None], dtype=dtype)}).write_parquet(tmp_path / "list")
    with pytest.raises(InputError, match=r"the column 'phone' (holds 32-bit floats|is of type).*write it as text"):
        recipients(tmp_path / "list")


def test_workbook_cells_become_text(tmp_path: Path) -> None:
    """A numeric cell keeps its digits; the first non-empty row is the header."""
    rows: list[list[Cell]] = [[], ["Name", "Phone"], ["Jo", 6581234567], ["Al", "0065"], ["", None], ["Z", 6581.5]]
    (tmp_path / "list").write_bytes(workbook(rows, []))
    assert recipients(tmp_path / "list") == ["6581234567", "0065", None, "6581.5"]


def test_the_sheet_with_the_numbers_is_read(tmp_path: Path) -> None:
    """Notes on another sheet don't matter, but a second list does."""
    notes, numbers = [["Note"], ["read me"]], [["Phone"], ["001"]]
    (tmp_path / "list").write_bytes(workbook(notes, numbers))
    assert recipients(tmp_path / "list") == ["001"]
    (tmp_path / "list").write_bytes(workbook(numbers, notes, numbers))
    with pytest.raises(InputError, match="several of its sheets contain lists"):
        recipients(tmp_path / "list")


NO_HEADER_CASES = {
    "comma": (b"Jo,001\nAl,+65 8\n", "2", ["001", "+65 8"]),
    "semicolon": (b"001;Doe, Jo\n002;Al\n", "1", ["001", "002"]),
    "one column": (b"001\n002\n", None, ["001", "002"]),
    "rows of different lengths": (b"001\n002,Jo\n003,Al,x\n", "1", ["001", "002", "003"]),
    "blank first line": (b"\nJo,001\n", "2", [None, "001"]),
    "quoted line feed": (b'"Jo\nDoe",001\n', " 2 ", ["001"]),
    "UTF-16": ("Jo\t001\nZoë\t002\n".encode("utf-16"), "2", ["001", "002"]),
    "workbook": (workbook([["Jo", 6581234567], ["Al", "002"]]), "2", ["6581234567", "002"]),
    "workbook of one column": (workbook([["001"], ["002"]]), None, ["001", "002"]),
    "NDJSON has names all the same": (b'{"phone": "001"}\n', None, ["001"]),
}


@pytest.mark.parametrize("case", NO_HEADER_CASES)
def test_a_list_without_a_header_is_read_from_its_first_row(case: str, tmp_path: Path) -> None:
    """The number column is named by its position, from 1; a single column needs no name."""
    data, number, expected = NO_HEADER_CASES[case]
    (tmp_path / "list").write_bytes(data)
    assert recipients(tmp_path / "list", number=number, has_header=False) == expected


@pytest.mark.parametrize("data", [b"001,Jo\n", b"Jo,001\n\n", gzip.compress(b"a,b\n")], ids=["csv", "blank", "gz"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (None, "it has 2 columns and no header: set --number-column to a position, from 1"),
        ("0", r"no column 0 \(the list has 2\)"),
        ("3", r"no column 3 \(the list has 2\)"),
        ("9" * 5000, r"no column ••••9999 \(the list has 2\)"),
        ("phone", "without a header columns have no names: give a position from 1 instead of 'phone'"),
        ("\u00b2", "without a header columns have no names"),
    ],
)
def test_without_a_header_the_position_must_exist(
    data: bytes, number: str | None, expected: str, tmp_path: Path
) -> None:
    """The column isn't guessed."""
    (tmp_path / "list").write_bytes(data)
    with pytest.raises(InputError, match=expected):
        recipients(tmp_path / "list", number=number, has_header=False)


def test_empty_lists_among_others_are_skipped(tmp_path: Path) -> None:
    """Spark writes an empty file for an empty part; a list named on its own must not be empty."""
    for name, data in {"a": b"", "b": b"phone\n001\n", "c": b"\n", "d": gzip.compress(b"")}.items():
        (tmp_path / name).write_bytes(data)
    assert recipients(tmp_path) == ["001"]
    with pytest.raises(InputError, match=r"/a: it is empty"):
        recipients(tmp_path, tmp_path / "a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gz", "zst"])
def test_a_byte_order_mark_sets_the_encoding(encoding: str, pack: type[bytes], tmp_path: Path) -> None:
    """Unicode text of old spreadsheets is read even if another encoding is named."""
    text = "näme\tphone\r\n" + "Zoë\t001\r\n" * 100_000
    (tmp_path / "list").write_bytes(pack(text.encode(encoding)))
    assert recipients(tmp_path / "list", encoding="windows-1252") == ["001"] * 100_000


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16-le", "shift_jis"])
def test_a_named_encoding_is_used(encoding: str, tmp_path: Path) -> None:
    """Extra columns are decoded too."""
    word = "日本" if encoding == "shift_jis" else "Zoë"
    (tmp_path / "list").write_bytes(f"name,phone\n{word},001\n".encode(encoding))
    assert read(tmp_path / "list", encoding=encoding, columns=["name"]).row(0)[2:] == ("001", word)


def test_the_decoded_copy_is_removed_with_its_list(tmp_path: Path) -> None:
    """The temporary file lives exactly as long as the ListSource."""
    (tmp_path / "list").write_bytes("phone\n001\n".encode("utf-16"))
    sources = find_lists([str(tmp_path / "list")], no_s3)
    assert sources[0].copy is not None
    path = sources[0].copy.path
    assert path.read_text() == "phone\n001\n"
    del sources
    assert not path.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"phone,Name,x\n001,Jo,y\n",
        b'{"phone": "001", "Name": "Jo"}\n',
        workbook([["Phone", "NAME"], ["001", "Jo"]]),
    ],
    ids=["csv", "ndjson", "xlsx"],
)
def test_extra_columns_are_read_as_text(data: bytes, tmp_path: Path) -> None:
    """They're matched like the number column, and get the requested name."""
    (tmp_path / "list").write_bytes(data)
    frame = read(tmp_path / "list", columns=["name"])
    assert frame.columns == ["source", "row", "recipient", "name"]
    assert frame.row(0)[2:] == ("001", "Jo")


@pytest.mark.parametrize("columns", [["row"], ["name", "name"], ["nobody"]])
def test_unreadable_extra_columns_are_refused(columns: list[str], tmp_path: Path) -> None:
    """Names that clash, repeat or don't exist."""
    (tmp_path / "list").write_text("phone,name,row\n001,Jo,1\n")
    with pytest.raises(InputError, match=r"its name is taken|no column 'nobody'"):
        read(tmp_path / "list", columns=columns)


def test_thousands_of_columns_are_read(tmp_path: Path) -> None:
    """The widest sheet that a spreadsheet can save, with an extra field at each end."""
    header = "phone_number,security code" + ",name" * 16_382
    (tmp_path / "list").write_text(f"{header}\n" + ("001" + "," * 16_384 + "\n") * 100)
    assert recipients(tmp_path / "list") == ["001"] * 100
    (tmp_path / "list").write_text("phone_number" + "," * 10_000 + "\n" + ("001" + "," * 10_000 + "\n") * 100)
    assert recipients(tmp_path / "list") == ["001"] * 100


def test_a_line_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    """A long text in one row neither hides nor shifts its neighbors."""
    (tmp_path / "list").write_text("phone,text\n001,a\n002," + "x" * 10_000_000 + "\n003,b\n")
    assert recipients(tmp_path / "list") == ["001", "002", "003"]


@pytest.mark.parametrize("text", ["x" * 20_000_000, '"' + "x\n" * 10_000_000 + '"'], ids=["line", "quoted lines"])
def test_the_first_row_may_be_longer_than_the_head(text: str, tmp_path: Path) -> None:
    """The header above it is still found."""
    (tmp_path / "list").write_text(f"text,phone\n{text},001\nx,002\n")
    assert recipients(tmp_path / "list") == ["001", "002"]


def test_a_found_list_is_described(tmp_path: Path) -> None:
    """By format, compression, delimiter, size and identity."""
    packed = gzip.compress(b"phone;x\n1;2\n")
    (tmp_path / "list.parquet").write_bytes(packed)
    (source,) = find_lists([str(tmp_path / "list.parquet")], no_s3)
    assert (source.format, source.compression, source.delimiter) == (Format.CSV, Compression.GZIP, ";")
    assert (source.encoding, source.size) == ("utf-8", len(packed))
    assert source.identity.startswith("sha256 ")


def test_the_frame_is_lazy(tmp_path: Path) -> None:
    """Only the head of a CSV list is read before the frame is collected; no lists give an empty frame."""
    (tmp_path / "list").write_text("phone\n1\n")
    sources = find_lists([str(tmp_path / "list")], no_s3)
    frame = read_lists(sources, number_column=None, s3=no_s3)
    with (tmp_path / "list").open("a") as file:
        file.write("2\n")
    assert frame.collect(engine="streaming")["recipient"].to_list() == ["1", "2"]
    assert read_lists([], number_column=None, s3=no_s3).collect().schema == frame.collect_schema()


def test_the_frame_can_be_sunk(tmp_path: Path) -> None:
    """The plan is written from it without loading the rows into memory."""
    (tmp_path / "list").write_text("phone\n" + "".join(f"{row}\n" for row in range(300_000)))
    sources = find_lists([str(tmp_path / "list")], no_s3)
    read_lists(sources, number_column=None, s3=no_s3).sink_parquet(tmp_path / "plan.parquet", engine="streaming")
    written = pl.read_parquet(tmp_path / "plan.parquet")
    assert written["recipient"].to_list() == [str(row) for row in range(300_000)]
    assert written["row"].to_list() == list(range(300_000))
