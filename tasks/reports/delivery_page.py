"""The delivery report as a page: rates by country, carrier and hour, how long it took, what failed and why."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.delivery_by_variant import variant_blocks
from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, Durations
from globe_sms.tasks.reports.page_blocks import Block, Notes, Page, Table, Words
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.reports.undelivered_cost import NOTHING_UNDELIVERED, UndeliveredCost
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted

_MOST_ROWS: Final = 15
_MOST_HOURS: Final = 48
_MOST_CODES: Final = 12
_COLUMNS: Final = ("delivered", "undelivered", "expired", "not known yet", "rate")
_NOTHING: Final = "-"


def delivery_page(
    campaign: str, figures: DeliveryFigures, as_of: datetime, undelivered: UndeliveredCost = NOTHING_UNDELIVERED
) -> Page:
    """Return the report as a page; `as_of` is when the figures were right."""
    return Page(f"Delivery of {campaign}", tuple(delivery_blocks(figures, as_of, undelivered)))


def delivery_blocks(
    figures: DeliveryFigures, as_of: datetime, undelivered: UndeliveredCost = NOTHING_UNDELIVERED
) -> list[Block]:
    """Return the report, block by block."""
    said = figures.sentence()
    blocks: list[Block] = [Words(f"{said[:1].upper()}{said[1:]}.", strong=True)]
    if figures.durations.count:
        blocks.append(Words(_how_long(figures.durations)))
    if figures.settled:
        settled = counted(figures.settled, "row")
        blocks.append(
            Words(f"{settled} changed from unknown to accepted: delivery receipts show that the gateway took them.")
        )
    if (cost := undelivered.sentence()) is not None:
        blocks.append(Words(cost, strong=True))
    if (table := undelivered.table()) is not None:
        blocks.append(table)
    if figures.variants:
        blocks += variant_blocks(figures.variants)
    if figures.countries:
        blocks.append(_by_country(figures))
    if any(figures.carriers):
        blocks.append(_table("By carrier", figures.carriers, lambda key: key or "not known (receipts only)", "carrier"))
    if figures.hours:
        blocks.append(_by_hour(figures.hours))
    if figures.failures:
        blocks.append(_failures(figures))
    blocks.append(Words(f"As of {as_of:%Y-%m-%d %H:%M} UTC. The rate counts only messages with a final state."))
    return blocks


def _how_long(durations: Durations) -> str:
    half, most, nearly_all = (in_words(durations.within(share) or 0) for share in (0.5, 0.9, 0.99))
    return f"Of the delivered messages, half took up to {half}, 90 % up to {most}, and 99 % up to {nearly_all}."


def _by_country(figures: DeliveryFigures) -> Table:
    entries = [*figures.countries.items()]
    rows = [
        (
            *_cells(found),
            _median(figures.country_durations.get(region)),
            f"{country(region).name} {country(region).flag}",
        )
        for region, found in entries[:_MOST_ROWS]
    ]
    if rest := entries[_MOST_ROWS:]:
        summed = sum((found for _, found in rest), Deliveries())
        rows.append((*_cells(summed), _NOTHING, f"{len(rest)} more countries"))
    return Table(
        "By country", (*_COLUMNS, "median time", "country"), tuple(rows), numeric=frozenset(range(len(_COLUMNS) + 1))
    )


def _by_hour(hours: Mapping[datetime, Deliveries]) -> Table:
    entries = [*hours.items()][-_MOST_HOURS:]
    heading = "By hour of sending (UTC)" + ("" if len(entries) == len(hours) else f", the last {_MOST_HOURS}")
    return _table(heading, dict(entries), lambda hour: f"{hour:%Y-%m-%d %H:00}", "hour", most=_MOST_HOURS)


def _table(
    heading: str, counts: Mapping[Any, Deliveries], name: Callable[[Any], str], column: str, most: int = _MOST_ROWS
) -> Table:
    entries = [*counts.items()]
    rows = [(*_cells(found), name(key)) for key, found in entries[:most]]
    if rest := entries[most:]:
        rows.append((*_cells(sum((found for _, found in rest), Deliveries())), f"{len(rest)} more"))
    return Table(heading, (*_COLUMNS, column), tuple(rows), numeric=frozenset(range(len(_COLUMNS))))


def _failures(figures: DeliveryFigures) -> Notes:
    failures = figures.failures
    entries = [
        (
            f"{failure.delivery}: {failure.code or 'no code'}",
            f"{counted(failure.messages, 'message')}. {meaning(failure.delivery, failure.code)}",
        )
        for failure in failures[:_MOST_CODES]
    ]
    if rest := failures[_MOST_CODES:]:
        entries.append((f"{len(rest)} more codes", f"{sum(failure.messages for failure in rest):,} messages."))
    return Notes("Not delivered, and why", tuple(entries))


def _cells(found: Deliveries) -> tuple[str, ...]:
    counts = (found.delivered, found.undelivered, found.expired, found.pending)
    return (*(f"{count:,}" for count in counts), _NOTHING if found.rate is None else percent(found.rate))


def _median(durations: Durations | None) -> str:
    within = None if durations is None else durations.within(0.5)
    return _NOTHING if within is None else in_words(within)
