"""The options that say how the phone numbers in the lists are read."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import COUNTRY, Options, Terminal, shaped


class NumberReading(Options, frozen=True):
    """How the phone numbers in the lists are read."""

    default_region: Annotated[
        str | None,
        Field(
            title="Region of local numbers",
            description="Two letters, such as SG: the country of numbers written without a country code. Empty: all "
            "numbers have one, such as +65 8123 4567; the plus sign may be missing.",
            json_schema_extra=shaped("two letters, such as SG", rf"^({COUNTRY})?$"),
        ),
        Terminal("Country of numbers without a country code, like SG. Default: all have one, with or without +."),
    ] = None
    region_column: Annotated[
        str | None,
        Field(
            title="Column of countries",
            description="The column with the country of each number: SG, Singapore or 65. Only needed if it isn't "
            "called country. Numbers without a plus sign are then read as numbers of that country.",
        ),
        Terminal("The column with each number's country (SG, Singapore, 65). Default: one that is called country."),
    ] = None
    first_number: Annotated[
        bool,
        Field(
            title="First of several numbers",
            description="Where a cell has several phone numbers, text the first. Otherwise such rows are invalid.",
        ),
        Terminal("Text the first of several numbers in a cell; otherwise such rows are several_numbers."),
    ] = False
    numbers_override: Annotated[
        str | None,
        Field(
            title="Prefixes that count as mobile",
            description="A small table, at s3:// or a path on the worker, with the columns prefix (+658) and mobile "
            "(yes or no), for prefixes that libphonenumber doesn't know yet. The longest prefix counts.",
        ),
        Terminal("A table (prefix, mobile: yes or no) of E.164 prefixes that count as mobile, or don't."),
    ] = None
