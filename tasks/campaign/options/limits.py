"""The options that say what a campaign may cost, when it doesn't start, and when it stops."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal


class Limits(Options, frozen=True):
    """What the campaign may cost, when it doesn't start, and when it stops."""

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
    max_recipients: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            title="Most numbers",
            description="A campaign that would text more numbers than this sends nothing. Empty: no limit.",
        ),
        Terminal("Send nothing if there are more numbers than this."),
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
    max_cost: Annotated[
        float | None,
        Field(
            ge=0,
            title="Highest cost",
            description="A campaign that costs more sends nothing; in the currency of the prices. Empty: no limit.",
        ),
        Terminal("Send nothing if the campaign costs more; in the currency of --prices."),
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
