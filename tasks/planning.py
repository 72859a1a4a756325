"""From lists to the frozen plan: find, read, judge, mark duplicates, cut chunks, freeze."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tasks.campaign import PLAN_KEY
from tasks.errors import StoreUnavailableError
from tasks.lane_rules import lanes_of
from tasks.messages import PREFIX, TEXT_COLUMNS, add_texts
from tasks.numbers import NO_OVERRIDES, Overrides, judge
from tasks.order import Order
from tasks.plan import FrozenPlan, freeze
from tasks.recipients import ListSource, check_unchanged, find_lists, read_lists, translate_errors
from tasks.rehearsal import put_in_place_of_rows
from tasks.s3 import S3Access
from tasks.selection import only_countries, only_first
from tasks.store import Store
from tasks.suppression import check_suppressed, check_texted, leave_out, read_suppressed, read_texted
from tasks.zones import zone_table


def find_order_lists(order: Order, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the lists that an order names, read as it says.

    Raises:
        InputError: as `find_lists`.
    """
    return find_lists(order.recipients, s3, encoding=order.encoding, has_header=not order.no_header)


def read_order_lists(order: Order, sources: tuple[ListSource, ...], s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Return the rows of an order's lists, with the columns that its message needs.

    Raises:
        InputError: as `read_lists`; a placeholder's column that is not there, too.
    """
    return read_lists(sources, number_column=order.number_column, s3=s3, columns=order.wording.columns, prefix=PREFIX)


def check_order_lists(order: Order, s3: Callable[[], S3Access]) -> None:
    """Find what would keep an order's lists from being read, by the first bytes and the columns of each.

    Raises:
        InputError: as `plan_lists`, but for what stands further down in a list.
    """
    read_order_lists(order, find_order_lists(order, s3), s3)
    if order.suppress:
        check_suppressed(order.suppress, s3)
    if order.exclude_results:
        check_texted(order.exclude_results, s3)


def plan_lists(
    order: Order,
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
    `own` are the numbers that a test goes to in place of the lists' (`tasks.rehearsal`).
    Of two runs that freeze, one does, and both return its plan. The plan is written by one PutObject, which S3 takes up
    to 5 GB: some 150 million rows.

    Raises:
        InputError: a list cannot be read as it stands, or has changed meanwhile; nothing was frozen.
        StoreUnavailableError: the store took the plan and does not give it back.
    """
    sources = sources or find_order_lists(order, s3)
    columns = order.wording.columns
    recipients = read_order_lists(order, sources, s3)
    judged = judge(recipients, default_region=order.default_region, overrides=overrides)
    judged = only_countries(judged, order.allow_country, order.deny_country)
    judged = leave_out(judged, *_suppressed(order, s3, scratch, now))
    if order.sample is not None:
        judged = only_first(judged, order.sample)
    if order.wording.text is None:
        judged = add_texts(judged, order.wording)
    lanes = lanes_of(order.senders, None if order.quiet_hours is None else zone_table(now or datetime.now(UTC)))
    with translate_errors(sources, number_column=order.number_column, s3=s3, columns=columns, prefix=PREFIX):
        if own is not None:
            judged, as_the_rows = put_in_place_of_rows(judged, own)
            lanes = None if lanes is None else as_the_rows(lanes)
        path = freeze(
            judged,
            order.numbers_per_call,
            order.fingerprint(),
            scratch,
            carried=() if order.wording.text is not None else TEXT_COLUMNS,
            canary=order.canary_numbers,
            lanes=lanes,
        )
    check_unchanged(sources, s3=s3)
    if store.put_file_if_absent(PLAN_KEY, path):
        return FrozenPlan(path), sources
    path.unlink()
    frozen = FrozenPlan.load(order.fingerprint(), store, scratch)
    if frozen is None:
        raise StoreUnavailableError(f"{store.uri}: {PLAN_KEY} was written and cannot be read; try again.")
    return frozen, sources


def _suppressed(order: Order, s3: Callable[[], S3Access], scratch: Path, now: datetime | None) -> tuple[Path, ...]:
    """Write who must not be texted to files, one for opt-out lists and one for earlier campaigns."""
    files: list[Path] = []
    if order.suppress:
        files.append(scratch / "suppressed.parquet")
        read_suppressed(order.suppress, order.default_region, s3, files[-1])
    if order.exclude_results:
        files.append(scratch / "texted.parquet")
        read_texted(order.exclude_results, order.exclude_days, s3, files[-1], now=now or datetime.now(UTC))
    return tuple(files)
