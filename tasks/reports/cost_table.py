"""The cost by country as a table, for the preview and the report."""

from decimal import Decimal

from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.cost import Cost, money
from globe_sms.tasks.reports.page_blocks import Table


def cost_table(cost: Cost, most: int) -> Table:
    """Return what the texts cost by country, the most expensive first; after `most` countries the rest is one row."""
    rows = [
        (f"{entry.rows:,}", f"{entry.parts:,}", _amount(entry.amount), f"{country(entry.region).name}")
        for entry in cost.countries[:most]
    ]
    rest = cost.countries[most:]
    if rest:
        amount = sum((entry.amount for entry in rest if entry.amount is not None), Decimal(0))
        numbers, parts = sum(entry.rows for entry in rest), sum(entry.parts for entry in rest)
        rows.append((f"{numbers:,}", f"{parts:,}", money(amount), f"{len(rest)} more countries"))
    numbers, parts = sum(entry.rows for entry in cost.countries), sum(entry.parts for entry in cost.countries)
    total = (f"{numbers:,}", f"{parts:,}", money(cost.amount), "all")
    columns = ("numbers", "parts", cost.currency, "country")
    return Table("Cost by country", columns, (*rows, total), numeric=frozenset({0, 1, 2}))


def _amount(amount: Decimal | None) -> str:
    return "no price" if amount is None else money(amount)
