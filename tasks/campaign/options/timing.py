"""The options that say how long a run waits, and which day it is."""

from typing import Annotated, Final

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal

LONGEST_APPROVAL: Final = 30 * 24 * 3_600

TimeZone = Annotated[
    str,
    Field(
        title="Time zone of {date}",
        description="Which time zone {date} and the like are in, such as Asia/Singapore.",
    ),
    Terminal("The time zone of {date} in a list's URI or the campaign ID."),
]


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
