"""The settings of an Alibaba SMS account, as its block on the Prefect server holds them."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.account.rate_margin import USUAL_MARGIN, WIDEST_MARGIN
from globe_sms.tasks.gateway import Credentials, Endpoint, Region, check_connection, check_sender_id
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE
from globe_sms.tasks.runs.read_block import ACCOUNT_BLOCK, read_block
from globe_sms.tasks.vocabulary.errors import InputError

_NO_SECRET: Final = SecretStr("")


class AccountSettings(BaseModel):
    """An account's key, endpoint and limits; the fields of the block `tasks.blocks.AlibabaSmsAccount`.

    Empty fields come from the run's environment.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # the input holds the secret

    access_key_id: Annotated[
        str,
        Field(
            title="Access key ID",
            description=(
                "The access key of a RAM user with dysms:BatchSendMessageToGlobe. Empty: Alibaba's default credential "
                "chain on the worker (variables, files or the machine's role)."
            ),
        ),
    ] = ""
    access_key_secret: Annotated[
        SecretStr, Field(title="Access key secret", description="The secret of that access key.")
    ] = _NO_SECRET
    security_token: Annotated[
        SecretStr, Field(title="Security token", description="Only for a temporary (STS) key.")
    ] = _NO_SECRET
    region: Annotated[
        Region,
        WithJsonSchema({"type": "string", "enum": [str(region) for region in Region]}),  # V1 shows an enum's words
        Field(
            title="Region of the endpoint",
            description="Whose public endpoint is called. Accounts abroad: ap-southeast-1.",
        ),
    ] = Region.SINGAPORE
    endpoint: Annotated[
        str,
        Field(title="Endpoint", description="Another endpoint than the region's, such as a VPC's: https://host"),
    ] = ""
    calls_per_second: Annotated[
        float,
        Field(
            title="Calls a second",
            ge=SLOWEST_RATE,
            le=100,
            description="The account's limit, over all its runs. New accounts: 1.",
        ),
    ] = 1.0
    numbers_per_call: Annotated[
        int,
        Field(
            title="Numbers a call",
            strict=True,
            ge=1,
            le=1000,
            description="250, or up to 1,000 if Alibaba has upgraded the account.",
        ),
    ] = 250
    margin: Annotated[
        float,
        Field(
            title="Least unused share of the rate",
            ge=0,
            le=WIDEST_MARGIN,
            description="Delays on the way can bring calls closer together. More is left while the gateway throttles.",
        ),
    ] = USUAL_MARGIN
    sender_id: Annotated[
        str,
        Field(title="Sender ID", description="An approved sender ID, for campaigns without one."),
    ] = ""
    account_name: Annotated[
        str,
        Field(
            title="Account name",
            description=(
                "Any name, the same wherever this account is used: runs with the same name share the rate. Needed if "
                "they use different access keys, or temporary ones. Empty: GLOBE_SMS_ACCOUNT, or the access key ID."
            ),
        ),
    ] = ""
    pacing: Annotated[
        str,
        Field(
            title="Pacing folder",
            description=(
                "An s3:// prefix (or a directory) that keeps the account's schedule, for campaigns with results in "
                "several buckets. Empty: GLOBE_SMS_PACING, or .globe-sms/pacing/ in the results' bucket."
            ),
        ),
    ] = ""

    policy: Annotated[
        str,
        Field(
            title="Policy",
            description=(
                "The TOML file with the account's standing rules, at s3:// or a path on the worker: opt-out lists, "
                "hours, budgets. A run that can't read it sends nothing. Empty: GLOBE_SMS_POLICY, or "
                ".globe-sms/policy.toml in the results' bucket, if it's there."
            ),
        ),
    ] = ""

    @field_validator(
        "access_key_id",
        "access_key_secret",
        "security_token",
        "endpoint",
        "sender_id",
        "account_name",
        "pacing",
        "policy",
        mode="before",
    )
    @classmethod
    def _blank_is_empty(cls, value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return "" if text is None or (isinstance(text, str) and not text.strip()) else value

    @field_validator("sender_id")
    @classmethod
    def _sender(cls, value: str) -> str:
        return check_sender_id(value) if value else value

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            self._key()
            self._endpoint()
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def account(self, environ: Mapping[str, str] = os.environ) -> Account:
        """Return the account as a run needs it; empty fields are read from `environ`."""
        return Account(
            environ,
            key=self._key(),
            url=str(self._endpoint()),
            name=self.account_name or None,
            pacing=self.pacing or None,
            policy=self.policy or None,
            calls_per_second=self.calls_per_second,
            numbers_per_call=self.numbers_per_call,
            sender_id=self.sender_id or None,
            margin=self.margin,
        )

    def test_connection(self) -> str:
        """Make a call that can't send, and say what it proves about endpoint, key and signature.

        Raises:
            InputError: the gateway couldn't be reached or refused the key; the message says what to do.
        """
        account = self.account()
        return check_connection(account.endpoint(), account.credentials())

    def _key(self) -> Credentials | None:
        secret, token = self.access_key_secret.get_secret_value(), self.security_token.get_secret_value()
        if not (self.access_key_id or secret or token):
            return None
        if not (self.access_key_id and secret):
            raise InputError("give both the access key ID and its secret, or neither for the default credential chain")
        return Credentials(self.access_key_id.strip(), self.access_key_secret, self.security_token if token else None)

    def _endpoint(self) -> Endpoint:
        return Endpoint.parse(self.endpoint or self.region.endpoint)


def load_account(name: str, environ: Mapping[str, str] = os.environ) -> Account:
    """Read the block of that name from the Prefect server.

    Raises:
        InputError: the block doesn't exist or isn't valid, or the server doesn't answer.
    """
    found = read_block(ACCOUNT_BLOCK, name)
    if found is None:
        raise InputError(
            f"--account {name!r}: the Prefect server has no such block. Create it in the UI (Blocks, Alibaba SMS "
            "account); `globe-sms deploy` registers the type."
        )
    try:
        return AccountSettings.model_validate(dict(found)).account(environ)
    except ValidationError as error:
        wrong = "; ".join(_in_words(detail) for detail in error.errors(include_url=False, include_input=False))
        raise InputError(f"the block {ACCOUNT_BLOCK}/{name} can't be used: {wrong}. Fix it in the UI.") from None


def _in_words(detail: Any) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    return f"{field}: {detail['msg']}" if field else str(detail["msg"]).removeprefix("Value error, ")
