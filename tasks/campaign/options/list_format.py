"""The options that say how the recipient lists are read."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import NotInForm, Options, Terminal
from globe_sms.tasks.recipients.read_options import Hidden

_LAST_HEADER_ROW = 1_000


class ListFormat(Options, frozen=True):
    """How the recipient lists are read."""

    number_column: Annotated[
        str | None,
        Terminal("The column of the numbers, if it isn't called phone, mobile or msisdn; without a header 1, 2, ..."),
        NotInForm('"Column of phone numbers"', "number_column"),
    ] = None
    no_header: Annotated[
        bool,
        Terminal("The lists start with their first row, without column names."),
        NotInForm('a position such as 1 in "Column of phone numbers"', "number_column"),
    ] = False
    header_row: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=_LAST_HEADER_ROW,
            title="Row of the header",
            description="The line (CSV) or row (XLSX) that names the columns, from 1. Empty: the first one, or the one "
            "with the number column's name below titles and comments.",
        ),
        Terminal("The line (CSV) or row (XLSX) that names the columns, from 1. Default: found below titles."),
    ] = None
    sheet: Annotated[
        str | None,
        Field(
            title="Sheet",
            description="The sheet to read of XLSX workbooks. Empty: the only one, or the one with a column of phone "
            "numbers. Hidden sheets aren't read.",
        ),
        Terminal("The sheet of XLSX workbooks. Default: the one with a column of phone numbers."),
    ] = None
    hidden: Annotated[
        Hidden,
        Field(
            title="Hidden rows and columns",
            description="What to do with rows, columns and sheets that the spreadsheet hides or filters out. refuse: "
            "send nothing. skip: leave them out. send: read them like the others.",
        ),
        Terminal("Rows, columns and sheets that a workbook hides or filters out: refuse the list, skip or send them."),
    ] = Hidden.REFUSE
    encoding: Annotated[
        str | None,
        Field(
            title="Encoding",
            description="The encoding of CSV and NDJSON lists, such as windows-1252. Empty: by their byte order mark, "
            "otherwise UTF-8.",
        ),
        Terminal("Of CSV and NDJSON, like windows-1252. Default: by byte order mark, otherwise UTF-8."),
    ] = None
