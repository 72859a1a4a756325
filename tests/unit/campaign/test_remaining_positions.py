"""What is left of a chunk that is presented in parts: nobody twice, nobody lost, whatever the answers and the kills."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.remaining_positions import Portion, Presented, left_after, remaining_positions
from globe_sms.tasks.campaign.settlement import Settlement

ANYTHING = [*Settlement, None]


def positions(left: Sequence[Portion], *, unknown: bool | None = None) -> list[int]:
    """The positions of these portions, in order."""
    return [place for each in left if unknown in (None, each.unknown) for place in each.positions]


def test_a_chunk_that_was_never_presented_is_left_whole() -> None:
    assert remaining_positions([], 3) == (Portion((0, 1, 2)),)


def test_a_split_leaves_halves_and_the_other_half_comes_before_quarters() -> None:
    """Most of a chunk is settled before any number of it is presented alone."""
    split = Presented(0, Settlement.SPLIT)
    assert [each.positions for each in remaining_positions([split], 5)] == [(0, 1, 2), (3, 4)]
    quarters = remaining_positions([split, Presented(1, Settlement.SPLIT, (0, 1, 2))], 5)
    assert [each.positions for each in quarters] == [(3, 4), (0, 1), (2,)]
    both = [Presented(1, Settlement.SPLIT, (0, 1, 2)), Presented(2, Settlement.SPLIT, (3, 4))]
    assert sorted(positions(remaining_positions([split, *both], 5))) == [0, 1, 2, 3, 4]


def test_a_part_leaves_the_others_as_they_were() -> None:
    """A call of fewer numbers than the chunk has: the rest stays one portion."""
    left = remaining_positions([Presented(0, Settlement.ACCEPTED, (0, 1))], 5)
    assert left == (Portion((2, 3, 4)),)


def test_positions_that_were_left_out_are_settled_with_their_call() -> None:
    """And come back where the call wasn't made."""
    left_out = {1: "s3://lists/optout.csv"}
    assert remaining_positions([Presented(0, Settlement.ACCEPTED, None, left_out)], 3) == ()
    assert remaining_positions([Presented(0, None, None, left_out)], 3) == (Portion((0, 2), unknown=True),)
    assert positions(remaining_positions([Presented(0, Settlement.SPLIT, None, left_out)], 3)) == [0, 2]
    assert positions(remaining_positions([Presented(0, Settlement.STOPPED, None, left_out)], 3)) == [0, 1, 2]


def test_what_a_receipt_proves_is_not_left() -> None:
    assert remaining_positions([Presented(0, None, (0, 1))], 3, taken={0}) == (Portion((2,)),)


@given(st.integers(1, 40), st.data())
def test_nobody_is_presented_after_a_call_that_may_have_been_accepted_and_nobody_is_lost(
    size: int, data: st.DataObject
) -> None:
    """Any answers and kills, calls of any size, resends where the operator says so; each step is read back again."""
    done: set[int] = set()  # may have been accepted, or failed alone
    doubtful: set[int] = set()
    out: set[int] = set()
    entries: list[Presented] = []
    left = remaining_positions(entries, size)
    for submission in range(data.draw(st.integers(0, 20))):
        resend = data.draw(st.booleans())
        portion = next((each for each in left if resend or not each.unknown), None)
        if portion is None:
            break
        called = portion.positions[: data.draw(st.integers(1, len(portion.positions)))]
        assert not done.intersection(called)
        assert resend or not doubtful.intersection(called)
        settlement = data.draw(st.sampled_from(ANYTHING))
        left_out = {} if portion.unknown else {place: "out" for place in called if data.draw(st.booleans())}
        entries.append(Presented(submission, settlement, None if len(called) == size else called, left_out))
        presented = set(called) - left_out.keys()
        if settlement in (Settlement.ACCEPTED, Settlement.REFUSED):
            done |= presented
            doubtful -= presented
        if settlement in (None, Settlement.UNKNOWN):
            doubtful |= presented
        if settlement not in (Settlement.STOPPED, Settlement.NOT_SENT):
            out |= left_out.keys()
        left = left_after(entries[-1], left)
        assert left == remaining_positions(entries, size)
        assert len(positions(left)) == len(set(positions(left)))
        assert set(positions(left, unknown=True)) == doubtful
        assert set(positions(left)) | done | out == set(range(size))
        assert not set(positions(left)) & (done | out)
