"""What a campaign may come to at most: numbers, message parts, money. Looked at before the first call."""

from decimal import Decimal

from tasks.order import Order
from tasks.prices import Cost, money


def broken_caps(order: Order, *, numbers: int, parts: int, cost: Cost | None) -> tuple[str, ...]:
    """Return a sentence for each cap of the order that the whole plan breaks, with both figures."""
    broken: list[str] = []
    if order.max_recipients is not None and numbers > order.max_recipients:
        broken.append(f"it has {numbers:,} numbers, --max-recipients allows {order.max_recipients:,}.")
    if order.max_parts is not None and parts > order.max_parts:
        broken.append(f"it has {parts:,} message parts, --max-parts allows {order.max_parts:,}.")
    if order.max_cost is not None and cost is not None:
        if cost.unpriced:
            broken.append(f"its cost is not known: --prices has no price for {', '.join(cost.unpriced)}.")
        if cost.amount > Decimal(str(order.max_cost)):
            broken.append(f"it costs {cost}, --max-cost allows {money(Decimal(str(order.max_cost)))} {cost.currency}.")
    return tuple(broken)
