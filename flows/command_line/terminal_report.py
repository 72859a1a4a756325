"""The figures at the end of a run, at the terminal, or with --json as one JSON object on stdout."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from globe_sms.flows.command_line.delivery_bars import delivery_bars
from globe_sms.flows.command_line.status_colours import STATUS_COLOURS
from globe_sms.tasks.reports.campaign_page import outcome as outcome_of
from globe_sms.tasks.reports.campaign_page import speed
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.left_out_sentences import left_out_sentences
from globe_sms.tasks.reports.repeated_texts import repeats_sentence
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.statuses import Status


def show_report(report: CampaignReport, *, as_json: bool) -> None:
    """Print a campaign's figures for people on stdout; with `as_json` on stderr, and JSON on stdout."""
    console = Console(stderr=as_json, highlight=False)
    console.print(_counts_table(report))
    canary = [] if report.canary is None else [report.canary.sentence()]
    policy = [] if report.policy is None else [report.policy.sentence()]
    repeats = repeats_sentence(report.figures.repeats)
    for line in (
        speed(report),
        *canary,
        *policy,
        *([] if repeats is None else [repeats]),
        *left_out_sentences(report.left_out),
        outcome_of(report),
        f"Results: {report.uri}",
        *(f"Published: {uri}" for uri in report.published),
    ):
        console.print(line, soft_wrap=True, markup=False)
    if as_json:
        _write_json(report.summary())


def show_tracking(outcome: TrackingOutcome, *, as_json: bool) -> None:
    """Print a tracking's figures for people on stdout; with `as_json` on stderr, and JSON on stdout."""
    console = Console(stderr=as_json, highlight=False)
    if outcome.report is not None:
        console.print(delivery_bars(outcome.report.figures))
    for line in (*outcome.sentences(), f"Results: {outcome.uri}"):
        console.print(line, soft_wrap=True, markup=False)
    if as_json:
        _write_json(outcome.summary())


def _counts_table(report: CampaignReport) -> Table:
    table = Table(title=f"Campaign {report.campaign}", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("status")
    table.add_column("reason")
    table.add_column("rows", justify="right")
    for entry in report.reasons:
        status = Text(entry.status, style=STATUS_COLOURS[Status(entry.status)])
        table.add_row(status, entry.reason or "", f"{entry.rows:,}")
    table.add_section()
    table.add_row("all", "", f"{report.rows:,}", style="bold")
    return table


def _write_json(summary: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(summary) + "\n")
    sys.stdout.flush()
