"""The twelve options that every campaign has."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, WithJsonSchema

from globe_sms.tasks.campaign.options.declaration import Options, Terminal
from globe_sms.tasks.gateway import MessageType

LONGEST_MESSAGE: Final = 1_500
LISTS: Final = "URI"

OwnNumber = Annotated[SecretStr, WithJsonSchema({"type": "string"})]


class EveryCampaign(Options, frozen=True):
    """The options that every campaign has."""

    recipients: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            title="Recipient lists",
            description="Where the lists are, one a line: an s3:// object, a prefix that ends in a slash, a pattern "
            "such as s3://lists/2026-11/*.csv, or a path on the worker. CSV, parquet, NDJSON and XLSX, also "
            "compressed. {date}, {year}, {month}, {day} and {hour} are replaced with the time the run was scheduled "
            "for.",
        ),
        Terminal("Recipient lists, one or more: S3 objects, prefixes, globs; local paths.", positional=LISTS),
    ]
    campaign: Annotated[
        str | None,
        Field(
            title="Campaign ID",
            description="A name for this campaign: letters, digits, dashes, underscores. Run the same ID with the same "
            "results folder to resume: nobody is texted twice. Empty: an ID is made from the settings and the lists; "
            "changing any of them creates a new campaign, which texts everyone again, except people who got the very "
            "same text lately. {date} works as in the lists.",
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
            description=f"The text people receive, at most {LONGEST_MESSAGE:,} characters. {{name}} prints the value "
            "of the list's column called name; {name|friend} prints friend if the cell is empty. For braces write {{ "
            "and }}.",
        ),
        Terminal(
            "The text. {name} prints the value of the column called name, {name|friend} prints friend if it's empty; "
            "for braces write {{ and }}."
        ),
    ] = ""
    type: Annotated[
        MessageType,
        Field(
            title="Kind of message",
            description="NOTIFY: a notification. MKT: a promotion. OTP: a verification code. GENERAL: anything else. "
            "Some countries route and restrict them differently.",
        ),
        Terminal("NOTIFY: a notification; MKT: a promotion; OTP: a verification code; GENERAL: anything else."),
    ]
    results: Annotated[
        str,
        Field(
            min_length=1,
            title="Results folder",
            description="Where the campaign's folder goes, with its plan and results: s3://bucket/prefix, or an "
            "absolute path on a disk that is kept after the run. Use one for all campaigns of an account: the same ID "
            "in another folder is another campaign.",
        ),
        Terminal("Where the campaign is kept: s3://bucket/prefix or a directory."),
    ]
    sender_id: Annotated[
        str | tuple[str, ...] | None,
        WithJsonSchema({"type": "string"}),
        Field(
            title="Sender ID",
            description="Who the text is from: an approved sender ID, up to 11 letters and digits, or up to 15 digits. "
            "For one per country, separate them with commas: SG=Acme, GB=AcmeUK, *=12345 (* is every other country). "
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
            description="Numbers on these lists get no text. One list a line, in the same places and formats as the "
            "recipient lists. A list or row that can't be read stops the campaign. How a list is read may follow it: "
            "optouts.csv#no-header,number-column=2,encoding=windows-1252,default-region=SG. Each run reads them before "
            "its first call, and again after a wait.",
        ),
        Terminal(
            "Opt-out lists; one that can't be read stops the campaign. How it's read may follow: "
            "optouts.csv#no-header,number-column=2,encoding=windows-1252,default-region=SG.",
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
        ),
        Terminal(
            "When people may be texted, by their own clocks, like 09:00-20:00; OTP goes at any time. Default: around "
            "the clock."
        ),
    ] = None
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
    test_to: Annotated[
        tuple[OwnNumber, ...],
        Field(
            title="Test numbers",
            description="A list of up to 20 numbers of your own, at s3:// or a path on the worker. They get the texts "
            "of the lists' first rows, and nobody else is texted. How the list is read may follow it, as for opt-out "
            "lists. Don't type the numbers themselves: Prefect would "
            "record them.",
        ),
        Terminal(
            "Your own numbers, or one list of them: only they are texted, with the first rows' texts.", takes_all=True
        ),
    ] = ()
    # None, not a number, says that nobody is asked: every number, 0 too, already means "ask above it".
    approve_above: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            title="Ask above this many numbers",
            description="Show the preview and wait for approval before texting more numbers than this. 0 always asks. "
            "Empty: never ask.",
        ),
        Terminal("Send nothing to more numbers than this unless somebody says yes, here or with --yes; 0 always asks."),
    ] = None
    dry_run: Annotated[
        bool,
        Field(
            title="Dry run",
            description="Read the lists, make the plan, the preview and the results, but call nothing. Run the same "
            "campaign without it to send; the preview then says what changed in between.",
        ),
        Terminal("Make the plan, the preview and the results, but call nothing."),
    ] = False
