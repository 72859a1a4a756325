"""The most a campaign may send and spend: numbers and money. Checked before the first call."""

from decimal import Decimal

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.cost import Cost, money


def exceeded_limits(config: CampaignConfig, *, numbers: int, cost: Cost | None) -> tuple[str, ...]:
    """Return a sentence for each limit that the whole plan exceeds, with both figures."""
    exceeded: list[str] = []
    if config.max_recipients is not None and numbers > config.max_recipients:
        exceeded.append(f"it has {numbers:,} numbers, but the limit (--max-recipients) is {config.max_recipients:,}.")
    if config.max_cost is not None and cost is not None:
        if cost.unpriced:
            exceeded.append(f"its cost isn't known: the prices (--prices) have none for {', '.join(cost.unpriced)}.")
        if cost.amount > Decimal(str(config.max_cost)):
            limit = money(Decimal(str(config.max_cost)))
            exceeded.append(f"it costs {cost}, but the limit (--max-cost) is {limit} {cost.currency}.")
    return tuple(exceeded)
