"""The options that every campaign has: twelve fields of the form, of which *Cap* is two options."""

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from globe_sms.tasks.campaign.options.account_and_rate import Account
from globe_sms.tasks.campaign.options.declaration import NotInForm, Options, Terminal, each_shaped, shaped
from globe_sms.tasks.gateway import MessageType

LONGEST_MESSAGE: Final = 1_500
LISTS: Final = "URI"
_DATE: Final = r"\{(date|year|month|day|hour)\}"
_SPAN: Final = r"\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*"
_SENDER: Final = r"([A-Za-z0-9]{1,11}|[0-9]{12,15})"
_RULE: Final = rf"\s*((\*|[A-Za-z]{{2}})\s*=)?{_SENDER}\s*"
_SENDERS: Final = shaped(
    "up to 11 letters and digits, or 15 digits; one per country: SG=Acme, *=12345", rf"^({_RULE}(,{_RULE})*)?$"
)


class EveryCampaign(Options, frozen=True):
    """The options that every campaign has."""

    recipients: Annotated[
        tuple[str, ...],
        Field(
            title="Recipients",
            description="Where the lists of phone numbers are, one per item: s3://bucket/list.csv, a folder "
            "(s3://bucket/lists/), a pattern (s3://bucket/*.csv) or a path on the worker. CSV, XLSX, parquet, NDJSON, "
            "or a table: delta+s3://bucket/table, iceberg+s3://bucket/table. {date}, {year}, {month}, {day} and {hour} "
            "become the time the run was scheduled for. Leave it empty only if a database query finds the recipients.",
            json_schema_extra=each_shaped("where a list is; it can't be blank", r"\S"),
        ),
        Terminal(
            "Recipient lists, one or more: S3 objects, prefixes, globs; local paths; tables as delta+s3://bucket/table "
            "or iceberg+s3://bucket/table. None with --query.",
            positional=LISTS,
        ),
    ] = ()
    campaign: Annotated[
        str | None,
        Field(
            title="Campaign ID",
            description="A name for this campaign: letters, digits, dashes, underscores. Running the same ID again "
            "continues the campaign and texts nobody twice; another ID is another campaign. {date} works as above.",
            json_schema_extra=shaped(
                "1 to 100 letters, digits, dashes or underscores, beginning with a letter or digit",
                rf"^([A-Za-z0-9]|{_DATE})([A-Za-z0-9_-]|{_DATE}){{0,99}}$|^$",
            ),
        ),
        Terminal(
            "The campaign's ID: the same ID at the same --results resumes it. Default: made from settings and lists; "
            "changing any of them creates a new campaign, which texts everyone again, except people who got the very "
            "same text lately."
        ),
    ] = None
    message: Annotated[
        str,
        Field(
            max_length=LONGEST_MESSAGE,
            title="Message",
            description=f"The text people receive, at most {LONGEST_MESSAGE:,} characters. {{name}} prints the "
            "column called name, {name|friend} prints friend if its cell is empty, and {text} alone sends each "
            "person the text in the column called text. For braces write {{ and }}.",
        ),
        Terminal(
            "The text. {name} prints the value of the column called name, {name|friend} prints friend if it's empty; "
            "for braces write {{ and }}."
        ),
    ] = ""
    type: Annotated[
        MessageType,
        Field(
            title="Type of message",
            description="NOTIFY: a notification. MKT: a promotion. OTP: a verification code. GENERAL: anything else.",
        ),
        Terminal("NOTIFY: a notification; MKT: a promotion; OTP: a verification code; GENERAL: anything else."),
    ]
    results: Annotated[
        str,
        Field(
            min_length=1,
            title="Results folder",
            description="Where the campaigns are kept: s3://bucket/prefix, or an absolute path on a disk that is kept "
            "after the run. Use the same for all campaigns: an ID in another folder is another campaign.",
            json_schema_extra=shaped(
                "s3://bucket/prefix, or an absolute path on a disk that is kept", r"^(s3[an]?://[^/\s]|/|~/)"
            ),
        ),
        Terminal("Where the campaign is kept: s3://bucket/prefix or a directory."),
    ]
    sender_id: Annotated[
        str | tuple[str, ...] | None,
        WithJsonSchema({"type": "string"} | _SENDERS),
        Field(
            title="Sender ID",
            description="Who the text is from: an approved sender ID, up to 11 letters and digits, or up to 15 digits. "
            "For one per country, separate them with commas: SG=Acme, GB=AcmeUK, *=12345, where the star is every "
            "other country. "
            "Empty: the account's sender ID, or Alibaba chooses.",
        ),
        Terminal(
            "An approved sender ID. For one per country repeat the option: SG=Acme, *=Other. Default: the account "
            "block's, or Alibaba chooses."
        ),
    ] = None
    suppress: Annotated[
        tuple[str, ...],
        Field(
            title="Opt-out lists",
            description="Numbers on these lists get no text. One list per item, in the same places and formats as the "
            "recipient lists; one that can't be read stops the campaign. How a list is read may follow it: "
            "optouts.csv#no-header,number-column=2,encoding=windows-1252,default-region=SG. "
            "s3://bucket/receipts#replies leaves out those who replied STOP, if the receipts endpoint keeps replies "
            "there. Each run reads the lists before its first call, and again after a wait.",
            json_schema_extra=each_shaped("where a list is; it can't be blank", r"\S"),
        ),
        Terminal(
            "Opt-out lists; one that can't be read stops the campaign. How it's read may follow: "
            "optouts.csv#no-header,number-column=2,encoding=windows-1252,default-region=SG. "
            "s3://receipts/sms#replies: those who replied STOP.",
            takes_all=True,
        ),
    ] = ()
    hours: Annotated[
        str | None,
        Field(
            title="Hours",
            description="When texts may be sent, by the recipient's own clock: 09:00-20:00, or 20:00-02:00 over "
            "midnight. The run waits for people outside these hours. Codes (OTP) go at any time. Empty: around the "
            "clock.",
            json_schema_extra=shaped("hours like 09:00-20:00", rf"^({_SPAN}(,{_SPAN})*)?$"),
        ),
        Terminal(
            "When people may be texted, by their own clocks, like 09:00-20:00; OTP goes at any time. Default: around "
            "the clock."
        ),
    ] = None
    # None says that nobody is asked: every number, 0 too, already means "ask above it". In the form None is -1.
    approve_above: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            title="Ask above this many numbers",
            description="Show the preview and wait for approval before texting more numbers than this. 0 always asks, "
            "-1 never does.",
        ),
        Terminal("Send nothing to more numbers than this unless somebody says yes, here or with --yes; 0 always asks."),
    ] = None
    max_recipients: Annotated[
        int | None,
        Field(strict=True, ge=0),
        Terminal("Send nothing if there are more numbers than this."),
        NotInForm('"Cap"', "cap"),
    ] = None
    max_cost: Annotated[
        float | None,
        Field(ge=0),
        Terminal("Send nothing if the campaign costs more; in the currency of --prices."),
        NotInForm('"Cap"', "cap"),
    ] = None
    account: Account = None
    dry_run: Annotated[
        bool,
        Field(
            title="Dry run",
            description="Read the lists, make the plan, the preview and the results, but call nothing. Run the same "
            "campaign without it to send; the preview then says what changed in between.",
        ),
        Terminal("Make the plan, the preview and the results, but call nothing."),
    ] = False
