"""Reads one campaign for `globe-sms show`: its settings, its plan, and how far each row has got."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from globe_sms.tasks.campaign.config import wording_of
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill, spill_folder
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.inquiry.campaign_state import (
    AHEAD_OF_ITS_RESULTS,
    BrokenDocument,
    CampaignOverview,
    CampaignState,
    read_overview,
)
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import closed_chunks
from globe_sms.tasks.reports.campaign_figures import count_figures
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.cost import cost_of
from globe_sms.tasks.reports.delivery_report import DeliveryReport, make_delivery_report
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.results.join_plan_and_ledger import presented_rows
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@dataclass(frozen=True, slots=True)
class CampaignView:
    """The current state of a campaign.

    `report` is None before the plan is frozen. `from_ledger`: the report was just made from plan and ledger, because
    the results are missing or older than the last run. `deliveries` is None if no delivery is known.
    """

    document: CampaignOverview
    uri: str
    report: CampaignReport | None
    from_ledger: bool
    deliveries: DeliveryReport | None = field(default=None)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        document, report = self.document, self.report
        return {
            **document.as_json(),
            "results": f"{self.uri}/{RESULTS_KEY}",
            "settings": dict(document.settings),
            "from_ledger": self.from_ledger,
            **({} if report is None else _rows(report)),
            "delivery": None if self.deliveries is None else self.deliveries.summary(),
        }


def look_at(
    store: Store,
    campaign: str,
    scratch: Path,
    s3: Callable[[], S3Access],
    *,
    prices: Prices | None = None,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
) -> CampaignView:
    """Read one campaign of a results folder; nothing is written there.

    Args:
        store: the results folder.
        campaign: the campaign's id.
        scratch: a local folder with room for the plan and the results.
        s3: gives access to S3, to read the results through the report.
        prices: what a message part costs, to work out the campaign's cost.
        environ: names the folder for send records that the store didn't accept; see `records_kept_locally`.
        now: the current time.

    Raises:
        InputError: the campaign doesn't exist, or its campaign.json can't be read.
        StoreError: the store didn't answer, or refused.
    """
    document = read_overview(store, campaign, now or datetime.now(UTC), Owner.here())
    if document is None:
        raise InputError(
            f"{store.uri} has no campaign {campaign!r}. Check --results and the campaign ID; `globe-sms campaigns "
            f"{store.uri}` lists the campaigns there."
        )
    if isinstance(document, BrokenDocument):
        raise InputError(f"{document.fault} globe-sms explain NUMBER still works: it reads the plan and the ledger.")
    folder = store.within(campaign)
    written = _written(folder, scratch) if document.state not in AHEAD_OF_ITS_RESULTS else None
    path = written or _account(folder, document, scratch, environ, now or datetime.now(UTC))
    if path is None:
        return CampaignView(document, folder.uri, None, from_ledger=False)
    report = _report(document, folder, path, s3, prices)
    archive = DeliveryArchive(folder, scratch)
    deliveries = None
    if not archive.is_empty():
        deliveries = make_delivery_report(
            pl.scan_parquet(path, glob=False),
            archive.scan(),
            campaign=campaign,
            uri=folder.uri,
            as_of=now or datetime.now(UTC),
            by_variant=bool(document.settings.get("variant")),
        )
    return CampaignView(document, folder.uri, report, from_ledger=written is None, deliveries=deliveries)


def _written(folder: Store, scratch: Path) -> Path | None:
    """Copy the results; None if there are none."""
    path = scratch / RESULTS_KEY
    return path if folder.fetch(RESULTS_KEY, path) else None


def _account(
    folder: Store, document: CampaignOverview, scratch: Path, environ: Mapping[str, str], now: datetime
) -> Path | None:
    plan = None if document.plan is None else FrozenPlan.load(document.plan, folder, scratch)
    if plan is None:
        return None
    running = document.state is CampaignState.RUNNING
    path, _ = account_for(
        plan,
        Ledger(folder, Spill(spill_folder(environ, Path.home()), folder.uri)),
        folder,
        scratch,
        campaign=document.campaign,
        not_sent=RowReason.NOT_YET if running else RowReason.STOPPED,
        unanswered=RowReason.IN_THE_AIR if running else RowReason.INTERRUPTED,
        quiet=_quiet(plan, document, now),
        segments=wording_of(document.settings).parts,
    )
    return path


def _quiet(plan: FrozenPlan, document: CampaignOverview, now: datetime) -> frozenset[int]:
    """Return the chunks that wait for their hours, or did when the run was killed."""
    hours = document.hours
    if hours is None or plan.layout is None or document.alive_until is None:
        return frozenset()
    return closed_chunks(plan.layout, Hours.parse(hours), min(now, document.alive_until).timestamp())


def _report(
    document: CampaignOverview, folder: Store, path: Path, s3: Callable[[], S3Access], prices: Prices | None
) -> CampaignReport:
    figures = count_figures(path, by_variant=bool(document.settings.get("variant")))
    found = dict.fromkeys(STATUSES, 0)
    for reason in figures.reasons:
        found[reason.status] += reason.rows
    is_ahead = document.state in AHEAD_OF_ITS_RESULTS
    not_sent = {reason.reason for reason in figures.reasons if reason.status == Status.NOT_SENT}
    return CampaignReport(
        campaign=document.campaign,
        uri=f"{folder.uri}/{RESULTS_KEY}",
        counts=found,
        figures=figures,
        calls=document.calls or 0,
        throttled=document.throttled,
        resent=document.resent,
        seconds=document.seconds or 0.0,
        rate=None,
        dry_run=RowReason.DRY_RUN in not_sent,
        stop=None if document.stopped is None or is_ahead else Stop(StopCause.STOPPED, document.stopped),
        s3=s3,
        costs=None if prices is None else cost_of(presented_rows(path), prices),
    )


def _rows(report: CampaignReport) -> dict[str, Any]:
    return {
        "counts": dict(report.counts),
        "unknown": report.counts[Status.UNKNOWN],
        "open": report.left,
        "reasons": [{"status": entry.status, "reason": entry.reason, "rows": entry.rows} for entry in report.reasons],
        "countries": [
            {
                "region": entry.region,
                "accepted": entry.accepted,
                "failed": entry.failed,
                "unknown": entry.unknown,
                "not_sent": entry.not_sent,
            }
            for entry in report.figures.countries
        ],
        "failures": [
            {
                "status": row.status,
                "reason": row.reason,
                "source": row.source,
                "row": row.row,
                "recipient": row.recipient,
                "description": row.description,
            }
            for row in report.figures.failures
        ],
        "costs": None
        if report.costs is None
        else [
            {
                "region": entry.region,
                "rows": entry.rows,
                "parts": entry.parts,
                "amount": None if entry.amount is None else str(entry.amount),
            }
            for entry in report.costs.countries
        ],
    }
