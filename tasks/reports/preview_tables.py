"""The preview's rows in tables: how many can be sent and to where, and why the others are left out."""

from collections import Counter
from typing import Final

from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.page_blocks import Notes, Table
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.vocabulary.row_reasons import RowReason, explain_reason
from globe_sms.tasks.vocabulary.statuses import SENDABLE

MOST_COUNTRIES: Final = 15


def left_out_counts(preview: Preview) -> dict[str, int]:
    """Count the rows that the plan leaves out, by status."""
    rows: Counter[str] = Counter()
    for group in preview.groups:
        if group.status != SENDABLE:
            rows[group.status] += group.rows
    return dict(rows)


def groups_table(preview: Preview) -> Table:
    """Count the rows by status and reason."""
    rows = [(group.status, group.reason or "", f"{group.rows:,}") for group in preview.groups]
    return Table(
        "Rows", ("status", "reason", "rows"), (*rows, ("all", "", f"{preview.rows:,}")), numeric=frozenset({2})
    )


def countries_table(preview: Preview) -> Table:
    """Count the rows that can be sent by country."""
    rows: list[tuple[str, ...]] = []
    for destination in preview.destinations[:MOST_COUNTRIES]:
        place = country(destination.region)
        code = "" if place.code is None else f"+{place.code}"
        sender = preview.senders.of(destination.region) or "(Alibaba chooses)"
        rows.append((f"{destination.rows:,}", code, f"{place.name} {place.flag}", sender))
    rest = preview.destinations[MOST_COUNTRIES:]
    if rest:
        rows.append((f"{sum(destination.rows for destination in rest):,}", "", f"{len(rest)} more countries", ""))
    columns = ("rows", "code", "country", "sender")
    shown = len(columns) if preview.senders.by_region else len(columns) - 1
    return Table(
        "Sendable rows by country", columns[:shown], tuple(row[:shown] for row in rows), numeric=frozenset({0})
    )


def refused_notes(preview: Preview) -> Notes:
    """Say what each reason means, with its first rows; they name the list if there are several."""
    several = len({refused.source for refused in preview.refused}) > 1
    numbers = RowNumbers.of(preview.readings)
    first: dict[tuple[str, str | None], list[str]] = {}
    for refused in preview.refused:
        place = f"{_name_of(refused.source) if several else ''}#{numbers.shown(refused.source, refused.row)}"
        recipient = "" if refused.reason == RowReason.EMPTY else f" {refused.recipient}"
        said = f"{place}{recipient}{_earlier(refused.detail, numbers, several=several)}"
        first.setdefault((refused.status, refused.reason), []).append(said)
    return Notes(
        "Why rows are left out, with the first rows of each reason, numbered as in the spreadsheet",
        tuple(
            (reason or status, f"{explain_reason(status, reason)} {', '.join(rows)}")
            for (status, reason), rows in first.items()
        ),
        advice=True,
    )


def _name_of(place: str) -> str:
    """Return the last part of a list's URI."""
    return place.rpartition("/")[2]


def _earlier(detail: str | None, numbers: RowNumbers, *, several: bool) -> str:
    """Say which row a duplicate repeats, or which list has the opt-out."""
    if detail is None:
        return ""
    source, _, row = detail.rpartition("#")
    if not row.isdecimal():
        return f" (as {_name_of(detail)})"
    return f" (as {_name_of(source) if several else ''}#{numbers.shown(source, int(row))})"
