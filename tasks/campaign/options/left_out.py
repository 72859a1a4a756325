"""The options that say who gets no text although their number is on the lists."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import DURATION, NotInForm, Options, Terminal, shaped


class OnUnknown(StrEnum):
    """What a run does with calls that an earlier run left unknown."""

    HOLD = "hold"
    RESEND = "resend"


class OnDamaged(StrEnum):
    """What a run does with rows of an opt-out list that aren't phone numbers."""

    REFUSE = "refuse"
    SKIP = "skip"


class LeftOut(Options, frozen=True):
    """Who gets no text although their number is on the lists."""

    suppress_damaged: Annotated[
        OnDamaged,
        Field(
            title="Damaged opt-outs",
            description="Rows of an opt-out list that aren't phone numbers. refuse: they stop the campaign. skip: they "
            "are passed over, and preview and report say how many; these people may be texted.",
        ),
        Terminal("Rows of an opt-out list that aren't phone numbers: refuse the campaign, or skip them."),
    ] = OnDamaged.REFUSE
    exclude_results: Annotated[
        tuple[str, ...],
        Terminal(
            "Results of earlier campaigns, like s3://campaigns/prod/*/results.parquet: numbers they texted are left "
            "out.",
            takes_all=True,
        ),
        NotInForm('"Results of earlier campaigns"', "exclude_results"),
    ] = ()
    exclude_days: Annotated[
        float,
        Field(gt=0, le=3_650),
        Terminal("How many days back a text counts in --exclude-results."),
        NotInForm('the days in "Results of earlier campaigns"', "exclude_results"),
    ] = 30.0
    exclude_undelivered: Annotated[
        float | None,
        Field(
            gt=0,
            le=3_650,
            title="Leave out undeliverable numbers, in days",
            description="Numbers whose last text of this many days failed for good (codes such as UNDELIV), in any "
            "campaign of this results folder, get no text; they come back once one is delivered. Empty: all get it.",
        ),
        Terminal(
            "Leave out numbers whose last text of this many days failed for good (UNDELIV), in any campaign of these "
            "results."
        ),
    ] = None
    repeat_after: Annotated[
        str,
        Field(
            title="Same text again after",
            description="Nobody gets the same text twice within this time from the campaigns of this results folder, "
            "such as 20h or 3d, at most 30d. 0: no limit. Codes (OTP) and tests have none.",
            json_schema_extra=shaped("a duration such as 20h or 3d", DURATION),
        ),
        Terminal(
            "Leave out people who got the same text from another campaign of these results within this time, like 20h "
            "or 3d; 0 switches it off. Not for OTP or tests."
        ),
    ] = "20h"
    allow_country: Annotated[
        tuple[str, ...],
        Terminal("Send to this country only, like SG; repeat it for more. Others are unsupported."),
        NotInForm('"Countries"', "countries"),
    ] = ()
    deny_country: Annotated[
        tuple[str, ...],
        Terminal("Send nothing to this country, like SG; repeat it for more."),
        NotInForm('"Countries"', "countries"),
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
