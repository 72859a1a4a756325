"""The options that say whom a campaign is tried on, when it doesn't start, and when it stops."""

from typing import Annotated

from pydantic import Field, SecretStr, WithJsonSchema

from globe_sms.tasks.campaign.options.declaration import Options, Terminal, each_shaped

OwnNumber = Annotated[SecretStr, WithJsonSchema({"type": "string"})]


class Limits(Options, frozen=True):
    """Whom the campaign is tried on, when it doesn't start, and when it stops."""

    test_to: Annotated[
        tuple[OwnNumber, ...],
        Field(
            title="Test numbers",
            description="A list of up to 20 numbers of your own, at s3:// or a path on the worker. They get the texts "
            "of the lists' first rows, and nobody else is texted. How the list is read may follow it, as for opt-out "
            "lists. Don't type the numbers themselves: Prefect would record them.",
            json_schema_extra=each_shaped("where a list of your numbers is, never the numbers", "[A-Za-z]"),
        ),
        Terminal(
            "Your own numbers, or one list of them: only they are texted, with the first rows' texts.", takes_all=True
        ),
    ] = ()
    canary: Annotated[
        int,
        Field(
            strict=True,
            ge=0,
            title="Canary",
            description="How many numbers are texted first. The others follow only if few enough of these failed or "
            "are unknown (see the failure limit). If the run asks before sending, it asks again with the canary's "
            "outcome. 0: no canary.",
        ),
        Terminal("Text this many numbers first, and the others only if few enough of them failed."),
    ] = 0
    min_recipients: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            title="Fewest numbers",
            description="A campaign that would text fewer numbers than this sends nothing: a list that came out too "
            "short is noticed before anybody is texted. Empty: no limit.",
        ),
        Terminal("Send nothing if there are fewer numbers than this, as in a list that came out too short."),
    ] = None
    prices: Annotated[
        str | None,
        Field(
            title="Prices",
            description="A table, at s3:// or a path on the worker, with the columns country (SG) or prefix (+65), "
            "price (of one message part) and currency. Preview and report then say what the campaign costs.",
        ),
        Terminal("A table (country or prefix, price of a part, currency), to say what it costs."),
    ] = None
    max_invalid_rate: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            title="Most invalid rows, as a share",
            description="A campaign sends nothing if more than this share of its rows is invalid, such as 0.1: most "
            "often the wrong column was read. Empty: 0.5 (half), for lists of 1,000 rows or more.",
        ),
        Terminal(
            "Send nothing if more than this share of the rows is invalid. Default: 0.5, for lists of 1,000 rows or "
            "more."
        ),
    ] = None
    max_failure_rate: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Failure limit",
            description="Stop when more than this share of the numbers failed or is unknown: checked after the first "
            "1,000, and for a canary on its own. 0.2 is one in five.",
        ),
        Terminal("Stop when more than this share failed or is unknown, after 1,000 numbers or a canary."),
    ] = 0.2
