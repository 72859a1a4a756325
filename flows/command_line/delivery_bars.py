"""Delivery rates as bars in a terminal, in the colours of the delivery chart."""

from collections.abc import Iterator
from typing import Final

from rich.table import Table
from rich.text import Text

from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.vocabulary.statuses import Delivery

_COLOURS: Final = {
    Delivery.DELIVERED: "#0072B2",
    Delivery.UNDELIVERED: "#D55E00",
    Delivery.EXPIRED: "#E69F00",
    Delivery.PENDING: "#999999",
}
_FILLED: Final = {
    Delivery.DELIVERED: "█",
    Delivery.UNDELIVERED: "▓",
    Delivery.EXPIRED: "▒",
    Delivery.PENDING: "░",
}
_WIDTH: Final = 40
_MOST_COUNTRIES: Final = 15


def delivery_bars(figures: DeliveryFigures) -> Table:
    """Return a bar for all messages and one for each of the largest countries, readable without colours too."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.title, table.title_justify = _legend(), "left"
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify)
    for name, found in _entries(figures):
        rate = "-" if found.rate is None else percent(found.rate)
        table.add_row(name, _bar(found), rate, f"{found.messages:,}")
    return table


def _entries(figures: DeliveryFigures) -> Iterator[tuple[str, Deliveries]]:
    countries = [*figures.countries.items()]
    if len(countries) != 1:
        yield "all", figures.total
    for region, found in countries[:_MOST_COUNTRIES]:
        yield country(region).name, found
    if rest := countries[_MOST_COUNTRIES:]:
        yield f"{len(rest)} more countries", sum((found for _, found in rest), Deliveries())


def _bar(found: Deliveries) -> Text:
    """Divide the width by the shares; any share above zero gets at least one place."""
    counts = {state: getattr(found, state.value) for state in Delivery}
    places = {state: max(1, round(_WIDTH * count / found.messages)) if count else 0 for state, count in counts.items()}
    largest = max(counts, key=lambda state: counts[state])
    places[largest] += _WIDTH - sum(places.values())
    return Text.assemble(*((_FILLED[state] * width, _COLOURS[state]) for state, width in places.items()))


def _legend() -> Text:
    parts = [(f"{_FILLED[state]} {state.value}  ", _COLOURS[state]) for state in Delivery]
    return Text.assemble(*parts)
