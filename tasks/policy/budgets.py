"""The policy's budgets: what is left of the day's and the month's, and whether a campaign stays within it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from globe_sms.tasks.campaign.campaign_json import Usage
from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.policy.amounts import NOTHING, Amounts, Period, exceeds
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import Budget
from globe_sms.tasks.reports.cost import money
from globe_sms.tasks.vocabulary.plurals import counted

_TODAYS: Final = {"day": "today's", "month": "this month's"}


@dataclass(frozen=True, slots=True)
class BudgetPeriod:
    """A budget, the period that it's for now, and what has been used of it."""

    budget: Budget
    period: Period
    used: Amounts
    currency: str | None

    def left(self) -> str:
        """Say what is left, in one sentence."""
        return f"Of {_TODAYS[self.period.name]} budget, {self._left()} are left; it resets at {self._ends()}."

    def refusal(self, wanted: Amounts, reserved: Amounts) -> str | None:
        """Say why `wanted` can't be sent on top of what other active runs have reserved; None if it can."""
        if reserved.numbers:
            return replace(self, used=self.used + reserved).refusal(wanted, Amounts())
        if not exceeds(self.budget, self.used + wanted):
            return None
        asked = " and ".join(self._asked(wanted))
        return (
            f"it would use {asked}, but of {_TODAYS[self.period.name]} budget (the policy's budget.{self.period.name}) "
            f"only {self._left()} are left. It resets at {self._ends()}."
        )

    def _asked(self, wanted: Amounts) -> Iterator[str]:
        if self.budget.numbers is not None:
            yield counted(wanted.numbers, "number")
        if self.budget.parts is not None:
            yield counted(wanted.parts, "message part")
        if self.budget.cost is not None:
            yield "an unknown cost" if wanted.cost is None else f"{money(wanted.cost)} {self.currency}"

    def _left(self) -> str:
        budget, used = self.budget, self.used
        limits = [
            *([] if budget.numbers is None else [_of(budget.numbers, used.numbers, "number")]),
            *([] if budget.parts is None else [_of(budget.parts, used.parts, "message part")]),
        ]
        if budget.cost is not None:
            whole = Decimal(str(budget.cost))
            rest = "an unknown part" if used.cost is None else money(max(Decimal(0), whole - used.cost))
            limits.append(f"{rest} of {money(whole)} {self.currency}")
        return " and ".join(limits)

    def _ends(self) -> str:
        return f"{self.period.ends:%Y-%m-%d %H:%M %Z}"


def budget_periods(
    policy: Policy, now: datetime, usage: Mapping[str, Usage], currency: str | None
) -> tuple[BudgetPeriod, ...]:
    """Return the policy's budgets with what these campaigns have used of them."""
    zone = time_zone(policy.rules.time_zone)
    periods = ((policy.rules.budget.day, Period.day(now, zone)), (policy.rules.budget.month, Period.month(now, zone)))
    return tuple(
        BudgetPeriod(budget, period, sum((period.used(each) for each in usage.values()), Amounts()), currency)
        for budget, period in periods
        if not budget.is_empty
    )


def refusals(periods: Sequence[BudgetPeriod], wanted: Amounts, reserved: Amounts = NOTHING) -> tuple[str, ...]:
    """Return a sentence for each budget that `wanted` would exceed; without numbers it exceeds none.

    `reserved` is what other active runs are about to use.
    """
    if not wanted.numbers:
        return ()
    return tuple(said for period in periods if (said := period.refusal(wanted, reserved)) is not None)


def _of(whole: int, used: int, thing: str) -> str:
    return f"{max(0, whole - used):,} of {counted(whole, thing)}"
