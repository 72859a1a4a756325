"""The header is found below titles and comments, or its row is given; data is never taken for titles."""

from pathlib import Path

import pytest
from list_files import no_s3

from globe_sms.tasks.recipients import ReadOptions, find_lists, open_lists, read_lists
from globe_sms.tasks.recipients.list_source import ListReading
from globe_sms.tasks.vocabulary.errors import InputError

ROWS = "Anna,+6591234567,Bedok\nBert,+6591234568,Yishun\n"


def read(
    text: str, folder: Path, number: str | None = None, header_row: int | None = None
) -> tuple[list[str], ListReading]:
    """The numbers of a list, and what is said to be read of it."""
    (folder / "list").write_text(text)
    options = ReadOptions(number_column=number, header_row=header_row)
    sources = find_lists([str(folder / "list")], no_s3, options=options)
    reading = open_lists(sources, number_column=number, s3=no_s3)[0].reading
    frame = read_lists(sources, number_column=number, s3=no_s3).collect()
    return frame["recipient"].to_list(), reading


TITLES = {
    "titles and a blank line": ("Customer report\nGenerated 2026-11-30 09:15\n\n", 4, 2),
    "a title across the table": ("Customers of 2026,,\n", 2, 1),
    "a comment with commas": ("# written by a, b, and c, today\n# 6591234567\n", 3, 2),
    "a date": ("30.11.2026,,\n", 2, 1),
    "blank lines": ("\n\n", 3, 0),
    "nothing": ("", 1, 0),
}


@pytest.mark.parametrize("case", TITLES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_header_below_titles_is_found(case: str, delimiter: str, tmp_path: Path) -> None:
    """Its line and how many rows are above it are told."""
    titles, line, above = TITLES[case]
    text = (titles + "Name,Phone,Town\n" + ROWS).replace(",", delimiter)
    numbers, reading = read(text, tmp_path)
    assert numbers == ["+6591234567", "+6591234568"]
    assert (reading.header_row, reading.rows_above, reading.delimiter) == (line, above, delimiter)


def test_a_named_column_is_found_below_titles(tmp_path: Path) -> None:
    """By the name that was given."""
    assert read(f"Report\nName,Kontakt,Town\n{ROWS}", tmp_path, "kontakt")[0] == ["+6591234567", "+6591234568"]


def test_a_list_of_one_column_may_have_a_title(tmp_path: Path) -> None:
    """Of one cell too."""
    assert read("My list\nphone\n+6591234567\n", tmp_path)[0] == ["+6591234567"]


@pytest.mark.parametrize(
    "text",
    [
        "Name,Kontakt,Device\nAnna,+6591234567,phone\nBert,+6591234568,tablet\n",
        "Name,Kontakt,Device\nAnna,,phone\n",
        "Anna,+6591234567,Bedok\nName,Phone,Town\n",
        "+6591234567\nphone\n+6591234568\n",
    ],
)
def test_data_is_never_passed_over_as_a_title(text: str, tmp_path: Path) -> None:
    """The list is refused as before, with a hint to --header-row or --no-header."""
    with pytest.raises(InputError, match=r"no column has a usual name.*--(header-row|no-header)"):
        read(text, tmp_path)


def test_the_row_of_the_header_may_be_given(tmp_path: Path) -> None:
    """As an editor counts lines; a blank or missing one is refused."""
    text = f"phone,list\n\nName,Phone,Town\n{ROWS}"
    assert read(text, tmp_path, header_row=3)[0] == ["+6591234567", "+6591234568"]
    for line in (2, 99):
        with pytest.raises(InputError, match=rf"line {line} is blank or missing.*--header-row"):
            read(text, tmp_path, header_row=line)
