"""The sandbox gateway's settings: its accounts and its log."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from globe_sms.deployments.sandbox.gateway.delivery_fates import DeliverySettings


class Account(BaseModel):
    """An Alibaba Cloud account as the gateway knows it; the repr shows neither secret nor token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_id: Annotated[str, Field(min_length=1)]
    secret: Annotated[str, Field(min_length=1, repr=False)]
    token: Annotated[str | None, Field(repr=False, description="STS token that every call must send")] = None
    calls_per_second: Annotated[int, Field(ge=1, le=10_000)] = 1
    numbers_per_call: Annotated[int, Field(ge=1, le=1_000)] = 250
    rate_window: Annotated[
        Literal["sliding", "fixed", "bucket"],
        Field(description="how calls are counted: in any sliding second, in each second of the clock, or by tokens"),
    ] = "sliding"
    sender_ids: Annotated[
        tuple[str, ...] | None, Field(description="approved sender IDs, compared exactly; None: any valid one")
    ] = None
    count_refused: Annotated[bool, Field(description="throttled calls count towards the rate too")] = False
    throttle_as: Annotated[
        Literal["gateway", "business"],
        Field(description="Throttling.User with HTTP 400, or QPS_LIMIT_CONTROL with HTTP 200"),
    ] = "gateway"
    retry_after_ms: Annotated[int | None, Field(ge=1, description="x-acs-retry-after of a throttled call")] = None


class GatewaySettings(BaseModel):
    """The settings of a sandbox gateway process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: Annotated[tuple[Account, ...], Field(min_length=1)]
    log_numbers: Annotated[
        bool,
        Field(description="write every number and MessageId to the log; needed for deliveries"),
    ] = True
    log_messages: Annotated[bool, Field(description="write every text to the log")] = False
    deliveries: Annotated[DeliverySettings, Field(description="the fates of accepted messages")] = DeliverySettings()
    keep_alive_seconds: Annotated[int, Field(ge=0, description="seconds until idle connections are closed")] = 75
