"""Delivery by variant, with intervals that say whether a difference is more than chance (`rate_intervals`)."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.reports.delivery_figures import Deliveries
from globe_sms.tasks.reports.page_blocks import Block, Table, Words
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.reports.rate_intervals import difference_interval, wilson_interval


def variant_blocks(variants: Mapping[str, Deliveries]) -> list[Block]:
    """Return the table of the variants, and how each compares with the first."""
    rows = [
        (
            *(f"{count:,}" for count in (found.delivered, found.undelivered + found.expired, found.pending)),
            "-" if found.rate is None else percent(found.rate),
            "-" if found.rate is None else _between(*wilson_interval(found.delivered, found.final)),
            name,
        )
        for name, found in variants.items()
    ]
    columns = ("delivered", "not delivered", "not known yet", "rate", "95 % interval", "variant")
    table = Table("By variant", columns, tuple(rows), numeric=frozenset(range(len(columns) - 1)))
    return [table, *(Words(said) for said in comparisons(variants))]


def comparisons(variants: Mapping[str, Deliveries]) -> list[str]:
    """Say of each variant after the first whether more or fewer of its messages were delivered than of the first's.

    It counts messages with a final state; variants without any aren't compared.
    """
    known = [(name, found) for name, found in variants.items() if found.final]
    if not known:
        return []
    (first, base), *others = known
    said: list[str] = []
    for name, found in others:
        low, high = difference_interval((found.delivered, found.final), (base.delivered, base.final))
        range_ = f"{100 * low:+.1f} to {100 * high:+.1f} percentage points, with 95 % confidence"
        if low > 0 or high < 0:
            more = "more" if low > 0 else "less"
            said.append(f"{name} was delivered {more} often than {first}: {range_}.")
        else:
            said.append(f"{name} and {first} may differ by chance alone: {range_}.")
    return said


def variants_as_json(variants: Mapping[str, Deliveries]) -> list[dict[str, Any]]:
    """Return the counts, the rate and its interval (0 to 1, rounded to 4 decimals) of each variant."""
    return [
        {
            "variant": name,
            **found.as_json(),
            "interval": [round(end, 4) for end in wilson_interval(found.delivered, found.final)],
        }
        for name, found in variants.items()
    ]


def _between(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"
