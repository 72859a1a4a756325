"""What happened to a number, as a page."""

from datetime import datetime

from globe_sms.tasks.inquiry.explain_number import Explanation
from globe_sms.tasks.inquiry.number_events import Event, EventKind
from globe_sms.tasks.reports.page_blocks import Block, Notes, Page, Table, Words


def explanation_page(found: Explanation) -> Page:
    """Return the events as a page; numbers are masked."""
    blocks: list[Block] = [Words(found.sentence(), strong=True)]
    if found.events:
        rows = tuple((time_of(event.at), event.campaign, event.kind.value, in_words(event)) for event in found.events)
        blocks.append(Table("Events", ("time (UTC)", "campaign", "event", ""), rows))
    if found.unreadable:
        entries = tuple((entry.campaign, entry.fault) for entry in found.unreadable)
        blocks.append(Notes("Left out, because they can't be read", entries))
    return Page(f"What happened to {found.number}", tuple(blocks))


def in_words(event: Event) -> str:
    """Return what the event says, with the request's id where support would ask for it."""
    request = event.facts.get("request_id")
    return f"{event.said} (request {request})" if request and event.kind is EventKind.CALLED else event.said


def time_of(at: datetime | None) -> str:
    """Return a time as people read it; empty if it isn't known."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
