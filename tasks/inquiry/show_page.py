"""One campaign as a page, for `globe-sms show`: its state, settings, plan, rows and deliveries."""

from typing import Any, Final

from globe_sms.tasks.inquiry.campaign_state import CampaignOverview, CampaignState
from globe_sms.tasks.inquiry.show_campaign import CampaignView
from globe_sms.tasks.reports.campaign_page import outcome, row_blocks
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.delivery_page import delivery_blocks
from globe_sms.tasks.reports.page_blocks import Block, Page, Table, Words
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted

_STANDS: Final = {
    CampaignState.CRASHED: "Its last run was killed, or its machine failed. Run the same campaign again to continue.",
    CampaignState.INTERRUPTED: (
        "Its last run ended before it wrote results: somebody paused it in Prefect, for instance. To continue, resume "
        "that run or run the same campaign again."
    ),
    CampaignState.WAITING: "It is waiting for somebody to approve it.",
    CampaignState.NOT_RUN: "Its run ended before there were results; nothing was sent. Run it again to see why.",
}


def state_sentence(document: CampaignOverview) -> str:
    """Return the campaign's state in one sentence; empty if its report says it."""
    lease = document.lease
    if lease is not None:
        return f"Being sent now by run {lease.run[:8]} on {lease.host}."
    return _STANDS.get(document.state, "")


def show_page(view: CampaignView) -> Page:
    """Return the campaign as a page."""
    return Page(f"Campaign {view.document.campaign}", tuple(_blocks(view)))


def _blocks(view: CampaignView) -> list[Block]:
    document, report = view.document, view.report
    blocks: list[Block] = [Words(_stands(document, report), strong=True), Words(_times(document))]
    if view.from_ledger:
        blocks.append(
            Words(
                "These figures come from the plan and the ledger as they are now; the results file is missing or older."
            )
        )
    heading = "Settings (may change until its first call)" if document.sending_since is None else "Settings (frozen)"
    blocks.append(Table(heading, ("setting", "value"), tuple(_settings(document))))
    if document.planned is not None:
        rows = tuple((name, f"{rows:,}") for name, rows in document.planned.items())
        chunks = "" if document.chunks is None else f", {counted(document.chunks, 'call')}"
        blocks.append(Table(f"Plan{chunks}", ("status", "rows"), rows, numeric=frozenset({1})))
    if report is not None:
        blocks.extend(row_blocks(report))
    if view.deliveries is not None:
        blocks.extend(delivery_blocks(view.deliveries.figures, view.deliveries.as_of))
    blocks.append(Words(f"Folder: {view.uri}"))
    return blocks


def _stands(document: CampaignOverview, report: CampaignReport | None) -> str:
    return state_sentence(document) or ("Not planned yet." if report is None else outcome(report))


def _times(document: CampaignOverview) -> str:
    begun = f"Started {document.begun_at:%Y-%m-%d %H:%M:%S} UTC"
    if document.sending_since is not None:
        begun += f", first call at {document.sending_since:%Y-%m-%d %H:%M:%S} UTC"
    if document.calls is None or document.seconds is None:
        return f"{begun}; no run has written results."
    made = f"made {counted(document.calls, 'call')} in {in_words(document.seconds)}"
    ended = "" if document.ended_at is None else f" and ended {document.ended_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{begun}; the last run that wrote results {made}{ended}."


def _settings(document: CampaignOverview) -> list[tuple[str, str]]:
    return [(name, _said(value)) for name, value in document.settings.items() if value not in (None, "", [])]


def _said(value: Any) -> str:
    return ", ".join(str(entry) for entry in value) if isinstance(value, list) else str(value)
