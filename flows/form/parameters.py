"""The form of `send-campaign` in Prefect's UI: a title, an explanation and bounds for each parameter.

The order of the fields is the order of the flow's parameters. Prefect takes a parameter's title and description from
its name and the docstring unless `json_schema_extra` says otherwise, hence `field_of`. What a schema cannot say is
checked by `tasks.campaign.config.CampaignConfig`, whose names, bounds and defaults these are.
"""

from typing import Annotated, Any

from pydantic import Field, SecretStr, WithJsonSchema
from pydantic.fields import FieldInfo

from globe_sms.tasks.campaign.config import LONGEST_APPROVAL, LONGEST_MESSAGE, MOST_NUMBERS, OnUnknown
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE


def field_of(title: str, description: str, **bounds: Any) -> FieldInfo:
    """Return a form's field with its title and its explanation."""
    return Field(json_schema_extra={"title": title, "description": description}, **bounds)


def _optional(title: str, description: str, kind: str = "str", **bounds: Any) -> FieldInfo:
    # The UI shows `None` chosen and no field to type into; a newcomer does not see that there is one.
    return field_of(title, f"{description} Click {kind} to fill it in.", **bounds)


Recipients = Annotated[
    list[str],
    field_of(
        "Recipient lists",
        "Where the lists are, one a line: an s3:// object, a prefix that ends in a slash, a pattern such as "
        "s3://lists/2026-11/*.csv, or a path on the worker. CSV, parquet, NDJSON and XLSX, also compressed. {date}, "
        "{year}, {month}, {day} and {hour} are filled in from the time that the run was scheduled for.",
        min_length=1,
    ),
]
Message = Annotated[
    str,
    field_of(
        "Message",
        f"The text that the recipients read, at most {LONGEST_MESSAGE:,} characters. {{name}} stands for the value in "
        "the list's column called name, {name|there} says there where that cell is empty; {{ and }} are braces.",
        max_length=LONGEST_MESSAGE,
    ),
]
Type = Annotated[
    MessageType,
    field_of(
        "Kind of message",
        "NOTIFY: a notification. MKT: a promotion. OTP: a verification code. GENERAL: anything else. Some countries "
        "route and restrict them differently.",
    ),
]
MessageColumn = Annotated[
    str | None,
    _optional(
        "Column of messages",
        "The name of the column that holds each recipient's own text, in place of the message above.",
        min_length=1,
    ),
]
Downgrade = Annotated[
    bool,
    field_of(
        "Plain characters",
        "Replace curly quotes, long dashes, odd spaces and the ellipsis with plain ones, so that a text of otherwise "
        "plain letters needs fewer message parts.",
    ),
]
MaxCharacters = Annotated[
    int,
    field_of(
        "Longest text, in characters",
        f"Rows whose text is longer are invalid and get none. {LONGEST_MESSAGE:,} is Alibaba's own limit.",
        strict=True,
        ge=1,
        le=LONGEST_MESSAGE,
    ),
]
Suppress = Annotated[
    tuple[str, ...],
    field_of(
        "Opt-out lists",
        "Lists of numbers that get no text, one list a line, in the same places and formats as recipient lists. A list "
        "that cannot be read stops the campaign. They are read when the plan is made, and not again.",
    ),
]
ExcludeResults = Annotated[
    tuple[str, ...],
    field_of(
        "Results of earlier campaigns",
        "People whom these campaigns have texted lately get no text; one place a line, such as "
        "s3://campaigns/prod/*/results.parquet. Rows left unknown do not count as texted.",
    ),
]
ExcludeDays = Annotated[
    float,
    field_of(
        "Days that an earlier text counts",
        "For how many days an earlier text counts, in the results above.",
        gt=0,
        le=3_650,
    ),
]
AllowCountry = Annotated[
    tuple[str, ...],
    field_of(
        "Only these countries", "Two letters each, such as SG, one a line; empty for all. Others are unsupported."
    ),
]
DenyCountry = Annotated[
    tuple[str, ...],
    field_of("Not these countries", "Two letters each, such as SG, one a line. Their numbers count as unsupported."),
]
Sample = Annotated[
    int | None,
    _optional(
        "Only the first rows",
        "How many rows of the lists are sent, for good: the others are not_sent, and need another campaign.",
        "int",
        strict=True,
        ge=1,
    ),
]
Canary = Annotated[
    int | None,
    _optional(
        "Canary",
        "How many numbers go out alone, first. The others follow only if not too many of these failed or are unknown, "
        "by the limit of failures below. Where somebody is asked before sending, they are asked once more then, with "
        "what became of the canary.",
        "int",
        strict=True,
        ge=1,
    ),
]
TestTo = Annotated[
    tuple[Annotated[SecretStr, WithJsonSchema({"type": "string"})], ...],
    field_of(
        "Test to own numbers",
        "The place of a list of up to 20 numbers of your own, s3:// or a path on the worker: they get what the first "
        "rows of the lists would read, and nobody else gets anything. Do not write the numbers themselves here: they "
        "would stand in Prefect's records.",
    ),
]
Prices = Annotated[
    str | None,
    _optional(
        "Prices",
        "A table, s3:// or a path on the worker, with the columns country (SG) or prefix (+65), price of one part, "
        "currency. With it, preview and report say what the campaign costs.",
        min_length=1,
    ),
]
MaxCost = Annotated[
    float | None,
    _optional(
        "Highest cost", "In the currency of the prices. A campaign that costs more sends nothing.", "float", ge=0
    ),
]
MaxParts = Annotated[
    int | None,
    _optional(
        "Most message parts", "A campaign whose texts have more parts together sends nothing.", "int", strict=True, ge=0
    ),
]
MaxRecipients = Annotated[
    int | None,
    _optional(
        "Most numbers", "A campaign that would text more numbers than this sends nothing.", "int", strict=True, ge=0
    ),
]
SenderId = Annotated[
    str | tuple[str, ...] | None,
    _optional(
        "Sender ID",
        "Who the text is from: an approved sender ID, up to 11 letters and digits, or up to 15 digits. Or several, by "
        "country, one a line: SG=Acme, and *=12345 for all others. Without one Alibaba chooses.",
        "str or array",
    ),
]
QuietHours = Annotated[
    str | None,
    _optional(
        "Hours",
        "When texts may be sent, by the recipient's own clock, such as 09:00-20:00, or 20:00-02:00 over midnight. "
        "The run waits for those who are outside. Codes (OTP) go at any time.",
        min_length=1,
    ),
]
HoursWait = Annotated[
    str,
    field_of(
        "Wait for the hours",
        "How long a run waits for recipients that are outside the hours, such as 12h or 1d, at most 7d. What is still "
        "outside then is not sent; run the campaign again to go on. With a canary it waits for that first, and "
        "then up to as long again for the others.",
        min_length=1,
    ),
]
Campaign = Annotated[
    str | None,
    _optional(
        "Campaign ID",
        "A name for this campaign: letters, digits, dashes, underscores. The same ID in the same results folder goes "
        "on with the same campaign and texts nobody twice; a new one starts anew. Without one, an ID is made from the "
        "settings and the lists' contents: once any of them has changed, everybody is texted again. {date} and its "
        "like are filled in as in the lists, so that a run repeated for its day is the same campaign.",
        min_length=1,
    ),
]
Results = Annotated[
    str,
    field_of(
        "Results folder",
        "Where the campaign's folder goes, with its plan and results: s3://bucket/prefix, or a directory on the worker "
        "that outlives it. Use the same one for all campaigns of an account: the same campaign in another "
        "folder is another campaign.",
        min_length=1,
    ),
]
DefaultRegion = Annotated[
    str | None,
    _optional(
        "Region of local numbers",
        "Two letters, such as SG: the country of numbers that are written without a country code. Without one, numbers "
        "must be international, such as +65 8123 4567; the plus sign may be missing.",
        pattern=r"^[A-Za-z]{2}$",
    ),
]
NumberColumn = Annotated[
    str | None,
    _optional(
        "Column of phone numbers",
        "The name of the column, where it does not tell by itself, as phone, mobile or msisdn do. In lists without a "
        "header its place: 1, 2 and so on.",
        min_length=1,
    ),
]
NoHeader = Annotated[
    bool,
    field_of("No header", "The lists (CSV, XLSX) begin with their first row; no line names the columns."),
]
Encoding = Annotated[
    str | None,
    _optional(
        "Encoding of the lists",
        "The encoding of CSV and NDJSON, such as windows-1252. Without one: by their byte order mark, else UTF-8.",
        min_length=1,
    ),
]
NumbersOverride = Annotated[
    str | None,
    _optional(
        "Prefixes that count as mobile",
        "A small table, s3:// or a path on the worker, with the columns prefix (+658) and mobile (yes or no): what "
        "libphonenumber's metadata does not know yet of these numbers. The longest prefix counts.",
        min_length=1,
    ),
]
DryRun = Annotated[
    bool,
    field_of(
        "Dry run",
        "Read the lists, make the plan, the preview and the results, and call nothing. Run the same campaign without "
        "it to send exactly that plan.",
    ),
]
RequireApproval = Annotated[
    bool,
    field_of(
        "Ask before sending",
        "Show the preview and wait until somebody approves or declines. Nothing is sent without an answer.",
    ),
]
ApproveAbove = Annotated[
    int | None,
    _optional(
        "Ask above so many numbers",
        "Ask before sending to more numbers than this. 0 always asks.",
        "int",
        strict=True,
        ge=0,
    ),
]
ApprovalTimeout = Annotated[
    int,
    field_of(
        "Wait for an answer, in seconds",
        "How long somebody may take to answer. No answer in time counts as declined. 14400 seconds are 4 hours.",
        strict=True,
        ge=1,
        le=LONGEST_APPROVAL,
    ),
]
NumbersPerCall = Annotated[
    int | None,
    _optional(
        "Numbers a call",
        "How many numbers go out in one call: up to 1,000 if Alibaba has upgraded the account. Without it, what the "
        "account's block says, or 250.",
        "int",
        strict=True,
        ge=1,
        le=MOST_NUMBERS,
    ),
]
CallsPerSecond = Annotated[
    float | None,
    _optional(
        "Calls a second",
        "How many calls the account may make in a second, over all its runs together; more than 1 only if Alibaba has "
        "upgraded the account. Without it, what the account's block says, or 1.",
        "float",
        ge=SLOWEST_RATE,
        le=100,
    ),
]
MaxFailureRate = Annotated[
    float,
    field_of(
        "Stop above this share of failures",
        "Stop when more than this share of the numbers failed or is unknown, judged after the first 1,000, and of a "
        "canary on its own. 0.5 is half.",
        ge=0,
        le=1,
    ),
]
UnknownChunks = Annotated[
    OnUnknown,
    field_of(
        "Numbers left unknown",
        "What to do with numbers that an earlier run may have texted without an answer from the gateway. hold: leave "
        "them. resend: send once more, so that some people may get the text twice.",
    ),
]
Account = Annotated[
    str | None,
    _optional(
        "Account",
        "The name of an Alibaba SMS account block: keys, endpoint, rate, sender ID. Without one, the worker's "
        "environment has them.",
        min_length=1,
    ),
]
AwsCredentials = Annotated[
    str | None,
    _optional(
        "S3 credentials",
        "The name of an AWS Credentials or MinIO Credentials block. Without one, the worker's environment has them.",
        min_length=1,
    ),
]
TimeZone = Annotated[
    str,
    field_of("Time zone of {date}", "Whose date {date} and its like are, such as Asia/Singapore.", min_length=1),
]
LatestStart = Annotated[
    int | None,
    _optional(
        "Latest start, in minutes",
        "A run that starts later than so many minutes after the time that it was scheduled for sends nothing.",
        "int",
        strict=True,
        ge=0,
    ),
]
