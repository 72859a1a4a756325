"""The report as a page: what became of the rows, at what rate, what failed and what to do about it."""

from textwrap import shorten
from typing import Final

from globe_sms.tasks.campaign.reason_advice import advice
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.costs_table import costs_table
from globe_sms.tasks.reports.page import Block, Notes, Page, Table, Words
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import StopCause

_MOST_COUNTRIES: Final = 15
_LONGEST_DESCRIPTION: Final = 50  # a table of Prefect's UI does not wrap; the results hold the whole
_PRESENTED: Final = (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN)
_EXPLAINED: Final = (Status.FAILED, Status.UNKNOWN, Status.NOT_SENT)


def report_page(report: CampaignReport) -> Page:
    """Return the report for people."""
    return Page(f"Report of {report.campaign}", tuple(_blocks(report)))


def outcome(report: CampaignReport) -> str:
    """Say in one sentence how the run ended and what is left to do."""
    if report.stop is not None:
        how = "Declined" if report.stop.cause is StopCause.DECLINED else "Stopped"
        return f"{how}: {report.stop.message}"
    if report.settled:
        return _settled(report)
    if unknown := report.counts[Status.UNKNOWN]:
        return (
            f"{unknown:,} rows are unknown: the gateway may have taken them, so they are not sent again. Delivery "
            "receipts settle them (globe-sms track --receipts). Only then, and if some people may get the text twice, "
            "run the same campaign with --on-unknown resend."
        )
    return "Some rows were not sent: run the same campaign again to go on with them."


def _settled(report: CampaignReport) -> str:
    if report.rows and not any(report.counts[status] for status in (*_PRESENTED, Status.NOT_SENT)):
        return "No row could be sent: see the reason of each in the results."
    if report.dry_run:
        return "A dry run: nothing was called. The plan is frozen; run the campaign without --dry-run to send it."
    if not report.calls and report.counts[Status.ACCEPTED]:
        return "Nothing was left to send: this campaign was finished before. A new campaign ID sends anew."
    return "Every row is settled."


def speed(report: CampaignReport) -> str:
    """Say how many calls were made, how fast, and how long the run took."""
    rate = "" if report.rate is None else f" at {report.rate:.2f} a second"
    throttled = f", {report.throttled:,} of them throttled and tried again" if report.throttled else ""
    resent = f" {report.resent:,} unknown chunks were sent again, as asked." if report.resent else ""
    return (
        f"{counted(report.calls, 'call')}{rate}{throttled}; {in_words(report.seconds)} from start to results.{resent}"
    )


def failures_table(report: CampaignReport) -> Table:
    """Return the first rows of each failure, masked."""
    return Table(
        "First rows that failed or are unknown (rows count from 0)",
        ("status", "reason", "row", "recipient", "the gateway said"),
        tuple(
            (
                row.status,
                row.reason or "",
                f"{row.source.rpartition('/')[2]}#{row.row}",
                row.recipient,
                shorten(row.description, _LONGEST_DESCRIPTION, placeholder=" ..."),
            )
            for row in report.figures.failures
        ),
    )


def _blocks(report: CampaignReport) -> list[Block]:
    return [
        Words(outcome(report), strong=True),
        Words(speed(report)),
        *([] if report.canary is None else [Words(report.canary.sentence())]),
        *row_blocks(report),
        Words(f"Results: {report.uri}"),
    ]


def row_blocks(report: CampaignReport) -> list[Block]:
    """Return what became of the rows: by reason, what to do about it, by country, what it costs, what failed."""
    blocks: list[Block] = [
        Table(
            "Rows",
            ("status", "reason", "rows"),
            (
                *((entry.status, entry.reason or "", f"{entry.rows:,}") for entry in report.reasons),
                ("all", "", f"{report.rows:,}"),
            ),
            numeric=frozenset({2}),
        ),
    ]
    to_do = [entry for entry in report.reasons if entry.status in _EXPLAINED and entry.reason]
    if to_do:
        blocks.append(
            Notes(
                "What to do",
                tuple(
                    (
                        f"{entry.status}: {entry.reason}",
                        f"{counted(entry.rows, 'row')}. {advice(entry.status, entry.reason)}",
                    )
                    for entry in to_do
                ),
            )
        )
    if report.figures.countries:
        blocks.append(_countries(report))
    if report.costs is not None:
        blocks.append(costs_table(report.costs, _MOST_COUNTRIES))
    if report.figures.failures:
        blocks.append(failures_table(report))
    return blocks


def _countries(report: CampaignReport) -> Table:
    found = report.figures.countries
    rows = [
        (
            *(f"{rows:,}" for rows in entry.rows),
            f"{country(entry.region).name} {country(entry.region).flag}",
            report.senders.of(entry.region) or "(Alibaba chooses)",
        )
        for entry in found[:_MOST_COUNTRIES]
    ]
    rest = found[_MOST_COUNTRIES:]
    if rest:
        summed = zip(*(entry.rows for entry in rest), strict=True)
        rows.append((*(f"{sum(column):,}" for column in summed), f"{len(rest)} more countries", ""))
    counts = (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN, Status.NOT_SENT)
    columns = (*counts, "country", "from")
    shown = len(columns) if report.senders.by_region else len(columns) - 1
    return Table(
        "By country", columns[:shown], tuple(row[:shown] for row in rows), numeric=frozenset(range(len(counts)))
    )
