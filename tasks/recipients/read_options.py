"""What a user may say about how lists are read, beside encoding, header and number column."""

from dataclasses import dataclass
from enum import StrEnum


class Hidden(StrEnum):
    """What to do with rows, columns and sheets that the spreadsheet program hides."""

    REFUSE = "refuse"
    SKIP = "skip"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How lists are read; the defaults suit tables that go with the lists, where a hidden row is a row.

    `number_column` helps to find the header. `region_column` is the column of countries, by its name; with
    `finds_region` it is found by a usual name.
    """

    number_column: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    hidden: Hidden = Hidden.SEND
    region_column: str | None = None
    finds_region: bool = False


AS_IT_IS = ReadOptions()
