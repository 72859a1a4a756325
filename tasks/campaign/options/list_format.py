"""The options that say how the recipient lists are read."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal


class ListFormat(Options, frozen=True):
    """How the recipient lists are read."""

    number_column: Annotated[
        str | None,
        Field(
            title="Column of phone numbers",
            description="Only needed if the column isn't called phone, mobile or msisdn. In lists without a header its "
            "position: 1, 2 and so on.",
        ),
        Terminal("The column of the numbers, if it isn't called phone, mobile or msisdn; without a header 1, 2, ..."),
    ] = None
    no_header: Annotated[
        bool,
        Field(title="No header", description="The lists (CSV, XLSX) start with their first row, without column names."),
        Terminal("The lists start with their first row, without column names."),
    ] = False
    default_region: Annotated[
        str | None,
        Field(
            title="Country of local numbers",
            description="Two letters, such as SG: the country of numbers written without a country code. Empty: all "
            "numbers have one, such as +65 8123 4567; the plus sign may be missing.",
            json_schema_extra={"pattern": "^([A-Za-z]{2})?$"},
        ),
        Terminal("Country of numbers without a country code, like SG. Default: all have one, with or without +."),
    ] = None
    encoding: Annotated[
        str | None,
        Field(
            title="Encoding",
            description="The encoding of CSV and NDJSON lists, such as windows-1252. Empty: by their byte order mark, "
            "otherwise UTF-8.",
        ),
        Terminal("Of CSV and NDJSON, like windows-1252. Default: by byte order mark, otherwise UTF-8."),
    ] = None
    numbers_override: Annotated[
        str | None,
        Field(
            title="Prefixes that count as mobile",
            description="A small table, at s3:// or a path on the worker, with the columns prefix (+658) and mobile "
            "(yes or no), for prefixes that libphonenumber doesn't know yet. The longest prefix counts.",
        ),
        Terminal("A table (prefix, mobile: yes or no) of E.164 prefixes that count as mobile, or don't."),
    ] = None
