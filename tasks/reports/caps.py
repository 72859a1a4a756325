"""What a campaign may come to at most: numbers, money. Looked at before the first call."""

from decimal import Decimal

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.prices import Cost, money


def broken_caps(config: CampaignConfig, *, numbers: int, cost: Cost | None) -> tuple[str, ...]:
    """Return a sentence for each cap of the order that the whole plan breaks, with both figures."""
    broken: list[str] = []
    if config.max_recipients is not None and numbers > config.max_recipients:
        broken.append(f"it has {numbers:,} numbers, --max-recipients allows {config.max_recipients:,}.")
    if config.max_cost is not None and cost is not None:
        if cost.unpriced:
            broken.append(f"its cost is not known: --prices has no price for {', '.join(cost.unpriced)}.")
        if cost.amount > Decimal(str(config.max_cost)):
            broken.append(f"it costs {cost}, --max-cost allows {money(Decimal(str(config.max_cost)))} {cost.currency}.")
    return tuple(broken)
