"""The options of a campaign, checked before anything is opened."""

from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import SecretStr, ValidationError, ValidationInfo, field_validator, model_validator

from globe_sms.tasks.campaign.experiment import Variant, read_by_language, read_variants
from globe_sms.tasks.campaign.options import checks as option_checks
from globe_sms.tasks.campaign.options.account_and_rate import AccountAndRate, CallsPerSecond, NumbersPerCall
from globe_sms.tasks.campaign.options.database import DatabaseQuery
from globe_sms.tasks.campaign.options.declaration import given_values
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
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
from globe_sms.tasks.campaign.senders import check_rules, split_senders
from globe_sms.tasks.campaign.until import HOURS
from globe_sms.tasks.gateway import MessageType, check_sender_id
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.recipients.column_names import normalize_name
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

OF_THE_ACCOUNT: Final = ("sender_id", "numbers_per_call", "calls_per_second")
_MENDING: Final = {
    "int_type": "give a whole number, such as 250",
    "string_too_short": "it is blank",
    "missing": "it is missing, and every campaign needs it",
    "extra_forbidden": "unknown option",
}


class CheckedOptions(
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
    """All options of a campaign, each checked by itself and beside the others.

    An option that is empty or None has its default. `inherited` names what was left to the account: its block's value,
    or the default without a block. `sender_id` is the sender ID of all countries that `sender_by_country` doesn't name.
    """

    sender_id: str | None = None
    sender_by_country: tuple[str, ...] = ()
    numbers_per_call: NumbersPerCall = 250
    calls_per_second: CallsPerSecond = 1.0
    inherited: frozenset[str] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Drop empty values, split the senders, and note what is left to the account."""
        given = given_values(cls, values)
        senders = given.pop("sender_id", ())
        each = senders.split(",") if isinstance(senders, str) else [str(sender) for sender in senders]
        usual, rules = split_senders(sender.strip() for sender in each)
        given |= {"sender_by_country": rules} | ({} if usual is None else {"sender_id": usual})
        return given | {"inherited": {name for name in OF_THE_ACCOUNT if name not in given}}

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
            raise ValueError("--until: it says hours, but the campaign has none: give --hours, or a time such as 18:00")
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

    @property
    def asks_database(self) -> bool:
        """Whether recipients come from a query, too."""
        return self.query is not None or self.query_file is not None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The texts of an experiment; none if the campaign isn't one."""
        return read_variants(self.variant)

    @property
    def texts_by_language(self) -> Mapping[str, str]:
        """The texts by language tag, without the message for other languages."""
        return read_by_language(self.message_by_language)

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


def _line(detail: Any) -> str:
    said = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return said
    name, *where = detail["loc"]
    items = "".join(f"item {each + 1}: " for each in where[:1] if isinstance(each, int))
    return f"{option_of(str(name))}: {items}{_MENDING.get(detail['type'], said)}"
