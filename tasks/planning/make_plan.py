"""From lists to the plan, top to bottom.

A row's way: its list is found and read, its number validated, filters and opt-outs applied, its text rendered
(`make_plan`); then the rows are laid out (`freeze`): duplicates are marked, the sendable rows get their chunks, and the
plan is written.
"""

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import plan_key
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import PREFIX, add_texts
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.time_zones import zone_table
from globe_sms.tasks.planning.check_placeholders import check_own_texts, check_template
from globe_sms.tasks.planning.chunk_layout import ChunkLayout, SendingGroups, chunks_in_input_order, lay_out_chunks
from globe_sms.tasks.planning.duplicates import rank_rows
from globe_sms.tasks.planning.earlier_results import ErasedResults, check_texted, find_hashed, read_texted
from globe_sms.tasks.planning.filters import only_countries
from globe_sms.tasks.planning.frozen_plan import FrozenPlan, write_plan
from globe_sms.tasks.planning.left_out import leave_out
from globe_sms.tasks.planning.listed_numbers import judge_numbers
from globe_sms.tasks.planning.opt_outs import OptOutLists, check_opt_outs
from globe_sms.tasks.planning.own_numbers import put_in_place_of_rows
from globe_sms.tasks.planning.random_split import HELD_OUT, with_holdout, with_variants
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.planning.short_rows import find_short_rows, reason_with_short_rows
from globe_sms.tasks.recipients import (
    KEPT,
    EmptyListError,
    ListSource,
    OpenedList,
    check_unchanged,
    find_lists,
    kept_of,
    open_lists,
    rows_of,
    translate_errors,
)
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import about
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status

# Returns files for `leave_out`, perhaps written into a folder: which of these rows must not get the text.
FindLeftOut = Callable[[pl.LazyFrame, Path], Sequence[Path]]
# Keeps in a folder, and returns, which of the rows end before the number's field; None if none does.
FindShortRows = Callable[[pl.LazyFrame, Path], pl.LazyFrame | None]

_VALIDATED: Final = ("source", "row", "recipient", "e164", "region", "status", "reason")


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
        path = freeze(
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


@about("recipients")
def find_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the lists that a campaign names; none if all of its recipients come from a query.

    Raises:
        InputError: as `find_lists`.
    """
    if not config.recipients:
        return ()
    return find_lists(
        config.recipients,
        s3,
        encoding=config.encoding,
        has_header=not config.no_header,
        options=config.read_options,
    )


@about("recipients")
def open_campaign_lists(
    config: CampaignConfig, sources: tuple[ListSource, ...], s3: Callable[[], S3Access]
) -> tuple[OpenedList, ...]:
    """Open a campaign's lists, with the columns that its message needs.

    Raises:
        InputError: as `open_lists`, also for a placeholder without a column, or in the style of another system.
    """
    opened = open_lists(
        sources, number_column=config.number_column, s3=s3, columns=config.wording.columns, keep=config.keep
    )
    if not config.literal_placeholders:
        for each in opened:
            for option, text in config.templates:
                check_template(text, each.source.uri, each.names, option=option)
    return opened


def opt_outs_of(
    config: CampaignConfig, s3: Callable[[], S3Access], scratch: Path, overrides: Overrides = NO_OVERRIDES
) -> OptOutLists:
    """Return a campaign's opt-out lists; `scratch` must stay as long as their files are used."""
    return OptOutLists(
        config.suppress,
        s3,
        scratch,
        default_region=config.default_region,
        overrides=overrides,
        on_damaged=config.suppress_damaged,
    )


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


def freeze(
    validated: pl.LazyFrame,
    numbers_per_call: int,
    plan_id: str,
    scratch: Path,
    *,
    texts: Sequence[str] = (),
    kept: Sequence[str] = (),
    groups: SendingGroups | None = None,
    canary: int = 0,
    find_left_out: FindLeftOut | None = None,
    find_short: FindShortRows | None = None,
) -> Path:
    """Write the plan of validated rows to a local file; `plan_rows` says what the arguments are.

    On the way `scratch` needs room for the lists twice.
    """
    path = scratch / f"new-{plan_id}.parquet"
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        plan, layout = plan_rows(
            validated,
            numbers_per_call,
            Path(folder),
            texts=texts,
            kept=kept,
            groups=groups,
            canary=canary,
            find_left_out=find_left_out,
            find_short=find_short,
        )
        write_plan(plan, layout, plan_id, path)
    return path


def plan_rows(
    validated: pl.LazyFrame,
    numbers_per_call: int,
    folder: Path,
    *,
    texts: Sequence[str] = (),
    kept: Sequence[str] = (),
    groups: SendingGroups | None = None,
    canary: int = 0,
    find_left_out: FindLeftOut | None = None,
    find_short: FindShortRows | None = None,
) -> tuple[pl.LazyFrame, ChunkLayout | None]:
    """Mark duplicates and give the sendable rows their chunks, in input order or, with `groups`, group by group.

    Of several rows with one phone number the first is sent; the others name it: `first_source`, `first_row`. The rows
    are read once and kept in `folder`, which must stay as long as the plan is read. All of it runs in the streaming
    engine: neither the lists nor their numbers are in memory as a whole.

    Args:
        validated: Rows in input order with the columns source, row, recipient, e164, region, status (null for rows
            that can be sent) and reason; perhaps with `HELD_OUT`, the same for all rows of a number.
        numbers_per_call: The most numbers of a chunk.
        folder: A local folder.
        texts: Further columns of `validated` that the plan has after its own, for rows that are sent or invalid.
        kept: Columns of the lists in `validated` that the plan has at its end, for all rows.
        groups: Which rows may share a call; None for all.
        canary: So many of the first sendable rows have chunks of their own.
        find_left_out: Finds who already has the text, or got too many: these rows are suppressed.
        find_short: Finds rows that end before the number's field: these are `too_few_fields`, not `empty`.

    Returns:
        The plan's rows as they are stored (`rows_of_plan`), with `chunk` (u32) and `position` (u16), null for rows that
        aren't sent; and with `groups`, how the chunks were laid out.
    """
    held_out = [name for name in (HELD_OUT,) if name in validated.collect_schema()]
    rows = _write_rows(validated.select(*_VALIDATED, *texts, *kept, *held_out), folder / "validated.parquet")
    short = None if find_short is None else find_short(pl.scan_parquet(rows, glob=False), folder)
    if find_left_out is not None:
        rows = _leave_out(rows, find_left_out, folder)
    ranks = rank_rows(rows, folder, ranked=~pl.col(HELD_OUT) if held_out else None)
    parts, layout = [pl.scan_parquet(rows, glob=False), ranks], None
    if groups is None:
        chunk, position = chunks_in_input_order(numbers_per_call, canary)
    else:
        places, layout = lay_out_chunks(rows, ranks, groups, numbers_per_call, folder, canary=canary)
        parts.append(places)
        chunk, position = pl.col("chunk"), pl.col("position")
    if short is not None:
        parts.append(short)
    keeps_texts = pl.col("nth").is_not_null() | (pl.col("status") == Status.INVALID.value)
    is_duplicate = pl.col("status").is_null() & pl.col("first_row").is_not_null()
    status = pl.when(is_duplicate).then(_status(Status.DUPLICATE))
    reason = pl.col("reason") if short is None else reason_with_short_rows()
    for name in held_out:  # after the others: what keeps people out of a campaign keeps them out of its holdout
        is_held = pl.col(name) & pl.col("status").is_null() & pl.col("first_row").is_null()
        status = status.when(is_held).then(_status(Status.NOT_SENT))
        reason = pl.when(is_held).then(pl.lit(RowReason.HOLDOUT.value)).otherwise(reason.cast(pl.String))
    return pl.concat(parts, how="horizontal").select(
        "source",
        "row",
        "recipient",
        pl.format("+{}", "e164").alias("phone_number"),
        "region",
        status.otherwise("status").alias("status"),
        reason.alias("reason"),
        "first_source",
        "first_row",
        chunk.cast(pl.UInt32).alias("chunk"),
        position.cast(pl.UInt16).alias("position"),
        *(pl.when(keeps_texts).then(pl.col(name)).alias(name) for name in texts),
        *kept,
    ), layout


def _status(status: Status) -> pl.Expr:
    return pl.lit(status, dtype=pl.Enum(STATUSES))


def _write_rows(rows: pl.LazyFrame, path: Path) -> Path:
    has_texts = len(rows.collect_schema()) > len(_VALIDATED)
    rows = rows.with_columns(pl.col("source").cast(pl.Categorical))  # few in many rows: as texts they take longer
    rows.sink_parquet(path, compression="lz4" if has_texts else "uncompressed", statistics=False, engine="streaming")
    return path


def _leave_out(rows: Path, find_left_out: FindLeftOut, folder: Path) -> Path:
    """Suppress people who must not get the text; the rows are written again only if there are any."""
    validated = pl.scan_parquet(rows, glob=False)
    files = find_left_out(validated.filter(pl.col("status").is_null()), folder)
    if not files:
        return rows
    path = _write_rows(leave_out(validated, *files), folder / "without-left-out.parquet")
    rows.unlink()
    return path


def check_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find a campaign's lists, and what would keep them from being read, by the first bytes and columns of each.

    Raises:
        InputError: as `make_plan`, except for what is further down in a list.
    """
    sources = find_campaign_lists(config, s3)
    open_campaign_lists(config, sources, s3)
    check_opt_outs(config.suppress, s3)
    if config.exclude_results:
        check_texted(config.exclude_results, s3)
    return sources
