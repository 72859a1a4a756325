"""Reserves a stretch's share of the policy's budgets, so that active runs together never exceed them.

A stretch reserves all that it's about to send, in a swap of `sending.json` over the version in which it saw what others
reserved.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from globe_sms.tasks.campaign.campaign_json import Usage
from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.campaign.sending_now import Reservation, Stretch
from globe_sms.tasks.policy.amounts import Amounts, Period
from globe_sms.tasks.policy.budgets import budget_periods, refusals
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.place_usage import PlaceUsage
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.vocabulary.errors import InputError


class BudgetReservation:
    """What one stretch of a campaign reserves; call it with the stretches of other active runs.

    Args:
        policy: The account's; None reserves without limits, so that others know.
        results: Reads the campaigns of the results folder.
        prices: Of the policy; None if no budget is about costs.
        campaign: The campaign that is about to send.
        wanted: What it is about to send.
        now: The current time; None for the clock's.
    """

    def __init__(
        self,
        policy: Policy | None,
        results: PlaceResults,
        prices: Prices | None,
        campaign: str,
        wanted: Amounts,
        *,
        now: datetime | None = None,
    ) -> None:
        self._policy = policy
        self._usage = PlaceUsage(results, prices)
        self._currency = None if prices is None else prices.currency
        self._campaign = campaign
        self._wanted = wanted
        self._now = now

    def __call__(self, others: Sequence[Stretch]) -> Reservation:
        """Return what is reserved.

        Raises:
            InputError: it's more than what is left of a budget, or nobody knows what is left.
            StoreError: the store didn't answer, or refused.
        """
        policy, wanted = self._policy, self._wanted
        reservation = Reservation(
            numbers=wanted.numbers,
            parts=wanted.parts,
            cost=None if wanted.cost is None or self._currency is None else str(wanted.cost),
            currency=self._currency,
        )
        if policy is None or policy.rules.budget.are_empty:
            return reservation
        now = self._now or datetime.now(UTC)
        start = Period.month(now, time_zone(policy.rules.time_zone)).starts
        counted = [each.campaign for each in others if each.reserved is not None and each.reserved.used is not None]
        usage = dict(self._usage.since(start, counted))
        own = usage.get(self._campaign, Usage(quarters={}))
        for each in others:
            if each.reserved is not None and each.reserved.used is not None:
                usage[each.campaign] = each.reserved.used
        reserved = sum((self._reserved_by(each) for each in others), Amounts())
        exceeded = refusals(budget_periods(policy, now, usage, self._currency), wanted, reserved)
        if exceeded:
            raise InputError("\n".join(f"campaign {self._campaign!r} is not sent: {said}" for said in exceeded))
        return reservation.model_copy(update={"used": own})

    def _reserved_by(self, other: Stretch) -> Amounts:
        if other.reserved is None:
            raise InputError(
                f"campaign {self._campaign!r} is not sent: what is left of the policy's budgets isn't known, because "
                f"campaign {other.campaign!r} is being sent and has reserved nothing. Wait until it has ended."
            )
        same = other.reserved.currency == self._currency and other.reserved.cost is not None
        cost = Decimal(str(other.reserved.cost)) if same else None if self._currency is not None else Decimal(0)
        return Amounts(other.reserved.numbers, other.reserved.parts, cost)
