"""A plan is read in blocks that are bounded whatever rows are sent, and every row is in one of them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.planning.chunk_layout import SendingGroups
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.planning.sending_groups import groups_of

MOST = 4
SENT, JUNK = True, False


def frozen(shape: list[bool], folder: Path, *, by_country: bool) -> FrozenPlan:
    """Freeze a plan of such rows, two numbers a call; by country also laid out in windows of six numbers."""
    codes = ("+658123", "+44740012")
    numbers = [f"{codes[row % 2]}{row:04}" if sent else "n/a" for row, sent in enumerate(shape)]
    rows = pl.LazyFrame(
        {"source": ["list"] * len(shape), "row": range(len(shape)), "recipient": numbers},
        schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String},
    )
    ruled = groups_of(Senders(None, {"SG": "Acme"})) if by_country else None
    groups = None if ruled is None else SendingGroups(ruled.groups, ruled.sort, 6)
    return FrozenPlan(plan_rows(validate(rows, default_region=None), 2, "s", folder, groups=groups), block_rows=MOST)


@settings(max_examples=12)
@given(
    shape=st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=8).map(
        lambda runs: [kind for kind, length in runs for _ in range(length)]
    ),
    by_country=st.booleans(),
)
@example(shape=[SENT] * 3 + [JUNK] * 30, by_country=False)
@example(shape=[JUNK] * 30 + [SENT] * 3, by_country=False)
@example(shape=[SENT, *[JUNK] * 9] * 5, by_country=True)
@example(shape=[], by_country=False)
def test_blocks_are_short_and_hold_every_row_once(shape: list[bool], by_country: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Each with all chunks that stand in it; where their range changes, it goes on with the next chunk."""
    with TemporaryDirectory() as folder:
        plan = frozen(shape, Path(folder), by_country=by_country)
        blocks = [(rows.collect(), chunks) for rows, chunks in plan.blocks()]
        assert pl.concat([rows for rows, _ in blocks]).equals(plan.scan().collect())
        assert all(rows.height <= MOST for rows, _ in blocks)
        assert all(set(rows["chunk"].drop_nulls()) <= set(chunks) for rows, chunks in blocks)
        ranges = list(dict.fromkeys(chunks for _, chunks in blocks))
        assert [chunk for chunks in ranges for chunk in chunks] == list(range(plan.chunk_count()))
        every = [chunk for index in range(plan.chunk_count()) for chunk in plan.chunks(index, index)]
        assert [chunk.index for chunk in every] == list(range(plan.chunk_count()))
        assert sum(len(chunk.phone_numbers) for chunk in every) == sum(shape)
