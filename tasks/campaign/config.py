"""A campaign's order: what is sent to whom, checked at the rim before anything is opened."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from globe_sms.tasks.campaign import option_checks as option_values
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.own_number_option import check_own
from globe_sms.tasks.campaign.senders import ALL_OTHERS, Senders, check_rules, senders_of, split_senders
from globe_sms.tasks.gateway import MessageType, check_sender_id
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.numbers import Overrides
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

LONGEST_MESSAGE = 1_500
MOST_NUMBERS = 1_000
LONGEST_APPROVAL = 30 * 24 * 3_600
_LONGEST_TESTED = 100 - len("-test-01234567")
_OF_THE_ACCOUNT = ("sender_id", "numbers_per_call", "calls_per_second")
_LATER = (
    *("no_header", "encoding", "numbers_override_sha256", "message_column", "downgrade", "max_characters"),
    *("suppress", "exclude_results", "allow_country", "deny_country", "sample", "canary"),
    *("sender_by_country", "test_to_sha256"),
)
_INTERNAL = ("inherited", "numbers_override_sha256", "sender_by_country", "test_to_sha256")
_OPTION_OF = {"recipients": "recipients", "sender_by_country": "--sender-id"}


class OnUnknown(StrEnum):
    """What a run does with chunks that an earlier run left unknown."""

    HOLD = "hold"
    RESEND = "resend"


class CampaignConfig(BaseModel):
    """Everything that `globe-sms send` and the flow `send-campaign` take, with the same names and defaults.

    `inherited` names what was left to the account (None): its block's value, or the default where none is named.
    `numbers_override_sha256` stands for the content of that table once it is read: settings freeze it, not its place.
    `sender_id` may be given as several, `SG=Acme` and `*=12345`: those by country then stand in `sender_by_country`,
    and `sender_id` is the one for all others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account: str | None = None
    aws_credentials: str | None = None
    recipients: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(option_values.uris_of_lists)]
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE), AfterValidator(option_values.message)] = ""
    type: MessageType
    results: Annotated[str, Field(min_length=1)]
    message_column: Annotated[str | None, Field(min_length=1)] = None
    downgrade: bool = False
    max_characters: Annotated[int, Field(strict=True, ge=1, le=LONGEST_MESSAGE)] = LONGEST_MESSAGE
    campaign: Annotated[str | None, AfterValidator(option_values.campaign_id)] = None
    suppress: Annotated[tuple[str, ...], AfterValidator(option_values.uris_of_lists)] = ()
    exclude_results: Annotated[tuple[str, ...], AfterValidator(option_values.uris_of_lists)] = ()
    exclude_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
    allow_country: Annotated[tuple[str, ...], AfterValidator(option_values.countries)] = ()
    deny_country: Annotated[tuple[str, ...], AfterValidator(option_values.countries)] = ()
    sample: Annotated[int | None, Field(strict=True, ge=1)] = None
    canary: Annotated[int | None, Field(strict=True, ge=1)] = None
    test_to: tuple[SecretStr, ...] = ()
    prices: Annotated[str | None, Field(min_length=1)] = None
    max_cost: Annotated[float | None, Field(ge=0)] = None
    max_parts: Annotated[int | None, Field(strict=True, ge=0)] = None
    max_recipients: Annotated[int | None, Field(strict=True, ge=0)] = None
    sender_id: str | None = None
    hours: Annotated[str | None, AfterValidator(option_values.hours)] = None
    hours_wait: Annotated[str, AfterValidator(option_values.hours_wait)] = "1d"
    default_region: Annotated[str | None, AfterValidator(option_values.region)] = None
    number_column: str | None = None
    numbers_override: Annotated[str | None, AfterValidator(option_values.uri_of_table)] = None
    no_header: bool = False
    encoding: Annotated[str | None, AfterValidator(option_values.encoding)] = None
    numbers_per_call: Annotated[int, Field(strict=True, ge=1, le=MOST_NUMBERS)] = 250
    calls_per_second: Annotated[float, Field(ge=SLOWEST_RATE, le=100)] = 1.0
    on_unknown: OnUnknown = OnUnknown.HOLD
    max_failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    dry_run: bool = False
    require_approval: bool = False
    approve_above: Annotated[int | None, Field(strict=True, ge=0)] = None
    approval_timeout: Annotated[int, Field(strict=True, ge=1, le=LONGEST_APPROVAL)] = 4 * 3_600
    sender_by_country: tuple[str, ...] = ()
    inherited: frozenset[str] = frozenset()
    numbers_override_sha256: str | None = None
    test_to_sha256: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _left_to_the_account(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take None for "as the account has it": the field's default until the account is known."""
        given = values.get("sender_id")
        if isinstance(given, str | list | tuple):
            usual, rules = split_senders([given] if isinstance(given, str) else [str(each) for each in given])
            values = {**values, "sender_id": usual, "sender_by_country": rules}
        left = {name for name in _OF_THE_ACCOUNT if values.get(name) is None}
        return {**{name: value for name, value in values.items() if name not in left}, "inherited": left}

    @field_validator(
        "recipients", "test_to", "suppress", "exclude_results", "allow_country", "deny_country", mode="before"
    )
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str | SecretStr) else () if value is None else value

    @field_validator("test_to")
    @classmethod
    def _own_numbers(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        check_own(value)
        return value

    @model_validator(mode="after")
    def _cost_needs_prices(self) -> Self:
        if self.max_cost is not None and self.prices is None:
            raise ValueError("--max-cost: what the campaign costs is not known without a table of prices: --prices")
        return self

    @model_validator(mode="after")
    def _one_wording(self) -> Self:
        if self.message and self.message_column is not None:
            raise ValueError("--message and --message-column exclude each other: give one of them")
        if not self.message and self.message_column is None:
            raise ValueError(
                "--message: the message is blank; write the text that the recipients are to read, or name the column "
                "that holds it with --message-column"
            )
        text = self.wording.text
        if text is not None and not text.strip():
            raise ValueError("--message: the message is blank; write the text that the recipients are to read")
        if text is not None and len(text) > self.max_characters:
            raise ValueError(f"--message: the text has {len(text):,} characters, allowed are {self.max_characters:,}")
        return self

    @field_validator("sender_id")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        return None if value is None else check_sender_id(value)

    @field_validator("sender_by_country")
    @classmethod
    def _senders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return check_rules(value)

    @classmethod
    @redact_errors()
    def checked(cls, **values: Any) -> Self:
        """Validate, and say in one message what is wrong with each option.

        Raises:
            InputError: with a line for each option that is wrong.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError("\n".join(_line(detail) for detail in error.errors(include_url=False))) from None

    def taking_from(self, settings: Mapping[str, Any]) -> Self:
        """Return the order with what was left to the account taken from these settings, where they have it."""
        taken = {name: settings[name] for name in self.inherited if name in settings}
        return self.model_copy(update=taken)

    @property
    def senders(self) -> Senders:
        """Who the texts are from."""
        return senders_of(self.sender_id, self.sender_by_country)

    @property
    def quiet_hours(self) -> Hours | None:
        """When recipients may be texted; None for around the clock, as for codes and tests that somebody waits for."""
        waited_for = self.type is MessageType.OTP or self.test_to
        return None if self.hours is None or waited_for else Hours.parse(self.hours)

    @property
    def hours_wait_seconds(self) -> float:
        """How long a run waits for those who are outside their hours."""
        return seconds_of(self.hours_wait, longest_days=option_values.LONGEST_HOURS_WAIT_DAYS)

    @property
    def wording(self) -> Wording:
        """Where the texts come from."""
        return Wording.of(
            self.message or None,
            self.message_column,
            downgrade=self.downgrade,
            max_characters=self.max_characters,
        )

    def overriding(self, overrides: Overrides) -> Self:
        """Return the order with the content of its table of prefixes, which a resume must keep."""
        return self.model_copy(update={"numbers_override_sha256": overrides.digest if overrides.mobile else None})

    def testing(self, numbers: Iterable[int]) -> Self:
        """Return the order with the own numbers (E.164) that its test goes to, which a resume must keep."""
        return self.model_copy(update={"test_to_sha256": _digest(sorted(numbers))})

    @property
    def canary_numbers(self) -> int:
        """How many numbers go out before the others; 0 for none, as in a test."""
        return 0 if self.test_to else self.canary or 0

    def parameters(self) -> dict[str, Any]:
        """Return the flow's parameters for this order; what was left to the account is None again.

        Own numbers stay secret: Prefect records stars in their place.
        """
        parameters = {**self.model_dump(mode="json", exclude=set(_INTERNAL)), **dict.fromkeys(self.inherited)}
        parameters["test_to"] = list(self.test_to)
        if self.sender_by_country:
            usual = parameters["sender_id"]
            others = [] if usual is None else [f"{ALL_OTHERS}={usual}"]
            parameters["sender_id"] = [*self.sender_by_country, *others]
        return parameters

    def frozen_settings(self) -> dict[str, Any]:
        """Return what a resume must keep: all that decides who gets which text, and in which chunk.

        What came later than the first campaigns stands there only where it is used, so that they can be resumed.
        """
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        later = [name for name in _LATER if name != "canary" or not self.test_to]
        return self.model_dump(
            mode="json",
            include={
                "recipients",
                "message",
                "type",
                "sender_id",
                "default_region",
                "number_column",
                "numbers_per_call",
                *(name for name in later if getattr(self, name) != defaults[name]),
                *(["exclude_days"] if self.exclude_results else []),
                *(["hours"] if self.quiet_hours else []),
            },
        )

    def fingerprint(self) -> str:
        """SHA-256 of the frozen settings."""
        return _digest(self.frozen_settings())

    def campaign_for(self, identities: tuple[str, ...]) -> str:
        """Return the campaign id: the given one, or one made of the settings and the lists' contents.

        So the same command on the same lists is the same campaign: run twice, it sends once; also when the account's
        limits were raised in between. A test has an id of its own, made of the campaign's and all that it depends on.
        """
        if self.test_to:
            tested = self.model_copy(update={"test_to": (), "test_to_sha256": None}).campaign_for(identities)
            return f"{tested[:_LONGEST_TESTED]}-test-{_digest([tested, self._own_settings(), *identities])[:8]}"
        return self.campaign or f"campaign-{_digest([self._own_settings(), *identities])[:12]}"

    def _own_settings(self) -> dict[str, Any]:
        """Return the frozen settings but for what the account says, which may change."""
        settings = self.frozen_settings()
        if self.account is not None:
            settings |= {**dict.fromkeys(self.inherited & settings.keys()), "account": self.account}
        return settings


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _line(detail: Any) -> str:
    if not detail["loc"]:
        return str(detail["msg"]).removeprefix("Value error, ")
    name = str(detail["loc"][0])
    option = _OPTION_OF.get(name, "--" + name.replace("_", "-"))
    if detail["type"] == "int_type":
        return f"{option}: give a whole number, such as 250"
    return f"{option}: {str(detail['msg']).removeprefix('Value error, ')}"
