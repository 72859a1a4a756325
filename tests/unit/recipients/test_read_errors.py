"""Every fault of a list is one line that names the list, what's wrong, and what to do."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard
from list_files import no_s3, read, recipients, workbook

from globe_sms.tasks.recipients import check_unchanged, find_lists, read_lists, translate_errors
from globe_sms.tasks.vocabulary.errors import InputError

MANY = b"001,Jo\n" * 100_000


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("list.csv", "phone\n1\n")
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("list.csv"))
    return file.getvalue()


def _parquet(value: str | bytes = "001") -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"phone": [value] * 1000}).write_parquet(file)
    return file.getvalue()


REFUSED = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n\n", "it is empty"),
    "bzip2": (bz2.compress(b"phone\n1\n"), "compressed with bzip2"),
    "xz": (lzma.compress(b"phone\n1\n"), "compressed with xz"),
    "zip": (_zip(), "zip archive: unpack it"),
    "tar": (_tar(), "tar archive: unpack it"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel"),
    "PDF": (b"%PDF-1.7\n", "a PDF"),
    "binary": (bytes(range(256)) * 4, "neither text"),
    "HTML": (b"<!DOCTYPE html><html></html>", "XML or HTML"),
    "JSON array": (b'[\n{"phone": "1"}]', "one JSON array"),
    "spread JSON": (b'{\n "phone": "1"\n}\n', "isn't a complete JSON object"),
    "gzip twice": (gzip.compress(gzip.compress(b"phone\n1\n")), "compressed twice"),
    "packed parquet": (gzip.compress(_parquet()), "but it is parquet"),
    "cut gzip": (
        gzip.compress(b"phone,x\n\x9f\x12\xe1\x88\x01\xfe\x30\x77\xc4" + MANY)[:-9],
        r"gzip.*damaged or truncated|isn't UTF-8|neither text",
    ),
    "late cut gzip": (gzip.compress(b"phone,x\n" + MANY)[:-9], "gzip compression is damaged or truncated"),
    "late cut zstd": (zstandard.compress(b"phone,x\n" + MANY)[:-9], "zstd compression is damaged or truncated"),
    "broken gzip": (gzip.compress(b"phone\n")[:10] + b"\xff" * 20, "gzip compression is damaged"),
    "broken zstd": (b"\x28\xb5\x2f\xfd" + b"\xff" * 20, "zstd compression is damaged"),
    "cut parquet": (_parquet()[:-9], "isn't a readable parquet"),
    "hollow parquet": (b"PAR1" + bytes(900) + _parquet()[904:], "isn't a readable parquet"),
    "cut workbook": (workbook([["phone"], ["1"]])[:-40], "isn't a readable XLSX"),
    "empty workbook": (workbook([]), "sheets are empty"),
    "Macintosh line ends": (b"phone,x\r1,2\r", "bare carriage return"),
    "late Macintosh line end": (
        b"phone\n" + b"1\n" * 200_000 + b"2\r3\n",
        "row 200000 contains a bare carriage return",
    ),
    "NUL in the head": (b"phone,x\n1\x00,2\n", "line 2 contains a NUL byte"),
    "late NUL": (b"phone,x\n" + MANY + b"00\x002,Al\n", "row 100000 contains a NUL byte"),
    "UTF-16 without mark": ("phone,x\n1,2\n".encode("utf-16-le"), "looks like UTF-16.*name its encoding, utf-16-le"),
    "UTF-16 with letters, without mark": (
        "phone,x\n1,Zoë\n".encode("utf-16-be"),
        "looks like.*its encoding, utf-16-be",
    ),
    "a tail of zeros": (b"phone,x\n1,2\n" + bytes(9), "line 3 contains a NUL byte|neither text"),
    "gzip with a tail of zeros": (gzip.compress(b"phone\n1\n") + bytes(512), "gzip compression is damaged"),
    "bytes in parquet": (_parquet(b"\xff\xfe"), "its text isn't UTF-8"),
    "Latin-1 in the head": ("phone,x\n1,Zoë\n".encode("latin-1"), "line 2 isn't UTF-8: name the list's encoding"),
    "late Latin-1": (b"phone,x\n" + MANY + "1,Zoë\n".encode("latin-1"), "row 100000 isn't UTF-8"),
    "late Latin-1 in NDJSON": (b'{"phone":1}\n' * 50_000 + b'{"phone":"\xe9"}\n', "line 50001 isn't UTF-8"),
    "a field too many": (b"phone,x\n1,2,3\n", "row 0 has more fields than there are columns"),
    "late field too many": (b"phone,x\n" + MANY + b"1,2,3\n", "row 100000 has more fields than there are columns"),
    "many fields too many": (b"phone,x\n" + MANY + b"1,2,,,,,,,3\n", "row 100000 has 9 fields in a list of 2 columns"),
    "columns without names": (b"phone\n1,Jo\n2,Al\n", "row 0 has more fields than there are columns"),
    "open quote": (b"phone,x\n" + MANY + b'1,"Al\n2,Jo\n', "row 100000 has a misplaced quotation mark"),
    "a quote open to the end": (b'phone\n1\n"2\n3\n4""', "row 1 has a misplaced quotation mark"),
    "a quote open to an odd end": (b'phone,x\n1,2\n"2""\n3', "row 1 has a misplaced quotation mark"),
    "stray quotes": (b"phone,x\n" + MANY + b'1,5" pipe\n2,3" pipe\n', "row 100000 has a misplaced quotation mark"),
    "quotes that join rows": (b'phone\n"1"0"\n""\n"2"3"\n"4"\n', "row 0 has a misplaced quotation mark"),
    "quotes that lose rows": (b'x,phone\n"a","1"2"\n"b","3"\n"\n =,","4"5"\n', "row 0 has a misplaced quotation"),
    "broken JSON line": (b'{"phone":1}\n' * 50_000 + b'{"phone":\n', "row 50000 isn't one complete JSON object"),
    "two objects a line": (b'{"phone":1}\n{"phone":"2"},{"phone":"3"}\n', "row 1 isn't one complete JSON object"),
    "an object over two lines": (b'{"phone":1}\n{"phone":"2\n3"}\n', "row 1 isn't one complete JSON object"),
    "JSON without objects": (b'{"phone":1}\n[2]\nnull\n', "row 1 isn't one complete JSON object"),
    "no number column": (b"name,x\nJo,1\n", r"no column has a usual name for phone numbers.*columns: name, x\)"),
    "two number columns": (b"phone,Mobile No.\n1,2\n", r"several columns .* \(phone, Mobile No\.\)"),
    "doubled number column": (b"phone number,p h o n e number\n1,2\n", "several columns"),
    "no header": (b"6581234567,Jo\n", "the first line looks like data|its first line looks like data"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_list_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    """The line names the faulty list, not a valid one beside it."""
    data, expected = REFUSED[case]
    sound, bad = tmp_path / "a-sound.csv", tmp_path / "b-bad.csv"
    sound.write_text("phone,x\n1,2\n")
    bad.write_bytes(data)
    with pytest.raises(InputError, match=expected) as caught:
        recipients(sound, bad)
    message = str(caught.value)
    assert message.startswith(f"{bad}: ")
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    assert "81234567" not in message


@pytest.mark.parametrize("case", ["a field too many", "a tail of zeros", "columns without names"])
def test_a_bad_list_among_many_is_named(case: str, tmp_path: Path) -> None:
    """Many lists are read in batches that hold rows of several; the fault is still that list's."""
    data, expected = REFUSED[case]
    (header, *_) = data.split(b"\n")
    lists = [tmp_path / f"{place:02}.csv" for place in range(12)]
    for path in lists:
        path.write_bytes(header + b"\n1\n")
    lists[7].write_bytes(data)
    with pytest.raises(InputError, match=expected) as caught:
        recipients(*lists)
    assert str(caught.value).startswith(f"{lists[7]}: ")


@pytest.mark.parametrize("number", ["phone", "PHONE"])
def test_a_named_column_must_be_unique(number: str, tmp_path: Path) -> None:
    """An exact match wins over another spelling; two matches are an error."""
    (tmp_path / "list").write_text("phone,Phone,x\n1,2,3\n")
    if number == "phone":
        assert recipients(tmp_path / "list", number=number) == ["1"]
        (tmp_path / "list").write_text("phone,phone,x\n1,2,3\n")
    with pytest.raises(InputError, match=r"several columns are named.*columns: phone, (P|p)hone, x\)"):
        recipients(tmp_path / "list", number=number)


def test_columns_are_listed_within_reason(tmp_path: Path) -> None:
    """Wide lists, long names and odd characters still give one short line."""
    names = ["x" * 100, "a\tb", *(f"c{place}" for place in range(500))]
    (tmp_path / "list").write_text(",".join(names) + "\n")
    with pytest.raises(InputError, match=r"x{40}…, a\\tb, c0, .*, c17 and 482 more") as caught:
        recipients(tmp_path / "list")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("none.csv", "the file doesn't exist, or the folder is empty"),
        ("none/*.csv", "no file matches this pattern"),
        ("gs://bucket/list.csv", "only s3:// URIs and local paths"),
        ("https://host.invalid/list.csv", "only s3:// URIs and local paths"),
        ("", "isn't a path"),
        ("a\0b", "isn't a path"),
        ("a\nb", r"a\\nb: the file doesn't exist"),
        ("/dev/null", "isn't a regular file"),
    ],
)
def test_a_uri_that_matches_nothing_is_refused(uri: str, expected: str) -> None:
    """The message names the URI as given."""
    with pytest.raises(InputError, match=expected) as caught:
        find_lists([uri], no_s3)
    assert len(str(caught.value).splitlines()) == 1


def test_no_uri_is_refused() -> None:
    """A campaign without a list is a mistake."""
    with pytest.raises(InputError, match="no recipient list was given"):
        find_lists([], no_s3)


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "", "idna\0"])
def test_an_unknown_encoding_is_refused(encoding: str, tmp_path: Path) -> None:
    """Only text encodings are allowed."""
    (tmp_path / "list").write_text("phone\n1\n")
    with pytest.raises(InputError, match="unknown text encoding"):
        recipients(tmp_path / "list", encoding=encoding)


def test_bytes_outside_the_named_encoding_are_refused(tmp_path: Path) -> None:
    """The message names the line of a byte that Windows-1252 doesn't have."""
    (tmp_path / "list").write_bytes(b"phone,x\n" + MANY + b"1,\x81\n")
    with pytest.raises(InputError, match=r"line \d+ isn't CP1252: name the right encoding"):
        recipients(tmp_path / "list", encoding="windows-1252")


@pytest.mark.parametrize("change", ["write", "remove"])
def test_a_list_that_changes_is_noticed(change: str, tmp_path: Path) -> None:
    """Its content is compared with the content found before."""
    (tmp_path / "list").write_text("phone\n1\n")
    sources = find_lists([str(tmp_path / "list")], no_s3)
    check_unchanged(sources, no_s3)
    if change == "write":
        (tmp_path / "list").write_text("phone\n2\n")
    else:
        (tmp_path / "list").unlink()
    with pytest.raises(InputError, match="list: it has changed since it was found"):
        check_unchanged(sources, no_s3)


def test_a_list_that_disappears_while_it_is_read_is_named(tmp_path: Path) -> None:
    """The message names the missing list, not the first one."""
    for name in "ab":
        (tmp_path / name).write_text("phone\n1\n")
    sources = find_lists([str(tmp_path)], no_s3)
    frame = read_lists(sources, number_column=None, s3=no_s3)
    (tmp_path / "b").unlink()
    with (
        pytest.raises(InputError, match="b: it has changed since it was found"),
        translate_errors(sources, number_column=None, s3=no_s3),
    ):
        frame.collect(engine="streaming")


def test_a_fault_elsewhere_is_not_blamed_on_a_list(tmp_path: Path) -> None:
    """If all lists can be read, the message says so."""
    (tmp_path / "list").write_text("phone\n1\n")
    sources = find_lists([str(tmp_path / "list")], no_s3)
    with (
        pytest.raises(
            InputError,
            match=r"^reading the lists failed \(No space left on device\), although each one can be read on its own",
        ),
        translate_errors(sources, number_column=None, s3=no_s3),
    ):
        raise OSError(28, "No space left on device")


def test_a_list_that_is_replaced_while_it_is_read_is_named(tmp_path: Path) -> None:
    """Even if its replacement can be read."""
    (tmp_path / "list").write_text("phone\n1\n")
    sources = find_lists([str(tmp_path / "list")], no_s3)
    (tmp_path / "list").write_text("phone\n1\n2\n")
    with (
        pytest.raises(InputError, match=r"list: it has changed since it was found: run the command again"),
        translate_errors(sources, number_column=None, s3=no_s3),
    ):
        raise OSError(5, "Input/output error")


def test_misplaced_quotes_in_a_second_list_are_named(tmp_path: Path) -> None:
    """Even though both lists are read in one scan."""
    (tmp_path / "a").write_text('phone,x\n1,"Jo\nDoe"\n')
    (tmp_path / "b").write_text('phone,x\n1,"Jo\nDoe"\n2,"Al" x\n')
    with pytest.raises(InputError, match="b: row 1 has a misplaced quotation mark"):
        read(tmp_path / "a", tmp_path / "b")
