"""From lists to the plan, top to bottom.

A row's way: its list is found and read (`campaign_lists`), its number validated, filters and opt-outs applied, its text
rendered; then `plan_rows` marks duplicates, gives the sendable rows their chunks, and writes the plan.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.campaign_json import plan_key
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import PREFIX, add_texts
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.time_zones import zone_table
from globe_sms.tasks.planning.campaign_lists import find_campaign_lists, open_campaign_lists, opt_outs_of
from globe_sms.tasks.planning.check_placeholders import check_own_texts
from globe_sms.tasks.planning.earlier_results import ErasedResults, find_hashed, read_texted
from globe_sms.tasks.planning.filters import only_countries
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import leave_out
from globe_sms.tasks.planning.listed_numbers import judge_numbers
from globe_sms.tasks.planning.opt_outs import OptOutLists
from globe_sms.tasks.planning.own_numbers import put_in_place_of_rows
from globe_sms.tasks.planning.plan_rows import FindLeftOut, plan_rows
from globe_sms.tasks.planning.random_split import with_holdout, with_variants
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.planning.short_rows import find_short_rows
from globe_sms.tasks.recipients import (
    KEPT,
    EmptyListError,
    ListSource,
    check_unchanged,
    kept_of,
    rows_of,
    translate_errors,
)
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import about


@about("recipients")
def make_plan(
    config: CampaignConfig,
    store: Store,
    s3: Callable[[], S3Access],
    scratch: Path,
    *,
    sources: tuple[ListSource, ...] | None = None,
    overrides: Overrides = NO_OVERRIDES,
    own: pl.DataFrame | None = None,
    opt_outs: OptOutLists | None = None,
    find_left_out: FindLeftOut | None = None,
    now: datetime | None = None,
) -> tuple[FrozenPlan, tuple[ListSource, ...]]:
    """Make a plan of a campaign's lists and put it into the store; return it with the lists that it was made of.

    It is an object of its own beside earlier plans, and counts once campaign.json names it. It is written by one
    PutObject, which S3 takes up to 5 GB: some 150 million rows.

    Args:
        config: What is sent to whom.
        store: The campaign's folder.
        s3: Gives the access to S3.
        scratch: A local folder with room for the lists twice.
        sources: The lists, if they were found before: if one has changed since, nothing is written.
        overrides: Prefixes that count as mobile, or not.
        own: The numbers that a test goes to instead of the lists' (`own_numbers`).
        opt_outs: The campaign's opt-out lists, if the run has opened them before.
        find_left_out: Finds who already has the text, or has had too many; None if that doesn't matter.
        now: When it is made.

    Raises:
        InputError: a list can't be read, or changed while it was read; no plan was written.
        EmptyListError: the lists have no rows; no plan was written.
    """
    sources = sources or find_campaign_lists(config, s3)
    opened = open_campaign_lists(config, sources, s3)
    rows = judge_numbers(
        rows_of(opened, s3=s3, columns=config.wording.columns, prefix=PREFIX),
        default_region=config.default_region,
        overrides=overrides,
        first_number=config.first_number,
        by_country=any(each.shape.has_region for each in opened),
    )
    names = {name for each in opened for name in each.names}
    rows = only_countries(rows, config.allow_country, config.deny_country)
    opt_outs = opt_outs or opt_outs_of(config, s3, scratch, overrides)
    texted, erased = _texted(config, s3, scratch, now)
    rows = leave_out(rows, *opt_outs.files(), *texted)
    if config.variants:
        rows = with_variants(rows, config.variants, config.split_key)
    if config.wording.text is None:
        rows = add_texts(rows, config.wording)
    if config.holdout_share:
        rows = with_holdout(rows, config.holdout_share, config.split_key)
    groups = groups_of(config.senders, None if config.quiet_hours is None else zone_table(now or datetime.now(UTC)))
    columns = config.wording.columns
    with translate_errors(
        sources, number_column=config.number_column, s3=s3, columns=columns, prefix=PREFIX, keep=config.keep
    ):
        if own is not None:
            rows, as_the_rows = put_in_place_of_rows(rows, own)
            groups = None if groups is None else as_the_rows(groups)
        path = plan_rows(
            rows,
            config.numbers_per_call,
            new_plan_id(),
            scratch,
            texts=config.wording.plan_columns,
            kept=[f"{KEPT}{each.name}" for each in kept_of(opened).values()],
            groups=groups,
            canary=config.canary_numbers,
            find_left_out=_also_hashed(find_left_out, erased),
            find_short=partial(find_short_rows, opened=opened, s3=s3) if own is None else None,
        )
    check_unchanged(sources, s3=s3)
    if config.message_column is not None and not config.literal_placeholders:
        check_own_texts(path, names)
    if not pl.scan_parquet(path, glob=False).select(pl.len()).collect().item():
        raise EmptyListError(f"{', '.join(source.uri for source in sources)}: no rows found, so nothing was sent")
    plan = FrozenPlan(path)
    store.put_file_if_absent(plan_key(plan.id), path)
    return plan, tuple(replace(each.source, reading=each.reading) for each in opened)


def new_plan_id() -> str:
    """Return an id that no other plan has, so a replaced plan never comes back under its name."""
    return uuid.uuid4().hex


def _texted(
    config: CampaignConfig, s3: Callable[[], S3Access], scratch: Path, now: datetime | None
) -> tuple[tuple[Path, ...], tuple[ErasedResults, ...]]:
    """Write the numbers that earlier campaigns texted to a file, if any campaigns are named; and return the hashes."""
    if not config.exclude_results:
        return (), ()
    file = scratch / "texted.parquet"
    erased = read_texted(config.exclude_results, config.exclude_days, s3, file, now=now or datetime.now(UTC))
    return (file,), erased


def _also_hashed(find_left_out: FindLeftOut | None, erased: Sequence[ErasedResults]) -> FindLeftOut | None:
    """Return what finds these people, and those whom results without numbers say were texted."""
    if not erased:
        return find_left_out

    def find(rows: pl.LazyFrame, folder: Path) -> Sequence[Path]:
        others = () if find_left_out is None else find_left_out(rows, folder)
        return (*find_hashed(erased, rows, folder), *others)

    return find
