"""Counts the preview of a campaign from its plan, before the first call."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import NoLists
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.messages import CHOICES, OTHERS
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import HoursForecast
from globe_sms.tasks.planning.left_out import NOBODY_LEFT_OUT, LeftOutFigures
from globe_sms.tasks.planning.own_numbers import MOST_OWN_NUMBERS
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.reports.cost import cost_of
from globe_sms.tasks.reports.list_guards import broken_guards
from globe_sms.tasks.reports.null_markers import count_null_markers
from globe_sms.tasks.reports.policy_shown import PolicyShown
from globe_sms.tasks.reports.preview import Destination, Group, Preview, RefusedRow, Sample
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.reports.repeated_texts import count_repeats
from globe_sms.tasks.reports.replaced_characters import count_replaced
from globe_sms.tasks.reports.saved_texts import count_saved
from globe_sms.tasks.reports.spending_limits import exceeded_limits
from globe_sms.tasks.reports.strange_countries import find_strange_countries
from globe_sms.tasks.reports.text_figures import count_texts, in_words
from globe_sms.tasks.reports.ucs2_texts import count_ucs2
from globe_sms.tasks.results.canary import Canary
from globe_sms.tasks.vocabulary.masking import mask, mask_numbers_in, mask_recipient
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import SENDABLE, Status

_EXAMPLES: Final = 3
_CODE: Final = re.compile(r"\d{4,}")
_SUMMED_UP: Final = (Status.DUPLICATE.value, Status.SUPPRESSED.value)


def make_preview(
    plan: FrozenPlan,
    config: CampaignConfig,
    *,
    campaign: str,
    lists: tuple[str, ...],
    numbers: int,
    calls: int,
    resent_chunks: int,
    parts: int | None = None,
    prices: Prices | None = None,
    hours_forecast: HoursForecast | None = None,
    canary_first: int | None = None,
    is_earlier: bool = False,
    changes: tuple[tuple[str, str], ...] = (),
    gateway: str | None = None,
    left_out: LeftOutFigures = NOBODY_LEFT_OUT,
    end: Until = NO_END,
    now: float = 0.0,
    readings: tuple[tuple[str, ListReading], ...] = (),
    passed_over: tuple[NoLists, ...] = (),
    policy: PolicyShown | None = None,
    schedule: ScheduleState | None = None,
    exceeded_budgets: tuple[str, ...] = (),
) -> Preview:
    """Count the plan in polars' streaming engine: 10 million rows take a second or two and about 150 MB."""
    status = pl.col("status").cast(pl.String)
    summed_up = status.is_in(_SUMMED_UP)
    rows = plan.scan().with_columns(
        status=status.fill_null(SENDABLE),
        reason=pl.when(~summed_up).then(pl.col("reason")),
        detail=pl.when(summed_up).then(pl.col("reason")),
    )
    groups = tuple(
        Group(*group)
        for group in rows.group_by("status", "reason")
        .len()
        .sort(pl.col("status") != SENDABLE, "status", "len", "reason", descending=[False, False, True, False])
        .collect(engine="streaming")
        .iter_rows()
    )
    # One query per reason, which ends at its third row: a group_by would keep the rows of all reasons in memory.
    destinations, samples, *refused = pl.collect_all(
        [
            rows.filter((pl.col("status") == SENDABLE) | (pl.col("reason") == RowReason.NOT_MOBILE.value))
            .group_by("region")
            .agg(
                (pl.col("status") == SENDABLE).sum().alias("sendable"),
                pl.len(),
                pl.col("recipient").str.contains("+", literal=True).sum().alias("with_plus"),
            )
            .sort("sendable", "region", descending=[True, False]),
            _examples(rows.filter(status=SENDABLE), config),
            *(
                rows.filter(pl.col("status") == group.status, pl.col("reason").eq_missing(pl.lit(group.reason)))
                .select("status", "reason", "source", "row", "recipient", "detail")
                .head(_EXAMPLES)
                for group in groups
                if group.status != SENDABLE
            ),
        ],
        engine="streaming",
        optimizations=pl.QueryOptFlags(comm_subplan_elim=False),  # it would keep the shared rows in memory
    )
    sendable = sum(group.rows for group in groups if group.status == SENDABLE)
    suppressed = any(group.status == Status.SUPPRESSED for group in groups)
    segments = config.wording.parts
    to_send = plan.scan().filter(pl.col("status").is_null())
    cost = None if prices is None else cost_of(to_send, prices, segments=segments)
    return Preview(
        campaign=campaign,
        lists=lists,
        type=config.type,
        senders=config.senders,
        dry_run=config.dry_run,
        rows=sum(group.rows for group in groups),
        groups=groups,
        destinations=tuple(Destination(region, rows) for region, rows, *_ in destinations.iter_rows() if rows),
        refused=tuple(_refused(row) for frame in refused for row in frame.iter_rows(named=True)),
        samples=tuple(
            Sample(mask(row["phone_number"]), row["region"], _shown(row.get("message"), config), _choice(row))
            for row in samples.iter_rows(named=True)
        ),
        numbers=numbers,
        calls=calls,
        resent_chunks=resent_chunks,
        calls_per_second=config.calls_per_second,
        parts=parts,
        cost=None if cost is None or numbers != sendable else str(cost),
        costs=cost,
        exceeded_limits=(
            *broken_guards(config, _by_status(groups), hidden=_hidden(groups)),
            *exceeded_limits(config, numbers=sendable, cost=cost),
            *exceeded_budgets,
        ),
        ucs2=count_ucs2(plan, config),
        replaced=count_replaced(plan, config.wording, sendable),
        null_markers=count_null_markers(plan),
        hours_forecast=hours_forecast,
        canary_first=canary_first,
        max_failure_rate=config.max_failure_rate,
        is_test=bool(config.test_to),
        is_earlier=is_earlier,
        changes=changes,
        id_is_made=config.campaign is None and not config.test_to,
        gateway=gateway,
        left_out=left_out,
        end=end,
        numbers_in_time=_in_time(numbers, calls / config.calls_per_second, end.at - now),
        repeats=count_repeats(plan.scan()) if suppressed else {},
        saved=count_saved(plan.scan(), prices, segments) if suppressed else None,
        readings=readings,
        strange_countries=()
        if config.default_region is not None or any(reading.region_column for _, reading in readings)
        else find_strange_countries(plan, destinations.drop("sendable").rows()),
        passed_over=passed_over,
        policy=policy,
        schedule=schedule,
        texts=count_texts(plan, config, prices),
    )


def _examples(sent: pl.LazyFrame, config: CampaignConfig) -> pl.LazyFrame:
    """Return the rows whose texts are shown: the first ones, or the first of each of several texts; all of a test."""
    if config.test_to:
        return sent.head(MOST_OWN_NUMBERS)
    choices = config.wording.choices
    if choices is None:
        return sent.filter(chunk=0).filter(pl.col("position") < _EXAMPLES).sort("position")
    names = (*choices.texts, *(() if choices.default is None else (OTHERS,)))
    return pl.concat([sent.filter(pl.col(choices.column) == name).head(1) for name in names])


def preview_after(canary: Canary, preview: Preview, remaining: RemainingChunks) -> Preview:
    """Return the preview of what is left to send after the canary."""
    return replace(
        preview,
        numbers=remaining.numbers,
        calls=len(remaining.chunks),
        resent_chunks=len(remaining.resent),
        parts=remaining.parts,
        cost=None,
        hours_forecast=None,
        canary_first=None,
        canary=canary,
        left_out=replace(preview.left_out, since_plan=remaining.left_out),
        changes=(),
    )


def _by_status(groups: Iterable[Group]) -> Counter[str]:
    rows: Counter[str] = Counter()
    for group in groups:
        rows[group.status] += group.rows
    return rows


def _hidden(groups: Iterable[Group]) -> int:
    return sum(group.rows for group in groups if group.reason == RowReason.HIDDEN_ROW)


def _in_time(numbers: int, seconds: float, left: float) -> int | None:
    """Return how many numbers go out in the seconds that are left, if all of them take `seconds`."""
    if math.isinf(left):
        return None
    return numbers if seconds <= left else math.floor(numbers * max(0.0, left) / seconds)


def _shown(own: str | None, config: CampaignConfig) -> str:
    """Return a text as the preview may show it: codes and numbers in a recipient's own text are masked."""
    if own is None:
        return config.wording.text or ""
    return _CODE.sub("••••", mask_numbers_in(own))


def _choice(row: dict[str, Any]) -> str | None:
    """Return which of several texts a row of the plan has, in words."""
    return next((in_words(row[column], column) for column in CHOICES if row.get(column)), None)


def _refused(row: dict[str, Any]) -> RefusedRow:
    return RefusedRow(
        status=row["status"],
        reason=row["reason"],
        source=row["source"],
        row=row["row"],
        recipient=mask_recipient(row["recipient"]),
        detail=row["detail"],
    )
