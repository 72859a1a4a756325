"""The options of a tracking: which campaign, for how long, how fast. They are checked before anything is opened."""

from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError, field_validator

from globe_sms.tasks.campaign.options.account_and_rate import Account, AwsCredentials
from globe_sms.tasks.campaign.options.checks import campaign_id
from globe_sms.tasks.campaign.options.declaration import Options, Terminal
from globe_sms.tasks.campaign.options.timing import TimeZone
from globe_sms.tasks.delivery.reconcile import DEFAULT_SETTLE_AFTER
from globe_sms.tasks.gateway.query_message import MOST_QUERIES_PER_SECOND
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_LONGEST_WAIT_DAYS: Final = 30


class TrackingConfig(Options, frozen=True):
    """Everything that `globe-sms track` and the flow `track-delivery` take, declared once.

    `receipts` are the URIs of delivery receipts; `settle_after` is in hours.
    """

    campaign: Annotated[
        str,
        Field(
            min_length=1,
            title="Campaign ID",
            description="The campaign whose messages are tracked: the name of its folder in the results folder. {date} "
            "and the like are replaced with the time the run was scheduled for.",
        ),
        Terminal("The campaign's ID.", positional="CAMPAIGN"),
    ]
    results: Annotated[
        str,
        Field(
            min_length=1,
            title="Results folder",
            description="Where the campaign's folder is, as it was given to send-campaign: s3://bucket/prefix, or an "
            "absolute path on the worker.",
        ),
        Terminal("Where the campaign is kept, as it was given to send."),
    ]
    receipts: Annotated[
        tuple[str, ...],
        Field(
            title="Delivery receipts",
            description="Where Alibaba's delivery receipts are, one place per item: an s3:// object, a prefix that "
            "ends in a slash, a pattern, or a path on the worker; NDJSON or JSON arrays, also compressed. They settle "
            "unknown rows and save queries.",
        ),
        Terminal("Where delivery receipts are: S3 objects, prefixes, globs; local paths."),
    ] = ()
    settle_after: Annotated[
        float,
        Field(
            ge=0,
            le=24 * 365,
            title="Report missing receipts after, in hours",
            description="Rows without a receipt this many hours after the send are named in the report.",
        ),
        Terminal("Hours after the send from which a missing receipt is reported."),
    ] = DEFAULT_SETTLE_AFTER / timedelta(hours=1)
    wait: Annotated[
        str,
        Field(
            title="How long",
            description="How long to keep asking about messages on their way: 30m, 1h, 1h 30m. 0 asks once for each. "
            "It ends earlier when all have reached a final state.",
        ),
        Terminal("How long to keep asking: 30m, 1h, 1h 30m. 0 asks once for each message."),
    ] = "1h"
    no_query: Annotated[
        bool,
        Field(
            title="Ask nothing",
            description="Don't ask the gateway; only write what is already known into the results.",
        ),
        Terminal("Don't ask the gateway; write what is already known into the results."),
    ] = False
    prices: Annotated[
        str | None,
        Field(
            title="Prices",
            description="A table (country or prefix, price of a part, currency), so that the report says what wasn't "
            "delivered and what that cost. Empty: the policy's.",
        ),
        Terminal("A table (country or prefix, price of a part, currency): what wasn't delivered, and what it cost."),
    ] = None
    queries_per_second: Annotated[
        float,
        Field(
            gt=0,
            le=MOST_QUERIES_PER_SECOND,
            title="Queries a second",
            description="How many queries the account may make in a second, over all its trackings; Alibaba's limit is "
            f"{MOST_QUERIES_PER_SECOND}.",
        ),
        Terminal("The account's limit for queries, over all its trackings."),
    ] = MOST_QUERIES_PER_SECOND
    account: Account = None
    aws_credentials: AwsCredentials = None
    time_zone: TimeZone = "UTC"

    @field_validator("campaign")
    @classmethod
    def _campaign(cls, value: str) -> str:
        return campaign_id(value) or ""

    @field_validator("wait")
    @classmethod
    def _span(cls, value: str) -> str:
        try:
            seconds_of(value, longest_days=_LONGEST_WAIT_DAYS)
        except InputError as error:
            raise ValueError(str(error)) from None
        return value

    @property
    def wait_seconds(self) -> float:
        """How long to keep asking, in seconds; 0 asks once for each message."""
        return seconds_of(self.wait, longest_days=_LONGEST_WAIT_DAYS)

    @classmethod
    @redact_errors()
    def checked(cls, **given: Any) -> Self:
        """Return the checked options.

        Raises:
            InputError: a value isn't valid; the message names the option.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False)
            raise InputError("\n".join(_line(detail["loc"], detail["msg"]) for detail in details)) from None


def _line(location: tuple[int | str, ...], message: str) -> str:
    name = "-".join(map(str, location)).replace("_", "-")
    return f"--{name}: {message.removeprefix('Value error, ')}"
