"""What a policy may say: its keys, checked as they come in.

Keys that limit the same thing as an option of `globe-sms send` have the option's name. Each key's description and
example are its part of the template; an error about a key shows the example.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.options import checks
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError

MOST_FREQUENCY_DAYS: Final = 366
MOST_FREQUENCY_TEXTS: Final = 1_000_000
MOST_UNDELIVERABLE_DAYS: Final = 3_650
MOST_FAILURES: Final = 100
LONGEST_PURGE_AFTER_DAYS: Final = 36_500


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, alias_generator=_dashed, populate_by_name=False
    )


def _zone(value: str) -> str:
    try:
        time_zone(value)
    except InputError:
        raise ValueError(f"{value!r} is an unknown time zone: write a name of the IANA database") from None
    return value


def _purge_after(value: str) -> str:
    try:
        seconds_of(value, longest_days=LONGEST_PURGE_AFTER_DAYS)
    except InputError as error:
        raise ValueError(str(error)) from None
    return value


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


_Count = Annotated[int, Field(strict=True, ge=0)]


class Frequency(_Table):
    """At most so many texts in so many days."""

    texts: Annotated[int, Field(strict=True, ge=1, le=MOST_FREQUENCY_TEXTS, examples=["texts = 3"])]
    days: Annotated[float, Field(strict=True, gt=0, le=MOST_FREQUENCY_DAYS, examples=["days = 7"])]

    def __str__(self) -> str:
        """Return it in words."""
        days = "a day" if self.days == 1 else f"in {self.days:g} days"
        return f"{self.texts} {'text' if self.texts == 1 else 'texts'} {days}"


class Undeliverable(_Table):
    """How many texts must have failed for good, in how many days, until a number gets no more."""

    days: Annotated[float, Field(strict=True, gt=0, le=MOST_UNDELIVERABLE_DAYS, examples=["days = 90"])]
    failures: Annotated[int, Field(strict=True, ge=1, le=MOST_FAILURES, examples=["failures = 2"])] = 1

    def __str__(self) -> str:
        """Return it in words."""
        times = "once" if self.failures == 1 else f"{self.failures} times"
        return f"texts failed for good {times} in {self.days:g} days, and none was delivered since"


class Budget(_Table):
    """What all campaigns of a results folder may send together in a day or a month."""

    numbers: Annotated[_Count | None, Field(examples=["numbers = 100_000"])] = None
    parts: Annotated[_Count | None, Field(examples=["parts = 150_000"])] = None
    cost: Annotated[float | None, Field(strict=True, ge=0, allow_inf_nan=False, examples=["cost = 500"])] = None

    @property
    def is_empty(self) -> bool:
        """Whether it limits nothing."""
        return self.numbers is None and self.parts is None and self.cost is None


class Budgets(_Table):
    """The budgets of a day and of a calendar month."""

    day: Budget = Budget()
    month: Budget = Budget()

    @property
    def are_empty(self) -> bool:
        """Whether they limit nothing."""
        return self.day.is_empty and self.month.is_empty

    @property
    def need_prices(self) -> bool:
        """Whether one is about costs."""
        return self.day.cost is not None or self.month.cost is not None


class PolicyRules(_Table):
    """All rules of a policy; what it leaves out is up to the campaign."""

    suppress: Annotated[
        tuple[str, ...],
        BeforeValidator(_one_or_many),
        AfterValidator(checks.uris_of_lists),
        Field(
            description="Opt-out lists, added to those of each campaign. Nobody on them gets a text. How one is read "
            'is written after it: "s3://lists/calls.csv#no-header,number-column=2,default-region=SG". '
            '"s3://receipts/sms#replies" are those who replied STOP to a text (globe-sms receipts).',
            examples=['suppress = ["s3://lists/opt-outs.csv"]'],
        ),
    ] = ()
    hours: Annotated[
        str | None,
        AfterValidator(checks.hours),
        Field(
            description="When people may be texted, by their own clocks. A campaign's own hours apply within these. "
            "Codes (OTP) and tests go at any time.",
            examples=['hours = "09:00-20:00"'],
        ),
    ] = None
    allow_country: Annotated[
        tuple[str, ...],
        BeforeValidator(_one_or_many),
        AfterValidator(checks.countries),
        Field(
            description="The only countries that are texted, two letters each. A campaign may choose among them.",
            examples=['allow-country = ["SG", "MY"]'],
        ),
    ] = ()
    deny_country: Annotated[
        tuple[str, ...],
        BeforeValidator(_one_or_many),
        AfterValidator(checks.countries),
        Field(description="Countries that are never texted.", examples=['deny-country = ["RU"]']),
    ] = ()
    repeat_after: Annotated[
        str | None,
        AfterValidator(checks.repeat_after),
        Field(
            description="Nobody gets the same text again sooner than this, whatever a campaign says; a campaign may "
            "wait longer. Codes (OTP) are exempt.",
            examples=['repeat-after = "7d"'],
        ),
    ] = None
    purge_after: Annotated[
        str | None,
        AfterValidator(_purge_after),
        Field(
            description="Campaigns that ended longer ago than this lose their numbers and texts for good (globe-sms "
            "purge), whenever track-delivery runs. What is left are hashes with a key.",
            examples=['purge-after = "180d"'],
        ),
    ] = None
    least_delivered: Annotated[
        float | None,
        Field(
            strict=True,
            gt=0,
            le=1,
            description="The share of messages that must be delivered: below it, the event sms.campaign.delivered says "
            "so (`low`), for automations.",
            examples=["least-delivered = 0.9"],
        ),
    ] = None
    approve_above: Annotated[
        _Count | None,
        Field(
            description="Campaigns to more numbers than this need somebody's approval; 0: all do. A campaign may set a "
            "lower number.",
            examples=["approve-above = 1_000"],
        ),
    ] = None
    time_zone: Annotated[
        str,
        AfterValidator(_zone),
        Field(
            description="The time zone in which the budgets' days and months begin.",
            examples=['time-zone = "Asia/Singapore"'],
        ),
    ] = "UTC"
    prices: Annotated[
        str | None,
        AfterValidator(checks.uri_of_table),
        Field(
            description="A table (country or prefix, price of a part, currency). The budgets' costs are counted with "
            "it, and campaigns without prices of their own use it.",
            examples=['prices = "s3://lists/prices.csv"'],
        ),
    ] = None
    frequency: Annotated[
        tuple[Frequency, ...],
        BeforeValidator(_one_or_many),
        Field(
            description="How many texts a number may get from all campaigns of a results folder, in how many days. "
            "Codes (OTP) are exempt and don't count. For several rules, write [[frequency]] above each.",
            examples=["[frequency]"],
        ),
    ] = ()
    undeliverable: Annotated[
        Undeliverable | None,
        Field(
            description="Leave out numbers whose texts failed for good (codes such as UNDELIV) at least so many times "
            "in so many days, in all campaigns of a results folder, with none delivered since. Codes (OTP) are exempt.",
            examples=["[undeliverable]"],
        ),
    ] = None
    budget: Annotated[
        Budgets,
        Field(
            description="What all campaigns of a results folder may send together in a day and in a calendar month: "
            "numbers, message parts, cost in the currency of the prices. A campaign that needs more than is left "
            "isn't sent.",
            examples=["[budget.day]"],
        ),
    ] = Budgets()

    @model_validator(mode="after")
    def _cost_needs_prices(self) -> "PolicyRules":
        if self.prices is None and self.budget.need_prices:
            raise ValueError('budget: the cost is unknown without prices: write prices = "s3://lists/prices.csv" too')
        return self

    @property
    def purge_after_seconds(self) -> float | None:
        """How long ago a campaign must have ended to be erased; None if none is."""
        after = self.purge_after
        return None if after is None else seconds_of(after, longest_days=LONGEST_PURGE_AFTER_DAYS)

    @property
    def open_hours(self) -> Hours | None:
        """When people may be texted; None for around the clock."""
        return None if self.hours is None else Hours.parse(self.hours)
