"""The options that say how fast the account sends, and with which keys S3 is read."""

from typing import Annotated, Any, Final

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE

MOST_NUMBERS: Final = 1_000

_NUMBERS_PER_CALL: Final[Any] = Field(strict=True, ge=1, le=MOST_NUMBERS)
_CALLS_PER_SECOND: Final[Any] = Field(ge=SLOWEST_RATE, le=100)
NumbersPerCall = Annotated[int, _NUMBERS_PER_CALL]
CallsPerSecond = Annotated[float, _CALLS_PER_SECOND]

Account = Annotated[
    str | None,
    Field(
        title="Account",
        description="The name of an Alibaba SMS account block: keys, endpoint, rate, sender ID. Without one, the "
        "worker's environment variables are used.",
    ),
    Terminal("An Alibaba SMS account block. Default: the environment."),
]
AwsCredentials = Annotated[
    str | None,
    Field(
        title="S3 credentials",
        description="The name of an AWS Credentials or MinIO Credentials block. Without one, the worker's "
        "environment variables are used.",
    ),
    Terminal("An AWS or MinIO credentials block. Default: the environment."),
]


class AccountAndRate(Options, frozen=True):
    """How fast the account sends, and the keys of S3."""

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
