"""What is unknown is held, and presented once more when the operator says so."""

import json

import pytest

from tests.chaos.campaign_under_test import Stage, chunk_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DROPPED, CLAIMED, LOST = 1, 2, 4
UNKNOWN = (DROPPED, CLAIMED, LOST)


def submissions(stage: Stage, campaign: object) -> dict[int, int]:
    """How many calls each chunk has had."""
    counts: dict[int, int] = {}
    for arrival in stage.arrivals(campaign):  # type: ignore[arg-type]
        counts[chunk_of(arrival)] = counts.get(chunk_of(arrival), 0) + 1
    return counts


def test_unknown_chunks_are_held_until_the_operator_resends_them_and_then_go_out_once(stage: Stage) -> None:
    """A dropped reply, a lost call, and a claim without a send record, as a dead run leaves it."""
    campaign = stage.campaign("s3", chunks=8)
    resent = {number for chunk in UNKNOWN for number in campaign.chunk(chunk)}
    stage.sandbox.gateway.add_fault("accept_then_drop", number=campaign.chunk(DROPPED)[3])
    stage.sandbox.gateway.add_fault("drop_before", number=campaign.chunk(LOST)[3])

    first = stage.run(campaign)
    assert first.code == 3
    stage.remove(campaign, f"records/{CLAIMED:06d}-0-accepted")

    stage.sandbox.gateway.clear_faults()
    held = stage.run(campaign)
    assert held.code == 3
    assert json.loads(held.stdout.splitlines()[-1])["calls"] == 0
    assert stage.statuses(campaign) == {
        ("accepted", None): 50,
        ("unknown", "no_reply"): 20,
        ("unknown", "interrupted"): 10,
    }
    assert submissions(stage, campaign) == dict.fromkeys(range(8), 1)
    assert stage.faults(campaign) == []

    again = stage.run(campaign, "--on-unknown=resend")
    assert again.code == 0
    assert "Resent as you asked: 3 unknown chunks." in " ".join(again.stderr.split())
    assert submissions(stage, campaign) == {chunk: 2 if chunk in UNKNOWN else 1 for chunk in range(8)}
    assert stage.statuses(campaign) == {("accepted", None): 80}
    assert stage.faults(campaign, resent=resent) == []
    assert stage.results(campaign).filter(chunk=DROPPED)["attempts"].unique().to_list() == [2]
