"""The options in the six groups of the form, each declared once, as in `options`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from globe_sms.tasks.campaign.options import LONGEST_MESSAGE, Account, AwsCredentials, Options, Terminal, TimeZone
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE

MOST_NUMBERS: Final = 1_000
LONGEST_APPROVAL: Final = 30 * 24 * 3_600

_NUMBERS_PER_CALL: Final[Any] = Field(strict=True, ge=1, le=MOST_NUMBERS)
_CALLS_PER_SECOND: Final[Any] = Field(ge=SLOWEST_RATE, le=100)
NumbersPerCall = Annotated[int, _NUMBERS_PER_CALL]
CallsPerSecond = Annotated[float, _CALLS_PER_SECOND]


class OnUnknown(StrEnum):
    """What a run does with calls that an earlier run left unknown."""

    HOLD = "hold"
    RESEND = "resend"


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


class TextOptions(Options, frozen=True):
    """Where the texts come from, and what may be in them."""

    message_column: Annotated[
        str | None,
        Field(
            title="Column of messages",
            description="The column that holds each recipient's own text, instead of a message above.",
        ),
        Terminal("The column that holds each recipient's own text, instead of --message."),
    ] = None
    downgrade: Annotated[
        bool,
        Field(
            title="Plain characters",
            description="Replace curly quotes, long dashes, odd spaces and the ellipsis with plain ones, so that the "
            "text needs fewer message parts. The preview says what was replaced.",
        ),
        Terminal("Replace curly quotes, long dashes and odd spaces with plain ones, for fewer message parts."),
    ] = True
    max_characters: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=LONGEST_MESSAGE,
            title="Longest text, in characters",
            description=f"Rows with a longer text are invalid and get none. {LONGEST_MESSAGE:,} is Alibaba's limit.",
        ),
        Terminal("Rows with a longer text are invalid (message_too_long); at most 1,500."),
    ] = LONGEST_MESSAGE


class Limits(Options, frozen=True):
    """What the campaign may cost, and when it stops."""

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
    max_failure_rate: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Failure limit",
            description="Stop when more than this share of the numbers failed or is unknown: checked after the first "
            "1,000, and for a canary on its own. 0.5 is half.",
        ),
        Terminal("Stop when more than this share failed or is unknown, after 1,000 numbers or a canary."),
    ] = 0.5


class LeftOut(Options, frozen=True):
    """Who gets no text although their number is on the lists."""

    exclude_results: Annotated[
        tuple[str, ...],
        Field(
            title="Results of earlier campaigns",
            description="People whom these campaigns texted lately get no text; one place a line, such as "
            "s3://campaigns/prod/*/results.parquet. Unknown rows don't count as texted.",
        ),
        Terminal(
            "Results of earlier campaigns, like s3://campaigns/prod/*/results.parquet: numbers they texted are left "
            "out.",
            takes_all=True,
        ),
    ] = ()
    exclude_days: Annotated[
        float,
        Field(
            gt=0,
            le=3_650,
            title="Days an earlier text counts",
            description="How many days back a text counts in the results of earlier campaigns.",
        ),
        Terminal("How many days back a text counts in --exclude-results."),
    ] = 30.0
    allow_country: Annotated[
        tuple[str, ...],
        Field(
            title="Only these countries",
            description="Two letters each, such as SG, one a line. Other countries are unsupported. Empty: all.",
        ),
        Terminal("Send to this country only, like SG; repeat it for more. Others are unsupported."),
    ] = ()
    deny_country: Annotated[
        tuple[str, ...],
        Field(
            title="Not these countries",
            description="Two letters each, such as SG, one a line. Their numbers are unsupported.",
        ),
        Terminal("Send nothing to this country, like SG; repeat it for more."),
    ] = ()
    on_unknown: Annotated[
        OnUnknown,
        Field(
            title="Numbers left unknown",
            description="Numbers that an earlier run may have texted without getting an answer. hold: leave them. "
            "resend: send once more; some people may get the text twice.",
        ),
        Terminal("Calls that an earlier run left unknown: hold, or resend once (may text twice)."),
    ] = OnUnknown.HOLD


class AccountAndRate(Options, frozen=True):
    """Which account sends, and how fast."""

    account: Account = None
    aws_credentials: AwsCredentials = None
    numbers_per_call: Annotated[
        int | None,
        _NUMBERS_PER_CALL,
        Field(
            title="Numbers a call",
            description="How many numbers go out in one call: up to 1,000 if Alibaba has upgraded the account. Empty: "
            "the account block's, or 250.",
        ),
        Terminal("Up to 1,000 for an upgraded account. Default: the account block's, or 250."),
    ] = None
    calls_per_second: Annotated[
        float | None,
        _CALLS_PER_SECOND,
        Field(
            title="Calls a second",
            description="How many calls the account may make in a second, over all its runs; more than 1 only if "
            "Alibaba has upgraded the account. Empty: the account block's, or 1.",
        ),
        Terminal("The account's limit, over all its runs. Default: the account block's, or 1."),
    ] = None


class Timing(Options, frozen=True):
    """How long a run waits, and which day it is."""

    hours_wait: Annotated[
        str,
        Field(
            title="Wait for the hours",
            description="How long a run waits for people outside the hours, such as 12h or 1d, at most 7d. People "
            "still outside then aren't texted; run the campaign again to go on. With a canary it waits for that first, "
            "then as long again for the others.",
        ),
        Terminal(
            "How long to wait for people outside --hours, like 12h, at most 7d, for a canary and again for the others; "
            "then they are not_sent."
        ),
    ] = "1d"
    approval_timeout: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=LONGEST_APPROVAL,
            title="Time to answer, in seconds",
            description="How long somebody has to approve the campaign. No answer in time counts as declined. 14400 "
            "seconds are 4 hours.",
        ),
        Terminal("Seconds to wait for the answer; none in time counts as declined."),
    ] = 4 * 3_600
    time_zone: TimeZone = "UTC"
    latest_start_minutes: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            title="Latest start, in minutes",
            description="A run that starts more than this many minutes after its scheduled time sends nothing. Empty: "
            "however late.",
        ),
        Terminal(shown=False),
    ] = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of options: the flow's parameter `name`, and the heading that people see."""

    name: str
    heading: str
    options: type[Options]


GROUPS: Final = (
    Group("list_format", "The list", ListFormat),
    Group("text", "The text", TextOptions),
    Group("limits", "Limits", Limits),
    Group("left_out", "Who is left out", LeftOut),
    Group("account_and_rate", "Account and rate", AccountAndRate),
    Group("timing", "Timing", Timing),
)
