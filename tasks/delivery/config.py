"""The options of a tracking: which campaign, for how long, how fast. They are checked before anything is opened."""

from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from globe_sms.tasks.delivery.reconcile import DEFAULT_SETTLE_AFTER
from globe_sms.tasks.gateway.query_message import MOST_QUERIES_PER_SECOND
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

CAMPAIGN_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
_LONGEST_WAIT_DAYS: Final = 30


class TrackingConfig(BaseModel):
    """The options of `globe-sms track` and the flow `track-delivery`, with the same names and defaults.

    `receipts` are the URIs of delivery receipts; `settle_after` is in hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    campaign: Annotated[str, Field(pattern=CAMPAIGN_PATTERN)]
    results: Annotated[str, Field(min_length=1)]
    receipts: tuple[str, ...] = ()
    settle_after: Annotated[float, Field(ge=0, le=24 * 365)] = DEFAULT_SETTLE_AFTER / timedelta(hours=1)
    wait: str = "1h"
    no_query: bool = False
    queries_per_second: Annotated[float, Field(gt=0, le=MOST_QUERIES_PER_SECOND)] = MOST_QUERIES_PER_SECOND
    account: str | None = None
    aws_credentials: str | None = None

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
