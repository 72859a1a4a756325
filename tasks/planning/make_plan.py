"""From lists to the frozen plan: find, read, judge, mark duplicates, cut chunks, freeze."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.campaign import PLAN_KEY
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import PREFIX, TEXT_COLUMNS, add_texts
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides, validate
from globe_sms.tasks.numbers.time_zones import zone_table
from globe_sms.tasks.planning.filters import only_countries
from globe_sms.tasks.planning.frozen_plan import FrozenPlan, freeze
from globe_sms.tasks.planning.lanes import lanes_of
from globe_sms.tasks.planning.opt_outs import check_suppressed, check_texted, leave_out, read_suppressed, read_texted
from globe_sms.tasks.planning.own_numbers import put_in_place_of_rows
from globe_sms.tasks.recipients import ListSource, check_unchanged, find_lists, read_lists, translate_errors
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError


def find_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the lists that an order names, read as it says.

    Raises:
        InputError: as `find_lists`.
    """
    return find_lists(config.recipients, s3, encoding=config.encoding, has_header=not config.no_header)


def read_campaign_lists(
    config: CampaignConfig, sources: tuple[ListSource, ...], s3: Callable[[], S3Access]
) -> pl.LazyFrame:
    """Return the rows of an order's lists, with the columns that its message needs.

    Raises:
        InputError: as `read_lists`; a placeholder's column that is not there, too.
    """
    return read_lists(sources, number_column=config.number_column, s3=s3, columns=config.wording.columns, prefix=PREFIX)


def check_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> None:
    """Find what would keep an order's lists from being read, by the first bytes and the columns of each.

    Raises:
        InputError: as `plan_lists`, but for what stands further down in a list.
    """
    read_campaign_lists(config, find_campaign_lists(config, s3), s3)
    if config.suppress:
        check_suppressed(config.suppress, s3)
    if config.exclude_results:
        check_texted(config.exclude_results, s3)


def plan_lists(
    config: CampaignConfig,
    store: Store,
    s3: Callable[[], S3Access],
    scratch: Path,
    *,
    sources: tuple[ListSource, ...] | None = None,
    overrides: Overrides = NO_OVERRIDES,
    own: pl.DataFrame | None = None,
    now: datetime | None = None,
) -> tuple[FrozenPlan, tuple[ListSource, ...]]:
    """Make the plan of an order's lists and freeze it in the store; return it with the lists that it was made of.

    `sources` are the lists where they were found before: they are read as they were then, or nothing is frozen.
    `own` are the numbers that a test goes to in place of the lists' (`tasks.planning.own_numbers`).
    Of two runs that freeze, one does, and both return its plan. The plan is written by one PutObject, which S3 takes up
    to 5 GB: some 150 million rows.

    Raises:
        InputError: a list cannot be read as it stands, or has changed meanwhile; nothing was frozen.
        StoreUnavailableError: the store took the plan and does not give it back.
    """
    sources = sources or find_campaign_lists(config, s3)
    columns = config.wording.columns
    recipients = read_campaign_lists(config, sources, s3)
    validated = validate(recipients, default_region=config.default_region, overrides=overrides)
    validated = only_countries(validated, config.allow_country, config.deny_country)
    validated = leave_out(validated, *_suppressed(config, s3, scratch, now))
    if config.wording.text is None:
        validated = add_texts(validated, config.wording)
    lanes = lanes_of(config.senders, None if config.quiet_hours is None else zone_table(now or datetime.now(UTC)))
    with translate_errors(sources, number_column=config.number_column, s3=s3, columns=columns, prefix=PREFIX):
        if own is not None:
            validated, as_the_rows = put_in_place_of_rows(validated, own)
            lanes = None if lanes is None else as_the_rows(lanes)
        path = freeze(
            validated,
            config.numbers_per_call,
            config.fingerprint(),
            scratch,
            carried=() if config.wording.text is not None else TEXT_COLUMNS,
            canary=config.canary_numbers,
            lanes=lanes,
        )
    check_unchanged(sources, s3=s3)
    if store.put_file_if_absent(PLAN_KEY, path):
        return FrozenPlan(path), sources
    path.unlink()
    frozen = FrozenPlan.load(config.fingerprint(), store, scratch)
    if frozen is None:
        raise StoreUnavailableError(f"{store.uri}: {PLAN_KEY} was written and cannot be read; try again.")
    return frozen, sources


def _suppressed(
    config: CampaignConfig, s3: Callable[[], S3Access], scratch: Path, now: datetime | None
) -> tuple[Path, ...]:
    """Write who must not be texted to files, one for opt-out lists and one for earlier campaigns."""
    files: list[Path] = []
    if config.suppress:
        files.append(scratch / "suppressed.parquet")
        read_suppressed(config.suppress, config.default_region, s3, files[-1])
    if config.exclude_results:
        files.append(scratch / "texted.parquet")
        read_texted(config.exclude_results, config.exclude_days, s3, files[-1], now=now or datetime.now(UTC))
    return tuple(files)
