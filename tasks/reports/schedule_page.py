"""The account's schedule as a page: who sends, how fast, and what the gateway throttled."""

from typing import Final

from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.reports.page_blocks import Block, Page, Table, Words

_WHERE: Final = (
    "All runs of the account share this schedule, on all machines. It's kept in {place}, so Prefect's concurrency page "
    "doesn't show it; globe-sms account RESULTS shows it at any time."
)


def schedule_page(state: ScheduleState) -> Page:
    """Return an account's schedule, as it was read, as a page."""
    advice = state.advice()
    blocks: list[Block] = [
        *([] if advice is None else [Words(advice, strong=True)]),
        Words(state.sentence()),
    ]
    if state.senders:
        rows = tuple((sender.name, f"{sender.rate:g}") for sender in state.senders)
        blocks.append(Table("Sending now", ("run", "its limit, calls a second"), rows, numeric=frozenset({1})))
    return Page("The account's call rate", (*blocks, Words(_WHERE.format(place=state.place))))
