"""From lists to the frozen plan: find, read, judge, mark duplicates, cut chunks, freeze."""

from collections.abc import Callable
from pathlib import Path

from tasks.campaign import PLAN_KEY
from tasks.errors import StoreUnavailableError
from tasks.numbers import NO_OVERRIDES, Overrides, judge
from tasks.order import Order
from tasks.plan import FrozenPlan, freeze
from tasks.recipients import ListSource, check_unchanged, find_lists, read_lists, translate_errors
from tasks.s3 import S3Access
from tasks.store import Store


def find_order_lists(order: Order, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the lists that an order names, read as it says.

    Raises:
        InputError: as `find_lists`.
    """
    return find_lists(order.recipients, s3, encoding=order.encoding, has_header=not order.no_header)


def plan_lists(
    order: Order,
    store: Store,
    s3: Callable[[], S3Access],
    scratch: Path,
    *,
    sources: tuple[ListSource, ...] | None = None,
    overrides: Overrides = NO_OVERRIDES,
) -> tuple[FrozenPlan, tuple[ListSource, ...]]:
    """Make the plan of an order's lists and freeze it in the store; return it with the lists that it was made of.

    `sources` are the lists where they were found before: they are read as they were then, or nothing is frozen.
    Of two runs that freeze, one does, and both return its plan. The plan is written by one PutObject, which S3 takes up
    to 5 GB: some 150 million rows.

    Raises:
        InputError: a list cannot be read as it stands, or has changed meanwhile; nothing was frozen.
        StoreUnavailableError: the store took the plan and does not give it back.
    """
    sources = sources or find_order_lists(order, s3)
    recipients = read_lists(sources, number_column=order.number_column, s3=s3)
    judged = judge(recipients, default_region=order.default_region, overrides=overrides)
    with translate_errors(sources, number_column=order.number_column, s3=s3):
        path = freeze(judged, order.numbers_per_call, order.fingerprint(), scratch)
    check_unchanged(sources, s3=s3)
    if store.put_file_if_absent(PLAN_KEY, path):
        return FrozenPlan(path), sources
    path.unlink()
    frozen = FrozenPlan.load(order.fingerprint(), store, scratch)
    if frozen is None:
        raise StoreUnavailableError(f"{store.uri}: {PLAN_KEY} was written and cannot be read; try again.")
    return frozen, sources
