"""A campaign's configuration: its options, checked before anything is opened."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Self

from pydantic import SecretStr, ValidationError, ValidationInfo, field_validator, model_validator

from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.campaign.experiment import Variant, read_by_language, read_holdout, read_variants
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.options import checks as option_checks
from globe_sms.tasks.campaign.options.account_and_rate import AccountAndRate, CallsPerSecond, NumbersPerCall
from globe_sms.tasks.campaign.options.database import DatabaseQuery
from globe_sms.tasks.campaign.options.declaration import given_values
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from globe_sms.tasks.campaign.options.left_out import LeftOut
from globe_sms.tasks.campaign.options.limits import Limits
from globe_sms.tasks.campaign.options.list_format import ListFormat
from globe_sms.tasks.campaign.options.number_reading import NumberReading
from globe_sms.tasks.campaign.options.own_numbers import check_own
from globe_sms.tasks.campaign.options.results_table import ResultsTable
from globe_sms.tasks.campaign.options.several_texts import SeveralTexts
from globe_sms.tasks.campaign.options.text import TextOptions
from globe_sms.tasks.campaign.options.timing import Timing
from globe_sms.tasks.campaign.options.words import option_of
from globe_sms.tasks.campaign.senders import ALL_OTHERS, Senders, check_rules, senders_of, split_senders
from globe_sms.tasks.campaign.until import HOURS, NO_END, Until, read_until
from globe_sms.tasks.gateway import MessageType, check_sender_id
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.numbers import Overrides
from globe_sms.tasks.recipients import ReadOptions
from globe_sms.tasks.recipients.column_names import normalize_name
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_LONGEST_TESTED: Final = 100 - len("-test-01234567")
_OF_THE_ACCOUNT: Final = ("sender_id", "numbers_per_call", "calls_per_second")
_FOUND_OUT: Final = (
    *("inherited", "numbers_override_sha256", "scheduled", "sender_by_country", "test_to_sha256"),
    *("query_sha256", "settings_before_policy"),
)
_MENDING: Final = {
    "int_type": "give a whole number, such as 250",
    "string_too_short": "it is blank",
    "missing": "it is missing, and every campaign needs it",
    "extra_forbidden": "unknown option",
}
_OF_SEVERAL_TEXTS: Final = ("variant", "message_by_language", "language_column")
_OF_THE_WORDING: Final = ("message", "message_column", "downgrade", "max_characters", "keep_null_markers")
_FROZEN: Final = (
    *("recipients", "query_sha256", "connection"),
    *("number_column", "no_header", "header_row", "sheet", "hidden", "encoding"),
    *("default_region", "region_column", "first_number", "numbers_override_sha256"),
    *("type", *_OF_THE_WORDING),
    *("sender_id", "sender_by_country"),
    *("exclude_results", "allow_country", "deny_country", "test_to_sha256"),
)
_FROZEN_IF_GIVEN: Final = ("keep", "variant", "message_by_language", "holdout")
"""Not among the settings of a campaign without them, whose id stays what it was before there were such options."""


class CampaignConfig(
    EveryCampaign,
    ListFormat,
    DatabaseQuery,
    NumberReading,
    TextOptions,
    SeveralTexts,
    Limits,
    LeftOut,
    AccountAndRate,
    Timing,
    ResultsTable,
    frozen=True,
):
    """Everything that decides how a campaign is sent: all options, and what a run finds out about them.

    An option that is empty or None has its default. `inherited` names what was left to the account: its block's value,
    or the default without a block. `sender_id` is the sender ID of all countries that `sender_by_country` doesn't name.
    `scheduled` is when the run was to start, for the end that `until` names; None for now.
    `numbers_override_sha256`, `test_to_sha256` and `query_sha256` are made of the contents: settings freeze those, not
    the URIs.
    `settings_before_policy` are the frozen settings of the campaign's own options, once a policy has tightened them.
    """

    sender_id: str | None = None
    sender_by_country: tuple[str, ...] = ()
    numbers_per_call: NumbersPerCall = 250
    calls_per_second: CallsPerSecond = 1.0
    inherited: frozenset[str] = frozenset()
    numbers_override_sha256: str | None = None
    test_to_sha256: str | None = None
    query_sha256: str | None = None
    settings_before_policy: Mapping[str, Any] | None = None
    scheduled: datetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Drop empty values, split the senders, and note what is left to the account."""
        given = given_values(cls, values)
        senders = given.pop("sender_id", ())
        each = senders.split(",") if isinstance(senders, str) else [str(sender) for sender in senders]
        usual, rules = split_senders(sender.strip() for sender in each)
        given |= {"sender_by_country": rules} | ({} if usual is None else {"sender_id": usual})
        return given | {"inherited": {name for name in _OF_THE_ACCOUNT if name not in given}}

    @field_validator(
        *("recipients", "test_to", "suppress", "exclude_results", "allow_country", "deny_country", "keep", "variant"),
        "message_by_language",
        mode="before",
    )
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str | SecretStr) else () if value is None else value

    @field_validator(*option_checks.CHECKS)
    @classmethod
    def _checked(cls, value: Any, info: ValidationInfo) -> Any:
        return option_checks.CHECKS[str(info.field_name)](value)

    @field_validator("test_to")
    @classmethod
    def _own_numbers(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        check_own(value)
        return value

    @model_validator(mode="after")
    def _lists_or_a_query(self) -> Self:
        if self.query is not None and self.query_file is not None:
            raise ValueError("--query and --query-file exclude each other: give one of them")
        if self.asks_database and self.connection is None:
            raise ValueError("--query: where is it asked? Name the connection with --connection")
        if not self.asks_database and self.connection is not None:
            raise ValueError("--connection: there's no query to ask: give one with --query or --query-file")
        if not self.recipients and not self.asks_database:
            raise ValueError(
                "recipients: none are given: say where at least one list is, or ask a database with --query and "
                "--connection"
            )
        return self

    @model_validator(mode="after")
    def _cost_needs_prices(self) -> Self:
        if self.max_cost is not None and self.prices is None:
            raise ValueError("--max-cost: the cost is unknown without a table of prices: --prices")
        return self

    @model_validator(mode="after")
    def _header_or_none(self) -> Self:
        if self.no_header and self.header_row is not None:
            raise ValueError("--header-row and --no-header exclude each other: give one of them")
        return self

    @model_validator(mode="after")
    def _end_of_which_hours(self) -> Self:
        if self.until == HOURS and self.hours is None:
            raise ValueError("--until: there are no hours to end with: give them (--hours), or a time such as 18:00")
        if self.until == HOURS and self.type is MessageType.OTP:
            raise ValueError("--until: codes (OTP) go at any time and have no hours; give a time such as 18:00")
        return self

    @model_validator(mode="after")
    def _one_wording(self) -> Self:
        given = [
            option
            for option, value in (
                ("--message", self.message and not self.message_by_language),
                ("--message-column", self.message_column is not None),
                ("--variant", self.variant),
                ("--message-by-language", self.message_by_language),
            )
            if value
        ]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} exclude each other: give one of them")
        if not given:
            raise ValueError(
                "--message: the message is blank; write the text that people get, or, if a column holds it, "
                "--message-column"
            )
        if self.message_by_language and normalize_name(self.language_column) == "":
            raise ValueError("--language-column: it is blank; name the column of language tags")
        for option, text in self.same_texts:
            if not text.strip():
                raise ValueError(f"{option}: the message is blank; write the text that people get")
            if len(text) > self.max_characters:
                raise ValueError(
                    f"{option}: the text has {len(text):,} characters, allowed are {self.max_characters:,}"
                )
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
        """Return the configuration with what was left to the account taken from these settings, where they have it."""
        taken = {name: settings[name] for name in self.inherited if name in settings}
        return self.model_copy(update=taken)

    @property
    def asks_database(self) -> bool:
        """Whether recipients come from a query, too."""
        return self.query is not None or self.query_file is not None

    @property
    def read_options(self) -> ReadOptions:
        """How the lists are read."""
        return ReadOptions(
            number_column=self.number_column,
            header_row=self.header_row,
            sheet=self.sheet,
            hidden=self.hidden,
            region_column=self.region_column,
            finds_region=True,
        )

    @property
    def senders(self) -> Senders:
        """Who the texts are from."""
        return senders_of(self.sender_id, self.sender_by_country)

    @property
    def quiet_hours(self) -> Hours | None:
        """When recipients may be texted; None for around the clock, and for codes and tests, which can't wait."""
        waited_for = self.type is MessageType.OTP or self.test_to
        return None if self.hours is None or waited_for else Hours.parse(self.hours)

    @property
    def hours_wait_seconds(self) -> float:
        """How long a run waits for people outside their hours."""
        return seconds_of(self.hours_wait, longest_days=option_checks.LONGEST_HOURS_WAIT_DAYS)

    @property
    def end(self) -> Until:
        """When the texts may go out for the last time. A test has no hours, so it doesn't end with them."""
        hours = self.quiet_hours
        if self.until is None or (self.until == HOURS and hours is None):
            return NO_END
        zone = time_zone(self.time_zone)
        return read_until(self.until, self.scheduled.astimezone(zone) if self.scheduled else datetime.now(zone), hours)

    @property
    def repeat_after_seconds(self) -> float:
        """How long nobody gets the same text again from another campaign; 0 without a limit.

        Codes are asked for one by one, and a test must be repeatable: neither has one.
        """
        if self.type is MessageType.OTP or self.test_to:
            return 0.0
        return seconds_of(self.repeat_after, longest_days=option_checks.LONGEST_REPEAT_AFTER_DAYS)

    @property
    def wording(self) -> Wording:
        """Where the texts come from."""
        return wording_of(self.model_dump(include={*_OF_THE_WORDING, *_OF_SEVERAL_TEXTS}))

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The texts of an experiment; none if the campaign isn't one."""
        return read_variants(self.variant)

    @property
    def texts_by_language(self) -> Mapping[str, str]:
        """The texts by language tag, without the message for other languages."""
        return read_by_language(self.message_by_language)

    @property
    def holdout_share(self) -> float:
        """The share of the numbers that get no text (0 to 1); 0 in a test."""
        return 0.0 if self.holdout is None or self.test_to else read_holdout(self.holdout)

    @property
    def split_key(self) -> str:
        """What decides beside a number which variant it gets, and whether it's held out.

        It's the campaign's id, or what that is made of without the lists' contents: so rows in another order, or more
        of them, change nothing for a number.
        """
        return self.campaign or _digest(self._own_settings())

    @property
    def templates(self) -> tuple[tuple[str, str], ...]:
        """The texts that are written in the options, each with where; placeholders aren't filled in."""
        return (
            *([("--message", self.message)] if self.message else []),
            *((f"--variant {variant.name}", variant.text) for variant in self.variants),
            *((f"--message-by-language {tag}", text) for tag, text in self.texts_by_language.items()),
        )

    @property
    def same_texts(self) -> tuple[tuple[str, str], ...]:
        """Those of `templates` that have no placeholder, as they leave."""
        worded = [
            (option, Wording.of(text, None, downgrade=self.downgrade, max_characters=self.max_characters).text)
            for option, text in self.templates
        ]
        return tuple((option, text) for option, text in worded if text is not None)

    def overriding(self, overrides: Overrides) -> Self:
        """Return the configuration with the content of its table of prefixes, which a resume must keep."""
        return self.model_copy(update={"numbers_override_sha256": overrides.digest if overrides.mobile else None})

    def asking(self, query: str | None) -> Self:
        """Return the configuration with the content of its query, which a resume must keep."""
        return self.model_copy(update={"query_sha256": None if query is None else _digest(query)})

    def testing(self, numbers: Iterable[int]) -> Self:
        """Return the configuration with the own numbers (E.164) that its test goes to, which a resume must keep."""
        return self.model_copy(update={"test_to_sha256": _digest(sorted(numbers))})

    @property
    def canary_numbers(self) -> int:
        """How many numbers go out before the others; 0 for none, as in a test."""
        return 0 if self.test_to else self.canary

    def options(self) -> dict[str, Any]:
        """Return the flat options that aren't at their default, without those left to the account.

        Own numbers stay secret: Prefect records stars instead.
        """
        options = self.model_dump(mode="json", exclude={*_FOUND_OUT, *self.inherited}, exclude_defaults=True)
        options |= {name: getattr(self, name) for name in _OF_THE_ACCOUNT if name not in self.inherited}
        if self.test_to:
            options["test_to"] = list(self.test_to)
        if self.sender_by_country:
            is_given = self.sender_id is not None and "sender_id" not in self.inherited
            others = [f"{ALL_OTHERS}={self.sender_id}"] if is_given else []
            options["sender_id"] = [*self.sender_by_country, *others]
        return options

    def parameters(self) -> dict[str, Any]:
        """Return the flow's parameters for this configuration: `options`, in their groups."""
        return group_options(self.options())

    def frozen_settings(self) -> dict[str, Any]:
        """Return what a resume must keep: everything in the campaign's own options that decides who gets which text.

        Also what else the frozen plan is made of: the columns of the lists that it keeps.

        Opt-out lists, the size of calls and the policy aren't part of it: they apply to what is left to send.
        """
        if self.settings_before_policy is not None:
            return dict(self.settings_before_policy)
        settings = self.model_dump(mode="json", include={*_FROZEN, *_FROZEN_IF_GIVEN})
        return {
            **{name: settings[name] for name in _FROZEN_IF_GIVEN if settings[name]},
            **({"language_column": self.language_column} if self.message_by_language else {}),
            **{name: settings[name] for name in _FROZEN},
            "exclude_days": self.exclude_days if self.exclude_results else None,
            "hours": None if self.quiet_hours is None else str(self.quiet_hours),
            "canary": self.canary_numbers,
        }

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
        """Return what the id is made of: the frozen settings without the account's, and the opt-out lists."""
        settings = {**self.frozen_settings(), "suppress": self.suppress}
        if self.account is not None:
            settings |= {**dict.fromkeys(self.inherited & settings.keys()), "account": self.account}
        return settings


def wording_of(settings: Mapping[str, Any]) -> Wording:
    """Return where the texts of a campaign with these settings come from, such as those in its campaign.json.

    Raises:
        InputError: they name no text, so campaign.json is damaged.
    """
    given = {name: settings.get(name, CampaignConfig.model_fields[name].default) for name in _OF_THE_WORDING}
    message, column = given.pop("message") or None, given.pop("message_column")
    variants, languages = settings.get("variant") or (), settings.get("message_by_language") or ()
    if message is None and column is None and not variants and not languages:
        raise InputError("the settings have neither a message nor a column of texts: restore the latest campaign.json")
    return Wording.of(
        message,
        column,
        **given,
        variants={variant.name: variant.text for variant in read_variants(variants)},
        by_language=read_by_language(languages),
        tag_column=settings.get("language_column"),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _line(detail: Any) -> str:
    said = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return said
    name, *where = detail["loc"]
    items = "".join(f"item {each + 1}: " for each in where[:1] if isinstance(each, int))
    return f"{option_of(str(name))}: {items}{_MENDING.get(detail['type'], said)}"
