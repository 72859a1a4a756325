from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement
from globe_sms.tasks.vocabulary.statuses import PRESENTED, Status


def test_every_settlement_has_its_line() -> None:
    assert set(MEANINGS) == set(Settlement)


def test_a_chunk_that_may_have_been_taken_is_never_open() -> None:
    """At most once: only what is proved not to have been sent is sent by a later run."""
    for settlement in (Settlement.ACCEPTED, Settlement.UNKNOWN):
        assert MEANINGS[settlement].chunk is not ChunkState.OPEN
        assert MEANINGS[settlement].status in PRESENTED


def test_what_was_not_written_to_the_gateway_is_not_counted_as_presented() -> None:
    assert MEANINGS[Settlement.NOT_SENT].status is Status.NOT_SENT
    assert Status.NOT_SENT not in PRESENTED
