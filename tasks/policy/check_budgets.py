"""Whether what a run has left to send stays within the policy's budgets."""

from datetime import UTC, datetime

import polars as pl

from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.policy.amounts import Amounts, Period
from globe_sms.tasks.policy.budgets import BudgetPeriod, budget_periods
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.place_usage import PlaceUsage
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.reports.cost import cost_of
from globe_sms.tasks.reports.prices import Prices


def count_budgets(
    policy: Policy | None, results: PlaceResults, prices: Prices | None, *, now: datetime | None = None
) -> tuple[BudgetPeriod, ...]:
    """Return the policy's budgets with what all campaigns of a results folder have used of them; empty without any.

    Raises:
        InputError: a campaign can't be read, so nobody knows what is left.
        StoreError: the store didn't answer, or refused.
    """
    if policy is None or policy.rules.budget.are_empty:
        return ()
    now = now or datetime.now(UTC)
    since = Period.month(now, time_zone(policy.rules.time_zone)).starts
    usage = PlaceUsage(results, prices).since(since)
    return budget_periods(policy, now, usage, None if prices is None else prices.currency)


def wanted_amounts(
    plan: FrozenPlan, remaining: RemainingChunks, prices: Prices | None, segments: int | None
) -> Amounts:
    """Return what a run has left to send; its cost is counted only with prices, and unknown where one is missing.

    `segments` is how many parts the text has that all numbers get; None where the plan has a column of them.
    """
    if prices is None or not remaining.chunks:
        return Amounts(remaining.numbers, remaining.parts)
    chunks = pl.LazyFrame({"chunk": remaining.chunks}, schema={"chunk": pl.UInt32})
    cost = cost_of(plan.scan().join(chunks, on="chunk", how="semi"), prices, segments=segments)
    return Amounts(remaining.numbers, remaining.parts, None if cost.unpriced else cost.amount)
