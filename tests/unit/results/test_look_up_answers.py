"""What the ledger says of each row is what a join would find."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from globe_sms.tasks.results.ledger_answers import CHUNK_SCHEMA, PORTION_SCHEMA, POSITION_SCHEMA, Answers
from globe_sms.tasks.results.look_up_answers import add_answers

CHUNKS = st.sampled_from([0, 1, 2, 5, 6, 40])
PLACES = st.tuples(CHUNKS, st.sampled_from([0, 1, 2, 7]))


@given(
    rows=st.lists(st.one_of(PLACES, st.just((None, None))), max_size=12),
    chunks=st.sets(CHUNKS),
    portions=st.sets(PLACES, max_size=4),
    positions=st.sets(PLACES, max_size=6),
)
def test_each_row_is_told_what_is_said_of_it(
    rows: list[tuple[int, int]], chunks: set[int], portions: set[tuple[int, int]], positions: set[tuple[int, int]]
) -> None:
    """Of its part of a chunk before the chunk, and of itself; null where nothing is said, also of all."""
    answers = Answers(
        pl.DataFrame([{"chunk": chunk, "chunk_reason": f"chunk {chunk}"} for chunk in chunks], schema=CHUNK_SCHEMA),
        pl.DataFrame(
            [{"chunk": chunk, "position": place, "message_id": f"{chunk}-{place}"} for chunk, place in positions],
            schema=POSITION_SCHEMA,
        ),
        pl.DataFrame(
            [{"chunk": chunk, "position": place, "chunk_reason": f"part {chunk}-{place}"} for chunk, place in portions],
            schema=PORTION_SCHEMA,
        ),
    )
    plan = pl.DataFrame(
        {"row": range(len(rows)), "chunk": [row[0] for row in rows], "position": [row[1] for row in rows]},
        schema={"row": pl.UInt64, "chunk": pl.UInt32, "position": pl.UInt16},
    )
    found = add_answers(plan.lazy(), answers).select("row", "chunk_reason", "message_id").collect()
    joined = (
        plan.join(answers.chunks, on="chunk", how="left", maintain_order="left")
        .join(answers.portions, on=["chunk", "position"], how="left", suffix="_part", maintain_order="left")
        .join(answers.positions, on=["chunk", "position"], how="left", maintain_order="left")
        .select("row", pl.coalesce("chunk_reason_part", "chunk_reason").alias("chunk_reason"), "message_id")
    )
    assert_frame_equal(found, joined)
