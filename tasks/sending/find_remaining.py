"""What a run has left to do: the plan, the ledger and the receipts, put together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import polars as pl

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.remaining_positions import Portion, remaining_positions
from globe_sms.tasks.campaign.settlement import ChunkState
from globe_sms.tasks.planning.frozen_plan import FrozenPlan


def find_remaining(
    plan: FrozenPlan,
    ledger: Ledger,
    taken: Mapping[int, Collection[int]],
    *,
    resend: bool,
    canary: int,
    after_canary: bool,
    parts: pl.Expr,
) -> RemainingChunks:
    """Say which chunks are left, and what is left of those that were presented in parts.

    Two listings suffice for chunks that were presented whole; for the others, claims and send records are read.

    Args:
        plan: the campaign's rows.
        ledger: its claims and send records.
        taken: the submissions that the gateway has certainly accepted, by chunk; they are never presented again.
        resend: whether unknown numbers are presented again.
        canary: how many of the first chunks are the canary's.
        after_canary: whether only the chunks after the canary count.
        parts: how many message parts some rows of the plan have together.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    first = canary if after_canary else 0
    histories = dict(ledger.histories())
    to_read = {index: history for index, history in histories.items() if index >= first and history.must_be_read}
    for index, portions in _portions_left(plan, ledger, to_read, taken):
        left = tuple(portion for portion in portions if resend or not portion.unknown)
        histories[index] = replace(histories[index], left=left)
    chunks, resent = list[int](), list[int]()
    for index in range(first, plan.chunk_count()):
        state = _state_of(histories.get(index, History()), is_taken=index in taken)
        if state is ChunkState.UNKNOWN and resend:
            resent.append(index)
        if state is ChunkState.OPEN or (state is ChunkState.UNKNOWN and resend):
            chunks.append(index)
    numbers, wanted_parts = _count(plan, chunks, histories, parts)
    return RemainingChunks(tuple(chunks), tuple(resent), histories, numbers, wanted_parts, canary)


def _portions_left(
    plan: FrozenPlan, ledger: Ledger, histories: Mapping[int, History], taken: Mapping[int, Collection[int]]
) -> Iterator[tuple[int, tuple[Portion, ...]]]:
    """Yield what is left of chunks whose presentations must be read."""
    if not histories:
        return
    sizes = plan.chunk_sizes(histories)
    for index, entries in groupby(ledger.last_presentations(histories), key=lambda entry: entry.chunk):
        proved = taken.get(index, ())
        if any(submission >= histories[index].next for submission in proved):
            yield index, ()  # a receipt of a presentation that the ledger doesn't know: nothing of it is sure
        else:
            yield index, remaining_positions((entry.presented for entry in entries), sizes[index], proved)


def _state_of(history: History, *, is_taken: bool) -> ChunkState:
    """Return what a run may do with a chunk; one of which a part is unknown counts as unknown."""
    if history.left is None:
        return ChunkState.SETTLED if is_taken else history.state
    if any(portion.unknown for portion in history.left):
        return ChunkState.UNKNOWN
    return ChunkState.OPEN if history.left else ChunkState.SETTLED


def _count(
    plan: FrozenPlan, chunks: Sequence[int], histories: Mapping[int, History], parts: pl.Expr
) -> tuple[int, int]:
    """Return how many numbers are left, and how many message parts their texts have together."""
    portions = {index: histories[index].left for index in chunks if index in histories}
    whole = [index for index in chunks if portions.get(index) is None]
    left = plan.scan().join(pl.LazyFrame({"chunk": whole}, schema={"chunk": pl.UInt32}), on="chunk", how="semi")
    some = [
        (index, [place for portion in found for place in portion.positions])
        for index, found in portions.items()
        if found is not None
    ]
    if some:
        schema = {"chunk": pl.UInt32(), "position": pl.List(pl.UInt16)}
        positions = pl.LazyFrame(some, schema=schema, orient="row").explode("position")
        left = pl.concat([left, plan.scan().join(positions, on=["chunk", "position"], how="semi")])
    numbers, wanted = left.select(pl.len(), parts.cast(pl.UInt64).alias("parts")).collect(engine="streaming").row(0)
    return numbers, wanted
