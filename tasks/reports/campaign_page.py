"""The campaign report as a page: how the run ended, the rows, what to do about failures, what it cost."""

from textwrap import shorten
from typing import Final

from globe_sms.tasks.gateway.response_codes import classify_code
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.campaign_outcome import CampaignOutcome, Ending
from globe_sms.tasks.reports.cost_table import cost_table
from globe_sms.tasks.reports.failures_csv import failures_uri, has_failures
from globe_sms.tasks.reports.left_out_sentences import left_out_sentences
from globe_sms.tasks.reports.page_blocks import Block, Notes, Page, Table, Words
from globe_sms.tasks.reports.repeated_texts import repeats_sentence
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.reports.what_was_read import reading_notes
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import explain_reason
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import StopCause

_MOST_COUNTRIES: Final = 15
_LONGEST_DESCRIPTION: Final = 50  # tables in Prefect's UI don't wrap; the results hold the whole text
_EXPLAINED: Final = (Status.FAILED, Status.UNKNOWN, Status.NOT_SENT)


_ALL_FAILED: Final = (
    "All failed: the gateway refused every number that it was given. The results give the reason for each. Fix the "
    "cause, then send to them in another campaign: this one doesn't send to failed numbers again."
)


def report_page(report: CampaignOutcome) -> Page:
    """Return the report as a page."""
    return Page(f"Report of {report.campaign}", tuple(_blocks(report)))


def outcome(report: CampaignOutcome) -> str:
    """Say how the run ended and what to do next."""
    if report.stop is not None:
        if report.stop.cause is StopCause.CANCELLED:
            return report.stop.message  # says so itself
        how = "Declined" if report.stop.cause is StopCause.DECLINED else "Stopped"
        return f"{how}: {report.stop.message}"
    if report.ending is Ending.ALL_FAILED:
        return _ALL_FAILED
    if report.settled:
        return _settled(report)
    if unknown := report.counts[Status.UNKNOWN]:
        return (
            f"The outcome of {counted(unknown, 'row')} is unknown: the gateway may have accepted the texts, so they "
            "aren't sent again. To settle this, track the campaign with its delivery receipts (globe-sms track "
            "--receipts). Only after that, and only if some people may get the text twice, run the same campaign again "
            "and resend unknown rows (--on-unknown resend)."
        )
    return "Some rows were not sent: run the same campaign again to continue."


def _settled(report: CampaignOutcome) -> str:
    if report.ending is Ending.NOTHING_TO_SEND:
        return "Nothing to send: none of the rows can be sent. The results give the reason for each."
    if report.dry_run:
        return (
            "A dry run: no calls were made. To send this plan, run the campaign again without the dry run (--dry-run)."
        )
    if not report.calls and report.counts[Status.ACCEPTED]:
        return "Nothing was left to send: this campaign had already finished. To send again, use a new campaign ID."
    held = report.held_out
    return f"Every row is settled; {counted(held, 'number')} held out (--holdout)." if held else "Every row is settled."


def speed(report: CampaignOutcome) -> str:
    """Say how many calls were made, how fast, and how long the run took."""
    rate = "" if report.rate is None else f" at {report.rate:.2f} per second"
    throttled = f" ({report.throttled:,} throttled and tried again)" if report.throttled else ""
    resent = f" Resent as you asked: {counted(report.resent, 'unknown chunk')}." if report.resent else ""
    size = report.call_size
    refused = "" if size is None else f" The gateway refused larger calls: use --numbers-per-call {size} from now on."
    return (
        f"{counted(report.calls, 'call')}{rate}{throttled}; {in_words(report.seconds)} from start to results."
        f"{resent}{refused}{'' if report.rate_advice is None else f' {report.rate_advice}'}"
    )


def failures_table(report: CampaignOutcome) -> Table:
    """Return the first rows of each failure, masked; rows count as in the spreadsheet."""
    numbers = RowNumbers.of(report.readings)
    return Table(
        "First rows that failed or are unknown",
        ("status", "reason", "row", "recipient", "gateway's answer"),
        tuple(
            (
                row.status,
                row.reason or "",
                f"{row.source.rpartition('/')[2]}#{numbers.shown(row.source, row.row)}",
                row.recipient,
                shorten(row.description, _LONGEST_DESCRIPTION, placeholder=" ..."),
            )
            for row in report.figures.failures
        ),
    )


def advice(status: str, reason: str) -> str:
    """Return what a row's status and reason mean and what to do, whether the reason is ours or the gateway's."""
    return explain_reason(status, reason) or classify_code(reason, from_gateway=False, status=200).advice


def reason_notes(report: CampaignOutcome) -> tuple[tuple[str, str], ...]:
    """Return each reason of rows that nobody got, with how many there are and what to do."""
    return tuple(
        (f"{entry.status}: {entry.reason}", f"{counted(entry.rows, 'row')}. {advice(entry.status, entry.reason)}")
        for entry in report.reasons
        if entry.status in _EXPLAINED and entry.reason
    )


def _blocks(report: CampaignOutcome) -> list[Block]:
    repeats = repeats_sentence(report.figures.repeats)
    return [
        Words(outcome(report), strong=True),
        Words(speed(report)),
        *([] if report.canary is None else [Words(report.canary.sentence())]),
        *([] if report.policy is None else [Words(report.policy.sentence())]),
        *(Words(said) for said in left_out_sentences(report.left_out)),
        *([] if repeats is None else [Words(repeats)]),
        *row_blocks(report),
        *([] if (read := reading_notes(report.readings)) is None else [read]),
        Words(f"Results: {report.uri}"),
        *(Words(f"Published: {uri}") for uri in report.published),
        *([Words(f"Failures as CSV: {failures_uri(report.uri)}")] if has_failures(report.counts) else []),
    ]


def row_blocks(report: CampaignOutcome) -> list[Block]:
    """Return the blocks about the rows: by reason, what to do, by country, what it costs, what failed."""
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
    if notes := reason_notes(report):
        blocks.append(Notes("What to do", notes, advice=True))
    if report.figures.countries:
        blocks.append(_countries(report))
    if report.figures.variants:
        blocks.append(_variants(report))
    if report.costs is not None:
        blocks.append(cost_table(report.costs, _MOST_COUNTRIES))
    if report.figures.failures:
        blocks.append(failures_table(report))
    return blocks


def _variants(report: CampaignOutcome) -> Table:
    rows = [
        (*(f"{count:,}" for count in (each.accepted, each.failed, each.unknown, each.not_sent)), each.variant)
        for each in report.figures.variants
    ]
    columns = (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN, Status.NOT_SENT, "variant")
    return Table("By variant", columns, tuple(rows), numeric=frozenset(range(len(columns) - 1)))


def _countries(report: CampaignOutcome) -> Table:
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
    columns = (*counts, "country", "sender")
    shown = len(columns) if report.senders.by_region else len(columns) - 1
    return Table(
        "By country", columns[:shown], tuple(row[:shown] for row in rows), numeric=frozenset(range(len(counts)))
    )
