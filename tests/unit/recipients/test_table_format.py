"""How a table beside the lists is read, as said after its URI."""

import pytest

from globe_sms.tasks.recipients import OF_NAMED_COLUMNS, TableFormat, in_words_of_table, split_format
from globe_sms.tasks.vocabulary.errors import InputError


@pytest.mark.parametrize(
    ("place", "uri", "form"),
    [
        ("s3://b/out.csv", "s3://b/out.csv", TableFormat()),
        ("out.txt#no-header", "out.txt", TableFormat(no_header=True)),
        (
            "s3://b/a#1/out.csv#no-header,number-column=2,encoding=latin-1,default-region=sg",
            "s3://b/a#1/out.csv",
            TableFormat(no_header=True, number_column="2", encoding="iso8859-1", default_region="SG"),
        ),
        ("out.csv#number-column=Mobile%2C private", "out.csv", TableFormat(number_column="Mobile, private")),
        ("out.csv#default-region=", "out.csv", TableFormat(default_region="")),
        ("o.xlsx#sheet=Stop,header-row=2", "o.xlsx", TableFormat(sheet="Stop", header_row=2)),
        ("2026/out#1.csv", "2026/out#1.csv", TableFormat()),
        ("list #no", "list #no", TableFormat()),
        ("#no-header", "#no-header", TableFormat()),
    ],
)
def test_how_a_table_is_read_follows_its_uri(place: str, uri: str, form: TableFormat) -> None:
    """A # that isn't followed by an option's name belongs to the key."""
    assert split_format(place) == (uri, form)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("o.csv#no-header,colum=2", r"o\.csv#no-header,colum=2: 'colum=2' can't follow the #: write it like no-header"),
        ("o.csv#no-header=yes", "'no-header=yes' can't follow"),
        ("o.csv#encoding", "'encoding' can't follow"),
        ("o.csv#encoding=klingon", r"o\.csv.*unknown text encoding 'klingon'"),
        ("o.csv#default-region=XX", r"o\.csv.*there is no region 'XX'"),
        ("o.csv#number-column= ", "a name after the # is blank"),
        ("o.csv#header-row=0", "'0' isn't a line"),
    ],
)
def test_what_cannot_be_said_of_a_table_is_refused_with_what_can(place: str, words: str) -> None:
    """A misspelt word would otherwise be a file that doesn't exist, or a list that is misread."""
    with pytest.raises(InputError, match=words):
        split_format(place)


def test_a_table_of_named_columns_needs_its_header() -> None:
    """Prices without a header would have no names to look for."""
    assert split_format("p.csv#encoding=cp1252", OF_NAMED_COLUMNS) == ("p.csv", TableFormat(encoding="cp1252"))
    with pytest.raises(InputError, match="write it like header-row=3, sheet=Sheet1, encoding=windows-1252"):
        split_format("p.csv#no-header", OF_NAMED_COLUMNS)


def test_the_region_of_a_table_goes_before_the_campaigns() -> None:
    """Nothing said is the campaign's, an empty one is none."""
    found = [TableFormat(default_region=region).region_or("SG") for region in (None, "", "GB")]
    assert found == ["SG", None, "GB"]


def test_advice_adds_to_what_is_said_already() -> None:
    """So that it can be copied as it stands."""
    said = in_words_of_table("o.csv: set --number-column to a position", "--suppress", "o.csv#no-header")
    assert said.endswith("set #number-column to a position. Write it after the list, like --suppress "
                         "'o.csv#no-header,number-column=2'")  # fmt: skip
