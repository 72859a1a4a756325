"""The options that say how long a run waits, when it must be done, and which day it is."""

from typing import Annotated, Final

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import DURATION, NotInForm, Options, Terminal, shaped
from globe_sms.tasks.gateway import LONGEST_VALIDITY, SHORTEST_VALIDITY

LONGEST_APPROVAL: Final = 30 * 24 * 3_600

TimeZone = Annotated[
    str,
    Field(
        title="Time zone",
        description="Which time zone {date} and the like are in, such as Asia/Singapore; also that of the latest time "
        "to send.",
        json_schema_extra=shaped("a time zone such as Asia/Singapore", r"^([A-Za-z][\w+-]*(/[\w+-]+)*)?$"),
    ),
    Terminal("The time zone of {date} in a list's URI or the campaign ID, and of --until."),
]


class Timing(Options, frozen=True):
    """How long a run waits, when it must be done, and which day it is."""

    until: Annotated[
        str | None,
        Field(
            title="Latest time to send",
            description="Nothing is sent after it: a time such as 18:00 on the day of the run, a date and time such as "
            "2026-12-24T18:00, or hours, the end of the day's hours where the recipient is. People who haven't been "
            "texted by then are not_sent. Empty: no end.",
            json_schema_extra=shaped(
                "a time such as 18:00 or 2026-12-24T18:00, or the word hours",
                r"^\s*(hours|\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}[T ].+)?\s*$",
            ),
        ),
        Terminal(
            "Send nothing after a time, such as 18:00 (on the day of the run) or 2026-12-24T18:00, or after the end of "
            "the day's hours (write hours). The rest is not_sent (expired)."
        ),
    ] = None
    validity: Annotated[
        int | None,
        Field(
            strict=True,
            ge=SHORTEST_VALIDITY,
            le=LONGEST_VALIDITY,
            title="Validity, in seconds",
            description="How long Alibaba may take to hand a text to the phone network; a text that waits longer is "
            "dropped, free of charge. Useful for codes, such as 300. Empty: until the hours or the latest time to send "
            "end, otherwise Alibaba's default.",
        ),
        Terminal(
            "Seconds that Alibaba may take to hand a text on, at most 14400; later it's dropped. Default: what is left "
            "of --hours and --until."
        ),
    ] = None
    hours_wait: Annotated[
        str,
        Field(
            title="Wait for the hours",
            description="How long a run waits for people outside the hours, such as 12h or 1d, at most 7d. People "
            "still outside then aren't texted; run the campaign again to go on. With a canary it waits for that first, "
            "then as long again for the others.",
            json_schema_extra=shaped("a duration such as 12h or 1d", DURATION),
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
        NotInForm('"Latest start, in minutes"'),  # but for deployments with a schedule
    ] = None
