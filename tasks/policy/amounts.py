"""What texts amount to: numbers, message parts and money; and the days and months that budgets are for."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Self
from zoneinfo import ZoneInfo

from globe_sms.tasks.campaign.campaign_json import Usage
from globe_sms.tasks.policy.rules import Budget

_FREE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Texts to so many numbers, in so many parts; `cost` is None where it isn't known."""

    numbers: int = 0
    parts: int = 0
    cost: Decimal | None = field(default=_FREE)

    def __add__(self, other: "Amounts") -> "Amounts":
        """Return both together; a cost that isn't known makes the sum unknown."""
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Amounts(self.numbers + other.numbers, self.parts + other.parts, cost)


NOTHING: Final = Amounts()


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month of a budget, by the policy's clock.

    Attributes:
        name: `day` or `month`.
        starts: its first instant.
        ends: the first instant of the next, when its budget starts over.
    """

    name: str
    starts: datetime
    ends: datetime

    @classmethod
    def day(cls, now: datetime, zone: ZoneInfo) -> Self:
        """Return the day that it is now."""
        first = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return cls("day", first, first + timedelta(days=1))  # by the clock on the wall, however long the day is

    @classmethod
    def month(cls, now: datetime, zone: ZoneInfo) -> Self:
        """Return the calendar month that it is now."""
        first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
        return cls("month", first, (first + timedelta(days=32)).replace(day=1))

    def used(self, usage: Usage) -> Amounts:
        """Return what was used in it."""
        found = Amounts()
        for quarter, (numbers, parts, cost) in usage.quarters.items():
            if self.starts.astimezone(UTC) <= datetime.fromisoformat(quarter) < self.ends.astimezone(UTC):
                found += Amounts(numbers, parts, None if cost is None else Decimal(cost))
        return found


def exceeds(budget: Budget, amounts: Amounts) -> bool:
    """Whether amounts exceed a budget, or are too uncertain to rule that out."""
    return (
        (budget.numbers is not None and amounts.numbers > budget.numbers)
        or (budget.parts is not None and amounts.parts > budget.parts)
        or (budget.cost is not None and (amounts.cost is None or amounts.cost > Decimal(str(budget.cost))))
    )
