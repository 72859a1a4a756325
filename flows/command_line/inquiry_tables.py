"""The tables that `globe-sms campaigns` and `globe-sms explain` print."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from globe_sms.tasks.inquiry.campaign_state import AHEAD_OF_ITS_RESULTS, BrokenDocument, CampaignOverview, CampaignState
from globe_sms.tasks.inquiry.explanation_page import in_words, time_of
from globe_sms.tasks.inquiry.number_events import Event, EventKind
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.vocabulary.statuses import Status

_STATE_COLOURS: Final = {
    CampaignState.RUNNING: "cyan",
    CampaignState.CRASHED: "red",
    CampaignState.INTERRUPTED: "yellow",
    CampaignState.WAITING: "yellow",
    CampaignState.NOT_RUN: "yellow",
    CampaignState.STOPPED: "red",
    CampaignState.OPEN: "yellow",
    CampaignState.SETTLED: "green",
    CampaignState.BROKEN: "red",
}
_EVENT_COLOURS: Final = {
    EventKind.ACCEPTED: "green",
    EventKind.DELIVERED: "green",
    EventKind.FAILED: "red",
    EventKind.UNDELIVERED: "red",
    EventKind.EXPIRED: "red",
    EventKind.UNKNOWN: "yellow",
    EventKind.RESENT: "yellow",
}
_LEFT_OUT: Final = (Status.INVALID, Status.UNSUPPORTED, Status.DUPLICATE, Status.SUPPRESSED)


def campaigns_table(campaigns: Sequence[CampaignOverview | BrokenDocument]) -> Table:
    """Return a line for each campaign. Counts come from its last results; `~`: a run has changed them since."""
    table = Table(show_edge=False, pad_edge=False)
    for column in ("campaign", "started (UTC)", "state"):
        table.add_column(column, overflow="fold")
    for column in ("accepted", "failed", "unknown", "open", "left out", "delivered"):
        table.add_column(column, justify="right")
    table.add_column("", overflow="fold", ratio=1)
    for found in campaigns:
        state = Text(found.state.value, style=_STATE_COLOURS[found.state])
        if isinstance(found, BrokenDocument):
            table.add_row(found.campaign, "", state, *[""] * 6, found.fault)
        else:
            begun = f"{found.begun_at:%Y-%m-%d %H:%M}"
            table.add_row(found.campaign, begun, state, *_figures(found), _note(found))
    return table


def events_table(events: Sequence[Event]) -> Table:
    """Return a line for each event."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("campaign", overflow="fold")
    table.add_column("event", no_wrap=True)
    table.add_column("", overflow="fold", ratio=1)
    for event in events:
        kind = Text(event.kind.value, style=_EVENT_COLOURS.get(event.kind, ""))
        table.add_row(time_of(event.at), event.campaign, kind, Text(in_words(event)))
    return table


def _figures(found: CampaignOverview) -> list[str]:
    rate = "" if found.delivery_rate is None else percent(found.delivery_rate)
    if found.counts is None:
        planned = found.planned or {}
        left_out = sum(planned.get(status, 0) for status in _LEFT_OUT) + found.held_out
        return ["", "", "", *([f"{found.open:,}", f"{left_out:,}"] if found.planned else ["", ""]), rate]
    about = "~" if found.state in AHEAD_OF_ITS_RESULTS else ""
    counted = [*(found.counts[status] for status in (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN)), found.open or 0]
    left_out = sum(found.counts[status] for status in _LEFT_OUT) + found.held_out
    return [*(f"{about}{rows:,}" for rows in counted), f"{left_out:,}", rate]


def _note(found: CampaignOverview) -> str:
    if found.lease is not None:
        return f"run {found.lease.run[:8]} on {found.lease.host}"
    return found.stopped or ""
